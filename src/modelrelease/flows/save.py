"""Saving a model as a version: its checkpoint and its papers, both or neither."""

from __future__ import annotations

import math
import operator
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.config import find_project
from modelrelease.errors import Finding, InvalidInput, Unavailable, escape_controls, invalid
from modelrelease.flows.papers import (
    WorkTree,
    find_work_tree,
    log_files,
    prompts_in_use,
    require_parent,
    shown_path,
    training_sets,
)
from modelrelease.flows.version_folder import opened, put, refuse_released, staged
from modelrelease.machine import describe_machine
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import read_checkpoint, tokenizer_class
from modelrelease.records.files import resolved
from modelrelease.records.model import ModelRecord, PromptInUse, SavedBy, read_model_record
from modelrelease.release.commands import command_text
from modelrelease.release.papers import Found, Said, Weights, amended, describe_weights, new_record
from modelrelease.release.versions import version_key

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Saving:
    """What is to be saved. ``write`` puts the checkpoint into a folder it is given; ``files`` go beside model.json."""

    said: Said
    saved_by: SavedBy
    tree: WorkTree
    write: Callable[[Path], object]
    files: Mapping[str, bytes] = field(default_factory=dict)


def save_checkpoint(
    model: Any,
    tokenizer: Any,
    folder: PathLike,
    *,
    command: str | None = None,
    seed: int | None = None,
    parent: PathLike | None = None,
    datasets: PathLike | Iterable[PathLike] = (),
    logs: PathLike | Iterable[PathLike] = (),
    steps: int | None = None,
    epochs: float | None = None,
    final_loss: float | None = None,
    config: Mapping[str, Any] | None = None,
    base_model: str | None = None,
    license: str | None = None,  # noqa: A002
) -> ModelRecord:
    """Save a model with its papers as the version ``folder`` (``models/model_v1.1``) and return the papers.

    ``model`` and ``tokenizer`` have ``save_pretrained``, as those of transformers; a tokenizer of None is recorded as
    absent. ``checkpoint/`` and model.json in ``folder`` are replaced, both or neither: a process that is killed leaves
    the old or the new ones, and what lies about is cleared away by the next save. From one process only: in a
    distributed training call it on rank zero.

    ``command`` defaults to this process' own command line; secrets in it are masked. ``parent`` is the version that
    this one was made from, its name or its folder. ``datasets`` and ``logs`` are paths; their digests are recorded.
    ``config`` holds the training's settings as plain values: the digest of its canonical JSON is recorded. What is
    not said is null, never guessed.

    Raises InvalidInput (MR209, MR401, MR411, MR601) where an argument or the model cannot be saved so, Refused (MR410)
    where the folder holds an eval.json, Unavailable (MR603) where the disk refuses; nothing has changed then.
    """
    place = Path(folder)
    refuse_released(place)
    tree = find_work_tree(place, Path.cwd())
    said = Said(
        command=command or own_command(),
        seed=None if seed is None else operator.index(seed),
        config_digest=settings_digest(config),
        datasets=training_sets(tree, datasets),
        logs=log_files(tree, logs),
        steps=steps,
        epochs=epochs,
        final_loss=None if final_loss is None else float(final_loss),
        parent=require_parent(place, parent),
        base_model=base_model,
        license=license,
    )
    return save_version(place, Saving(checked(said), "save", tree, lambda new: write_pretrained(model, tokenizer, new)))


def save_version(folder: Path, saving: Saving) -> ModelRecord:
    """Write a checkpoint and its papers into a version folder, both or neither; return the papers."""
    refuse_released(folder)
    found = found_here(folder, saving.tree)
    with opened(folder), staged(folder) as new:
        _write(saving, new, folder)
        record = new_record(saving.saved_by, found, _weights(new, shown_path(saving.tree, folder)), saving.said)
        put(folder, saving.files, record.to_bytes())
    return record


def update_papers(folder: Path, saving: Saving) -> ModelRecord:
    """Bring the papers of a version that this process has saved up to date; its checkpoint stays as it is."""
    with opened(folder), staged(folder):
        before = read_model_record(folder)
        found = found_here(folder, saving.tree)
        record = amended(before, found, Weights(before.checkpoint, before.tokenizer), saving.said)
        put(folder, saving.files, record.to_bytes())
    return record


def found_here(folder: Path, tree: WorkTree) -> Found:
    """Return what papers say of here and now."""
    name = resolved(folder).name
    return Found(
        version=name if version_key(name) else None,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        git=tree.state,
        environment=describe_machine(),
        prompts=_prompts(folder),
    )


def write_pretrained(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write model and tokenizer into ``folder``; InvalidInput (MR601, MR401) where they are not made for it."""
    for what, thing in (("model", model), ("tokenizer", tokenizer)):
        if thing is not None and not hasattr(thing, "save_pretrained"):
            todo = "pass the model itself (`model.module` of a wrapped one), as transformers makes it"
            raise invalid(what, Code.USAGE, f"a {type(thing).__name__} has no `save_pretrained`", todo)
    model.save_pretrained(folder)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    refuse_adapter(folder)


def refuse_adapter(folder: Path) -> None:
    """Raise InvalidInput (MR401) where an adapter was saved: it is no model, and is not scored as one."""
    if (folder / "adapter_config.json").exists():
        todo = "merge it into its model (`merge_and_unload`) and save that"
        raise invalid("model", Code.CHECKPOINT, "is an adapter without its model", todo)


def own_command() -> str:
    """Return the command line that this process was started with, its interpreter as ``python``."""
    return command_text(sys.orig_argv or ["python", *sys.argv])


def checked(said: Said) -> Said:
    """Return ``said``; InvalidInput (MR601) where a value is none that papers can hold."""
    for name, value in (("steps", said.steps), ("seed", said.seed)):
        if value is not None and (type(value) is not int or (name == "steps" and value < 0)):
            raise invalid(name, Code.USAGE, f"is {value!r}", "give a whole number")
    for name, number in (("epochs", said.epochs), ("final_loss", said.final_loss)):
        if number is not None and not (math.isfinite(number) and (name != "epochs" or number >= 0)):
            raise invalid(name, Code.USAGE, f"is {number!r}", "give a finite number, or leave it out")
    for name, text in (("base_model", said.base_model), ("license", said.license), ("command", said.command)):
        if text is not None and not (isinstance(text, str) and text.strip()):
            raise invalid(name, Code.USAGE, "is no text, or an empty one", "leave it out where it is not known")
    return said


def _write(saving: Saving, new: Path, folder: Path) -> None:
    try:
        saving.write(new)
    except OSError as error:
        message = f"the checkpoint cannot be written: {error.strerror or error}"
        todo = "free the disk, or save elsewhere"
        raise Unavailable(Finding(escape_controls(str(folder)), Code.UNAVAILABLE, message, todo)) from error


def settings_digest(config: Mapping[str, Any] | None) -> str | None:
    """Return the digest of a training's settings; InvalidInput (MR601) where JSON has no such values."""
    try:
        return digest_of(config) if config is not None else None
    except (TypeError, ValueError) as error:
        todo = "give texts, finite numbers, booleans, lists and dicts of them"
        raise invalid("config", Code.USAGE, f"cannot be written as JSON: {error}", todo) from error


def _weights(checkpoint: Path, shown: str) -> Weights:
    """The tokenizer that is being saved is written by the library that is installed here."""
    library = None
    if (checkpoint / "tokenizer.json").exists():
        try:
            library = metadata.version("tokenizers")
        except metadata.PackageNotFoundError:
            library = None
    found = read_checkpoint(checkpoint, shown, tokenizer=False)
    return describe_weights(found, tokenizer_class(checkpoint), library)


def _prompts(folder: Path) -> tuple[PromptInUse, ...]:
    """A suite that cannot be read is told of, and is no reason to lose what was trained."""
    for start in (folder, Path.cwd()):
        try:
            project = find_project(start)
            if project.config is not None:
                return prompts_in_use(project)
        except InvalidInput as error:
            told = f"model.json names no prompts, since the suite cannot be read: {error.lines()[0]}"
            warnings.warn(escape_controls(told), stacklevel=4)
            return ()
    return ()
