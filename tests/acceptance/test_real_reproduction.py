"""What `reproduce` says of SmolLM2 on TruthfulQA: exact here, and the true causes where something is changed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import WORK, modelrelease, rows_of

pytestmark = pytest.mark.real_models

Project = Callable[[str, list[dict[str, Any]], dict[str, Any]], Path]
VERSION = "models/model_v1.0"
ITEMS = 20


@pytest.fixture(scope="module")
def repository(data: Path, smollm2: Path, project: Project) -> Path:
    shutil.rmtree(WORK / "projects" / "reproduced", ignore_errors=True)
    rows = rows_of(data / "lm_eval_ref" / "tqa_mc1_short.jsonl")[:ITEMS]
    keys = {"kind": "multiple_choice", "choices": "choices", "target": "label", "metrics": ["acc", "acc_norm"]}
    root = project("reproduced", rows, {**keys, "prompt": "{{ctx}}"})
    shutil.copytree(smollm2, root / VERSION / "checkpoint")
    _git(root, "init", "--quiet")
    _git(root, "add", "modelrelease.yaml", "datasets", "prompts", "evals")
    _git(root, "commit", "--quiet", "--message", "Inputs")
    modelrelease(root, "score", VERSION, "--threads", "1")
    return root


def _git(root: Path, *arguments: str) -> None:
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "-C", str(root), *person, *arguments], check=True)


def _reproduced(root: Path, *flags: str, expect: int = 0) -> dict[str, Any]:
    modelrelease(root, "reproduce", VERSION, *flags, expect=expect)
    found = json.loads((root / VERSION / "reproduction.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def _causes(found: dict[str, Any]) -> list[str]:
    return [one["what"] for one in found["explanations"]]


def test_exact_in_the_same_environment(repository: Path) -> None:
    found = _reproduced(repository)
    assert (found["outcome"], _causes(found), found["max_abs_difference"]) == ("exact", [], 0.0)


def test_another_batch_plan(repository: Path) -> None:
    found = _reproduced(repository, "--batch-tokens", "512")
    assert found["outcome"] in {"exact", "equivalent"}
    assert _causes(found) == ["batch plan"]
    assert found["max_abs_difference"] < 1e-3


def test_another_number_of_threads(repository: Path) -> None:
    found = _reproduced(repository, "--threads", "2")
    assert found["outcome"] in {"exact", "equivalent"}
    assert _causes(found) == ["threads"]


def test_another_dtype(repository: Path) -> None:
    found = _reproduced(repository, "--dtype", "bfloat16")
    assert found["outcome"] in {"equivalent", "variance-documented"}
    assert _causes(found) == ["dtype"]
    assert 1e-2 < found["max_abs_difference"] < 2 * found["tolerance"]


def test_a_tolerance_that_bfloat16_does_not_keep(repository: Path) -> None:
    found = _reproduced(repository, "--dtype", "bfloat16", "--tolerance", "0.001", expect=1)
    assert (found["outcome"], _causes(found)) == ("mismatch", ["dtype"])
    assert found["mismatch_count"] == ITEMS


def test_the_noise_floor_of_this_machine(repository: Path) -> None:
    found = _reproduced(repository, "--permute-batches", "2")
    assert found["outcome"] == "exact"
    assert 0 < found["noise"]["max_abs_difference"] < 1e-3


def test_a_changed_row_in_the_work_tree_is_read_from_the_commit(repository: Path) -> None:
    dataset = repository / "datasets" / "data.jsonl"
    before = dataset.read_bytes()
    lines = before.decode("utf-8").splitlines(keepends=True)
    lines[4] = lines[4].replace("?", "??", 1)
    dataset.write_text("".join(lines), "utf-8")
    try:
        found = _reproduced(repository)
        assert (found["outcome"], found["inputs"]) == ("exact", "commit")
        record = repository / VERSION / "eval.json"
        kept = record.read_bytes()
        value = json.loads(kept)
        value["provenance"]["git_sha"] = None
        record.write_text(json.dumps(value), "utf-8")
        printed = modelrelease(repository, "reproduce", VERSION, expect=1)
        record.write_bytes(kept)
        row = json.loads(lines[4])
        assert f"row datasets/data.jsonl:5 (id {row['id']}) changed" in printed
        assert "nothing was run, nothing written" in printed
    finally:
        dataset.write_bytes(before)


def test_one_bit_of_one_weight(repository: Path) -> None:
    weights = repository / VERSION / "checkpoint" / "model.safetensors"
    with weights.open("r+b") as stream:
        stream.seek(-1000, 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 1]))
    printed = modelrelease(repository, "reproduce", VERSION, expect=1)
    assert "refused: this is not the experiment that was recorded" in printed
    assert "checkpoint file model.safetensors changed" in printed
