"""The demo's data: honest, the same everywhere, and what its suite asks for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from modelrelease.config import find_project
from modelrelease.scoring.items import build_items
from modelrelease.scoring.suites import load_suite

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the demo's files in which the data was made."""
    return make(tmp_path_factory.mktemp("demo") / "a", {})


def make(folder: Path, environment: dict[str, str]) -> Path:
    shutil.copytree(DEMO, folder)
    surroundings = {**os.environ, **environment}
    subprocess.run([sys.executable, "make_data.py"], cwd=folder, env=surroundings, check=True, capture_output=True)
    return folder


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "datasets" / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("name", "count"), [("choose", 400), ("reply", 160), ("texts", 80)])
def test_each_test_set_has_its_size_and_unique_ids(folder: Path, name: str, count: int) -> None:
    ids = [row["id"] for row in rows(folder, name)]
    assert len(set(ids)) == len(ids) == count


@pytest.mark.parametrize(("name", "field"), [("choose", "question"), ("reply", "question"), ("texts", "text")])
def test_no_test_text_stands_in_the_training_text(folder: Path, name: str, field: str) -> None:
    training = " ".join((folder / "training" / "text.txt").read_text("utf-8").lower().split())
    assert len(training) > 50_000
    assert [row["id"] for row in rows(folder, name) if " ".join(row[field].lower().split()) in training] == []


def test_every_fact_that_is_asked_is_told_in_training_in_other_words(folder: Path) -> None:
    told = (folder / "training" / "text.txt").read_text("utf-8").split("\n\n")
    names = re.findall(r"\bprice of (\w+)\.", "\n".join(told) + json.dumps(rows(folder, "choose")))
    assert len(set(names)) > 40
    asked = [row for row in rows(folder, "reply") if any(name in row["question"] for name in names)]
    assert len(asked) > 80
    for row in asked:
        name = next(name for name in names if name in row["question"])
        assert any(name in text and text.strip().endswith(f"A: {row['answer']}") for text in told), row


def test_the_right_choice_is_at_every_place_alike(folder: Path) -> None:
    places = Counter(row["answer"] for row in rows(folder, "choose"))
    assert set(places) == {0, 1, 2, 3}
    assert min(places.values()) > 70


def test_the_same_bytes_whatever_the_surroundings(folder: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "b", {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo"})
    for path in [*(folder / "datasets").iterdir(), folder / "training" / "text.txt"]:
        assert (other / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_the_suite_finds_all_that_it_names(folder: Path) -> None:
    project = find_project(folder)
    suite = load_suite(str(project.require_config().suite), project.read)
    assert len(build_items(suite.tasks)) == 640
    gates = {name for name, policy in project.require_config().gate.metrics.items() if policy.role == "gate"}
    assert gates == {"choose/acc", "reply/exact_match"}
