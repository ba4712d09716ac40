"""Version folders with their papers: model.json, eval.json and samples, in a governed repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from builders import Tasks, sha, table, write
from governed_repository import EARLIER, NAME, Repository, governed

from modelrelease import __version__
from modelrelease.records.canonical import document_bytes
from modelrelease.records.model import ModelRecord

PARENT, CHILD = "model_v1.0", "model_v1.1"
BETTER: tuple[Tasks, Tasks] = tuple({"qa": {"acc": scores}} for scores in table(40, 2, 30, 28))  # type: ignore[assignment]
POLICY = "schema_version: 1\ngate:\n  metrics:\n    qa/acc: {margin: 0.05}\n"
PEOPLE = "license: mit\nbase_model: acme/base\ndatasets: []\nlanguage: en  # no other was tried\n"
WHY = "Name the unit, which a third of the answers lacked"


def papers(version: str, parent: str | None = None, /, **changes: Any) -> dict[str, Any]:
    """Return a model.json's content; ``changes`` replace keys, in a part by name with a mapping."""
    document: dict[str, Any] = {
        "schema_version": 1,
        "tool": {"name": "modelrelease", "version": __version__},
        "saved_by": "save",
        "version": version,
        "parent": parent,
        "created": "2026-01-02T03:04:05+00:00",
        "git": {"sha": "0123456789abcdef0123456789abcdef01234567", "dirty": False, "branch": "main", "remote": None},
        "training": {
            "command": "python train.py --steps 200",
            "seed": 7,
            "steps": 200,
            "final_loss": 1.25,
            "datasets": [{"path": "datasets/train.jsonl", "digest": sha("train"), "git_sha": None}],
            "logs": [{"path": "logs/train.log", "sha256": sha("log")}],
        },
        "environment": {
            "python": "3.11.7",
            "packages": {"torch": "2.8.0", "transformers": "5.0.0", "tokenizers": "0.22.0"},
            "cuda": None,
            "driver": None,
            "gpus": [],
            "cpu": "a processor",
            "cores": 8,
            "memory": 2**34,
            "machine": "x86_64",
            "os": "Linux",
        },
        "tokenizer": {"class": "LlamaTokenizer", "version": "0.22.0", "digest": sha("tokenizer"),
                      "chat_template_digest": None},
        "prompts": [],
        "checkpoint": {
            "format": "safetensors",
            "digest": sha(version),
            "files": [{"path": "model.safetensors", "size": 8, "sha256": sha(f"weights of {version}")}],
        },
        "base_model": None,
        "license": None,
    }  # fmt: skip
    for key, value in changes.items():
        known = document[key]
        document[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return json.loads(ModelRecord.model_validate_json(json.dumps(document)).to_bytes())  # type: ignore[no-any-return]


def add_version(
    folder: Path,
    version: str,
    parent: str | None,
    tasks: Tasks | None,
    model: dict[str, Any] | None = None,
    **more: Any,
) -> Path:
    """Write a version folder below ``folder``; scored where there are ``tasks``, ``more`` is for ``builders.write``."""
    place = folder / version
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.json").write_bytes(document_bytes(papers(version, parent, **(model or {}))))
    if tasks is not None:
        write(place, tasks, **{"model": version, **more})
    return place


def two_versions(root: Path, *, policy: str = POLICY) -> Repository:
    """Return a repository: v1.0 committed, then a changed prompt with its reason, then v1.1, which is better."""
    repository = governed(root)
    record = f"change: {{author: {NAME}, reason: Say what is to be proven, date: {EARLIER}}}\n"
    repository.write("modelrelease.yaml", policy + record)
    before, after = BETTER
    add_version(root / "models", PARENT, None, before)
    repository.commit("The first version")
    repository.edit("prompts/qa.prompt.yml", "Q: ", "With its unit: ")
    repository.edit("prompts/qa.prompt.yml", "Ask one question at a time", WHY)
    repository.commit("Ask for units")
    add_version(root / "models", CHILD, PARENT, after, {"training": {"seed": 8}})
    repository.commit("The second version")
    return repository
