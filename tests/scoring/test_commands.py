"""``modelrelease score`` as a process: what may not change its bytes, and what a killed run leaves behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_models import TinyModels, as_jsonl, write_project

from modelrelease.cli.main import main

VERSION = "models/model_v1.0"
SUITE = """schema_version: 1
name: many
tasks:
  - {name: pick, kind: multiple_choice, dataset: datasets/many.jsonl, prompt: prompts/qa.txt, choices: choices,
     target: answer, metrics: [acc], slices: [topic]}
  - {name: say, kind: generate, dataset: datasets/many.jsonl, prompt: prompts/qa.txt, max_new_tokens: 3,
     temperature: 1.0, metrics: [json_valid]}
"""
ROWS = [
    {"id": f"ä{n}", "question": "who sat? 🐈 " + "on the mat " * (n % 3), "choices": list("ABCD"), "answer": n % 4}
    for n in range(40)
]


@pytest.fixture(scope="module")
def repository(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small repository with a version to score and a suite of many small batches."""
    root = write_project(tmp_path_factory.mktemp("commands") / "répository")
    (root / "evals/release.yaml").write_text(SUITE, "utf-8")
    (root / "datasets/many.jsonl").write_text(as_jsonl([{**row, "topic": "ü"} for row in ROWS]), "utf-8")
    shutil.copytree(tiny.folder("llama"), root / "models/model_v1.0/checkpoint")
    return root


def arguments(out: Path, model: str, config: str) -> list[str]:
    return ["score", model, "--config", config, "--out", str(out), "--batch-tokens", "40", "--device", "cpu"]


class Runs:
    """An uninterrupted run in this process (``whole``), and one elsewhere that is killed and started ``again``.

    ``left``: what the killed one had written beside its journal; ``said``: what the second start said on stderr.
    """

    def __init__(self, repository: Path, folder: Path) -> None:
        self.whole, self.again, self.partial = folder / "whole", folder / "again", folder / "cache" / "partial"
        killed = self._start(repository)
        self.kept = self._kill(killed)
        self.left = sorted(path.name for path in folder.iterdir())
        second = self._start(repository)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MODELRELEASE_CACHE", str(folder / "cache-whole"))
            patch.chdir(repository)
            assert main(arguments(self.whole, VERSION, "modelrelease.yaml")) == 0
        _, errors = second.communicate(timeout=200)
        self.said = errors.decode()
        assert second.returncode == 0, self.said

    def _start(self, repository: Path) -> subprocess.Popen[bytes]:
        kept = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS", "HOME") if name in os.environ}
        # Without the first two, Python takes LC_ALL=C for UTF-8.
        plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "TZ": "Asia/Kathmandu"}
        env = {**kept, **plain, "PYTHONHASHSEED": "4242", "MODELRELEASE_CACHE": str(self.partial.parent)}
        command = [sys.executable, "-m", "modelrelease", *arguments(self.again, "model_v1.0", "../modelrelease.yaml")]
        where = repository / "models"
        return subprocess.Popen(command, cwd=where, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def _kill(self, process: subprocess.Popen[bytes]) -> int:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline and kept_lines(self.partial) < 6:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        return kept_lines(self.partial)


@pytest.fixture(scope="module")
def runs(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(repository, tmp_path_factory.mktemp("runs"))


def record(folder: Path) -> dict[str, Any]:
    """eval.json without what may differ between two honest runs."""
    value: dict[str, Any] = json.loads((folder / "eval.json").read_text("utf-8"))
    del value["provenance"]
    return value


def test_a_killed_run_leaves_its_finished_batches_and_no_record(runs: Runs) -> None:
    assert runs.kept >= 6
    assert "again" not in runs.left


def test_the_next_run_goes_on_from_there_and_cleans_up(runs: Runs) -> None:
    said = re.fullmatch(r"going on after (\d+) of 80 items that an interrupted run has scored\n", runs.said)
    assert said is not None
    assert 1 <= int(said[1]) < 80
    assert list(runs.partial.iterdir()) == []
    assert sorted(path.name for path in runs.again.iterdir()) == ["eval.json", "samples.jsonl"]


def test_neither_the_kill_nor_locale_time_zone_hash_seed_and_working_directory_change_a_byte(runs: Runs) -> None:
    assert (runs.again / "samples.jsonl").read_bytes() == (runs.whole / "samples.jsonl").read_bytes()
    assert record(runs.again) == record(runs.whole)


def kept_lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("evals/release.yaml", "schema_version: 1\nname: s\ntask: []\n", "{path}:3: MR206 unknown key `task`"),
        ("datasets/many.jsonl", '{"id": 1, "choices": ["a"]}\n', "prompts/qa.txt:1: MR301 names the field `question`"),
        ("prompts/qa.txt", "\n", "{path}:1: MR309 the prompt is empty"),
        (f"{VERSION}/checkpoint/config.json", "{", f"{VERSION}: MR401 transformers cannot read config.json"),
    ],
)
def test_a_run_that_fails_says_why_on_a_line_and_writes_nothing(
    repository: Path,
    tmp_path: Path,
    path: str,
    text: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "repository"
    shutil.copytree(repository, root)
    (root / path).write_text(text, "utf-8")
    before = {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}
    monkeypatch.setenv("MODELRELEASE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(root)
    assert main(["score", VERSION, "--device", "cpu"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(said.format(path=path))
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert {file: file.read_bytes() for file in root.rglob("*") if file.is_file()} == before
