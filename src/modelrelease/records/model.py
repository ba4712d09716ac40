"""model.json: a checkpoint's papers, written when it is saved. What nobody knew then is null, never a guess."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from modelrelease.records.base import Document, Part, Sha256
from modelrelease.records.evaluation import CheckpointFile, Tool
from modelrelease.records.strict_json import read_json_file
from modelrelease.records.validation import validate

MODEL_FILE = "model.json"
TRAINER_STATE = "trainer_state.json"
"""A Trainer's own state, with its log; kept beside model.json where there was a Trainer."""

SavedBy = Literal["save", "trainer", "record"]
"""``save`` by save_checkpoint, ``trainer`` by the callback, ``record`` afterwards, for a checkpoint from elsewhere."""


class GitState(Part):
    """The work tree when the checkpoint was saved, or when its Trainer began.

    ``remote`` is origin's address without credentials.
    """

    sha: str | None
    dirty: bool | None
    branch: str | None
    remote: str | None


class TrainingSet(Part):
    """What was trained on. ``digest`` is a dataset's where it is one of up to 64 MB, a file's else, a folder's list's.

    ``git_sha`` is the commit that was checked out, where it has the file, or all of the folder, just so.
    """

    path: str
    digest: Sha256
    git_sha: str | None


class LogFile(Part):
    """A log, or a Trainer's state; ``path`` is relative to the repository."""

    path: str
    sha256: Sha256


class Training(Part):
    """How the weights were made, as far as it was said or a Trainer knew."""

    command: str | None = None
    seed: int | None = None
    config_digest: Sha256 | None = None
    datasets: tuple[TrainingSet, ...] = ()
    logs: tuple[LogFile, ...] = ()
    steps: int | None = Field(default=None, ge=0)
    epochs: float | None = Field(default=None, ge=0)
    final_loss: float | None = None


class Gpu(Part):
    """``memory`` in bytes."""

    name: str
    memory: int | None = Field(ge=0)


class Machine(Part):
    """Where the weights were made. ``memory`` in bytes; ``packages`` by name, those that training can depend on."""

    python: str
    packages: dict[str, str]
    cuda: str | None
    driver: str | None
    gpus: tuple[Gpu, ...]
    cpu: str
    cores: int | None = Field(ge=1)
    memory: int | None = Field(ge=0)
    machine: str
    os: str


class TokenizerPapers(Part):
    """``kind`` is the tokenizer's class; ``version`` that of the tokenizers library that wrote it, where known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    kind: str | None = Field(alias="class")
    version: str | None
    digest: Sha256
    chat_template_digest: Sha256 | None


class PromptInUse(Part):
    """A prompt that the suite asks with: the prompt schema in use."""

    path: str
    digest: Sha256


class ConvertedFrom(Part):
    """What the weights were before `record --convert` made safetensors of them."""

    digest: Sha256
    files: tuple[CheckpointFile, ...]


class SavedCheckpoint(Part):
    """The weights, by content. ``digest`` is that of ``files``, all below ``checkpoint/`` (records.md, Digests).

    ``source`` says where they lie when they are not in the version folder (``hf://org/name@commit``, ``file://…``);
    ``same_as`` names the version whose checkpoint this one shares: a prompt-only version.
    """

    format: Literal["safetensors", "gguf", "pickle"]
    digest: Sha256
    files: tuple[CheckpointFile, ...] = Field(min_length=1)
    source: str | None = None
    same_as: str | None = None
    converted_from: ConvertedFrom | None = None


class ModelRecord(Document):
    """model.json. ``version`` and ``parent`` are names of version folders; ``created`` in UTC.

    ``environment`` is None where the checkpoint was trained elsewhere, ``tokenizer`` where it has none.
    """

    schema_version: Literal[1] = 1
    tool: Tool
    saved_by: SavedBy
    version: str | None
    parent: str | None
    created: str
    git: GitState | None
    training: Training
    environment: Machine | None
    tokenizer: TokenizerPapers | None
    prompts: tuple[PromptInUse, ...]
    checkpoint: SavedCheckpoint
    base_model: str | None
    license: str | None


def read_model_record(path: Path) -> ModelRecord:
    """Read a model.json, or the one in a folder; InvalidInput (MR2xx) where there is none or it is malformed."""
    return validate(ModelRecord, read_json_file(path / MODEL_FILE if path.is_dir() else path))
