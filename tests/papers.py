"""model.json for tests, written with the project's own models for a checkpoint that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelrelease import __version__
from modelrelease.records.checkpoints import CHECKPOINT_FOLDER, files_digest, read_checkpoint
from modelrelease.records.evaluation import CheckpointFile, Tool
from modelrelease.records.hashing import hash_files
from modelrelease.records.model import MODEL_FILE, ModelRecord, SavedCheckpoint, Training, read_model_record


def model_record(version: str, checkpoint: Path, *, parent: str | None = None, **where: Any) -> ModelRecord:
    """Return the papers of a version with ``checkpoint``; ``where``: source or same_as."""
    found = read_checkpoint(checkpoint, version)
    return ModelRecord(
        tool=Tool(version=__version__),
        saved_by="record",
        version=version,
        parent=parent,
        created="2026-03-04T05:06:07+00:00",
        git=None,
        training=Training(),
        environment=None,
        tokenizer=None,
        prompts=(),
        checkpoint=SavedCheckpoint(format="safetensors", digest=found.digest, files=found.files, **where),
        base_model=None,
        license=None,
    )


def write_papers(folder: Path, checkpoint: Path, *, parent: str | None = None, **where: Any) -> ModelRecord:
    """Write model.json into a version folder."""
    record = model_record(folder.name, checkpoint, parent=parent, **where)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(record.to_bytes())
    return record


def list_again(folder: Path) -> None:
    """Let the papers list what lies in ``checkpoint/`` now, sound or not: as somebody who trusts it would record it."""
    record = read_model_record(folder)
    place = folder / CHECKPOINT_FOLDER
    files = tuple(
        CheckpointFile(path=file.path, size=size, sha256=sha256)
        for file, (size, sha256) in zip(
            record.checkpoint.files, hash_files([place / file.path for file in record.checkpoint.files]), strict=True
        )
    )
    saved = record.checkpoint.model_copy(update={"files": files, "digest": files_digest(files)})
    (folder / MODEL_FILE).write_bytes(record.model_copy(update={"checkpoint": saved}).to_bytes())
