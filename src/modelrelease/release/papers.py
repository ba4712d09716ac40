"""What model.json says, put together from what was found and what a person said. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelrelease import __version__
from modelrelease.records.checkpoints import Checkpoint, is_weights
from modelrelease.records.evaluation import CheckpointFile, Tool
from modelrelease.records.model import (
    GitState,
    LogFile,
    Machine,
    ModelRecord,
    PromptInUse,
    SavedBy,
    SavedCheckpoint,
    TokenizerPapers,
    Training,
    TrainingSet,
)
from modelrelease.release.commands import masked


@dataclass(frozen=True)
class Said:
    """What a person, or a Trainer, says of a checkpoint; None and nothing for what they do not say."""

    command: str | None = None
    seed: int | None = None
    config_digest: str | None = None
    datasets: tuple[TrainingSet, ...] = ()
    logs: tuple[LogFile, ...] = ()
    steps: int | None = None
    epochs: float | None = None
    final_loss: float | None = None
    parent: str | None = None
    base_model: str | None = None
    license: str | None = None


@dataclass(frozen=True)
class Found:
    """What was found where the papers are written: now, here, in this repository."""

    version: str | None
    created: str
    git: GitState | None
    environment: Machine | None
    prompts: tuple[PromptInUse, ...]


@dataclass(frozen=True)
class Weights:
    """What a checkpoint is, whoever made it."""

    checkpoint: SavedCheckpoint
    tokenizer: TokenizerPapers | None


_TRAINING = ("seed", "config_digest", "datasets", "logs", "steps", "epochs", "final_loss")
_OTHERS = ("parent", "base_model", "license")


def describe_weights(
    checkpoint: Checkpoint, kind: str | None, library: str | None, source: str | None = None
) -> Weights:
    """Return what papers say of a checkpoint that was looked through.

    ``kind`` is its tokenizer's class, ``library`` the version of the library that wrote it, None where unknown.
    """
    tokenizer = None
    if checkpoint.has_tokenizer:
        digests = {"digest": checkpoint.tokenizer_digest, "chat_template_digest": checkpoint.chat_template_digest}
        tokenizer = TokenizerPapers.model_validate({"class": kind, "version": library, **digests})
    digest, files = checkpoint.digest, checkpoint.files
    saved = SavedCheckpoint(format=_format(files), digest=digest, files=files, source=source)
    return Weights(saved, tokenizer)


def new_record(saved_by: SavedBy, found: Found, weights: Weights, said: Said) -> ModelRecord:
    """Return the papers of a checkpoint that has none."""
    return ModelRecord(
        tool=Tool(version=__version__),
        saved_by=saved_by,
        version=found.version,
        parent=said.parent,
        created=found.created,
        git=found.git,
        training=Training(command=masked(said.command) if said.command else None, **_said(said, _TRAINING)),
        environment=found.environment,
        tokenizer=weights.tokenizer,
        prompts=found.prompts,
        checkpoint=weights.checkpoint,
        base_model=said.base_model,
        license=said.license,
    )


def amended(record: ModelRecord, found: Found, weights: Weights, said: Said) -> ModelRecord:
    """Return ``record`` with what is said now, and as it was in everything else.

    ``found``'s environment counts as said where it is there. Where weights came from stays known: an address and what
    they were converted from are kept unless there are new ones.
    """
    training = {**_said(said, _TRAINING), **({"command": masked(said.command)} if said.command else {})}
    before, now = record.checkpoint, weights.checkpoint
    kept = {"source": now.source or before.source, "converted_from": now.converted_from or before.converted_from}
    changes: dict[str, Any] = {
        **_said(said, _OTHERS),
        "version": found.version,
        "training": record.training.model_copy(update=training),
        "environment": found.environment or record.environment,
        "tokenizer": _known(record.tokenizer, weights.tokenizer),
        "prompts": found.prompts,
        "checkpoint": now.model_copy(update=kept),
    }
    return record.model_copy(update=changes)


def same_weights(one: Sequence[CheckpointFile], other: Sequence[CheckpointFile]) -> bool:
    """Say whether two checkpoints have the same weights, whatever else lies beside them."""
    return _weights(one) == _weights(other)


def _known(before: TokenizerPapers | None, now: TokenizerPapers | None) -> TokenizerPapers | None:
    """The files do not say which library wrote them; papers written when they were saved do."""
    if before is None or now is None or before.digest != now.digest:
        return now
    return now.model_copy(update={"version": now.version or before.version, "kind": now.kind or before.kind})


def _said(said: Said, names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(said, name)) not in (None, ())}


def _weights(files: Sequence[CheckpointFile]) -> set[tuple[str, str]]:
    return {(file.path, file.sha256) for file in files if is_weights(file.path)}


def _format(files: Sequence[CheckpointFile]) -> Any:
    """A format is what would be loaded: safetensors come first, as transformers has it."""
    names = [file.path for file in files]
    endings = {".safetensors": "safetensors", ".gguf": "gguf"}
    return next((kind for end, kind in endings.items() if any(name.endswith(end) for name in names)), "pickle")
