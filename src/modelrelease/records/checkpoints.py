"""A checkpoint folder as data: its files, its digests, and whether its weights are safe to read.

Nothing here unpickles, imports or runs anything from the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, invalid
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoint_policy.files import Content, content_of_file
from modelrelease.records.checkpoint_policy.judge import LFS_POINTER, WEIGHTS, judge, refuse
from modelrelease.records.evaluation import VERSION_PREFIX, CheckpointFile
from modelrelease.records.files import read_bytes, resolved, sha256_of
from modelrelease.records.hash_memory import HashMemory
from modelrelease.records.hashing import hash_files as hash_all
from modelrelease.records.stamps import Stamps, differing, take_stamps
from modelrelease.records.strict_json import MAX_DOCUMENT
from modelrelease.records.training_state import is_training_state

__all__ = ["is_training_state"]  # offered from here too, where all else about checkpoints is

CHECKPOINT_FOLDER = "checkpoint"
CARD = "README.md"
_LFS_POINTER = re.compile(LFS_POINTER + rb"\n(?:ext-.*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?\Z")
# What transformers' from_pretrained reads to build a tokenizer; any change can change every score.
TOKENIZER_FILES = frozenset(
    {
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
        "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json",
    }
)  # fmt: skip
_TEMPLATE_FILES = ("chat_template.jinja", "chat_template.json")
_CLASS = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder that was looked through: what it holds, by content.

    ``tensors``: how many the weights have, None where their headers do not tell. ``stamps``: what its files were on
    disk while they were hashed, for :func:`refuse_changed`. ``tokenizer_digest`` is that of no files where it has no
    tokenizer. ``leftovers`` are a Trainer's, which are there and no part of it.
    """

    folder: Path
    version: str | None
    source: str
    files: tuple[CheckpointFile, ...]
    digest: str
    tokenizer_digest: str
    chat_template_digest: str | None
    tensors: int | None
    stamps: Stamps = field(compare=False)
    leftovers: tuple[str, ...] = ()

    @property
    def has_tokenizer(self) -> bool:
        """Whether it has files of a tokenizer."""
        return any(_of_tokenizer(file.path) for file in self.files)


def in_digest(path: str) -> bool:
    """Say whether a file below ``checkpoint/``, named relative to it, is part of the checkpoint and so published.

    The card is written later, and what a Trainer leaves beside the weights is no part of them.
    """
    return path != CARD and not is_training_state(path)


def find_checkpoint(model: Path, shown: str) -> Path:
    """Return the checkpoint folder of ``model``: a version folder's ``checkpoint/`` or the folder itself.

    Raises InvalidInput (MR401) where there is neither.
    """
    for folder in (model / CHECKPOINT_FOLDER, model):
        if (folder / "config.json").is_file():
            return folder
    if not model.is_dir():
        raise invalid(shown, Code.CHECKPOINT, "is no folder", "name a version folder or a checkpoint folder")
    todo = "name a folder with config.json, weights and a tokenizer, as transformers' save_pretrained writes it"
    raise invalid(shown, Code.CHECKPOINT, "holds neither config.json nor checkpoint/config.json", todo)


def read_checkpoint(model: Path, shown: str, memory: HashMemory | None = None, *, tokenizer: bool = True) -> Checkpoint:
    """Look through a checkpoint: list and hash its files, refuse what is damaged or unsafe to load.

    ``shown`` is how the model is named to people; ``tokenizer``: whether it must have one, as scoring needs. Without
    ``memory`` every byte is read again. What a Trainer leaves (:func:`is_training_state`) is left out. Raises
    InvalidInput for malformed files (exit 2); Refused for weights that are pickles in disguise, and where a file
    changes meanwhile (exit 1).
    """
    folder = find_checkpoint(model, shown)
    everything = all_files(folder)
    paths = {name: path for name, path in everything.items() if not is_training_state(name)}
    stamps = take_stamps(folder, _stamped(paths))
    tensors = _refuse_unreadable(paths, shown, tokenizer)
    files = hash_files(paths, memory)
    of_tokenizer = [file for file in files if _of_tokenizer(file.path) or file.path in _TEMPLATE_FILES]
    name = resolved(model).name
    checkpoint = Checkpoint(
        folder=folder,
        version=name if name.startswith(VERSION_PREFIX) else None,
        source=shown,
        files=files,
        digest=files_digest(files),
        tokenizer_digest=files_digest(of_tokenizer),
        chat_template_digest=_template_digest(folder),
        tensors=tensors,
        stamps=stamps,
        leftovers=tuple(sorted(everything.keys() - paths.keys())),
    )
    refuse_changed(checkpoint)
    return checkpoint


def refuse_changed(checkpoint: Checkpoint) -> None:
    """Raise Refused (MR418) where a file of a checkpoint is not the one that was hashed: called after it was loaded.

    Libraries open files by name: between digest and use another file can take its place. The card may change.
    """
    now = take_stamps(checkpoint.folder, _stamped(checkpoint_paths(checkpoint.folder)))
    for name in differing(checkpoint.stamps, now):
        message = "changed while the checkpoint was in use, so its digest is not that of what was loaded"
        todo = "leave the checkpoint alone while it is read, and start again"
        raise Refused(Finding(str(checkpoint.folder / name), Code.CHANGED_MEANWHILE, message, todo))


def all_files(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by their relative names, in order.

    Raises InvalidInput (MR401) for a link that leads out of it, a name that is no plain text, and what is no file.
    """
    found = {path.relative_to(folder).as_posix(): path for path in _regular_files(folder)}
    return {name: found[name] for name in sorted(found)}


def checkpoint_paths(folder: Path) -> dict[str, Path]:
    """Return the files of a checkpoint as :func:`all_files` does, without what a Trainer leaves."""
    return {name: path for name, path in all_files(folder).items() if not is_training_state(name)}


def hash_files(paths: dict[str, Path], memory: HashMemory | None = None) -> tuple[CheckpointFile, ...]:
    """Return what a digest is of: each file's name, size and sha256; without the card."""
    own = {name: path for name, path in paths.items() if name != CARD}
    found = zip(own, hash_all(list(own.values()), memory), strict=True)
    return tuple(CheckpointFile(path=name, size=size, sha256=sha256) for name, (size, sha256) in found)


def contents_of(paths: dict[str, Path]) -> list[Content]:
    """Return the files as the checkpoint policy sees them."""
    return [content_of_file(path, name) for name, path in paths.items()]


def _stamped(paths: dict[str, Path]) -> list[str]:
    return [name for name in paths if name != CARD]


def files_digest(files: list[CheckpointFile] | tuple[CheckpointFile, ...]) -> str:
    """Return the digest of a canonical list of path, size and sha256 (records.md, Digests)."""
    return digest_of([file.model_dump(mode="json") for file in sorted(files, key=lambda file: file.path)])


def committed_file(path: str, data: bytes) -> CheckpointFile:
    """Return a checkpoint's file from what git keeps of it; a Git LFS pointer stands for the file that it names."""
    pointer = _LFS_POINTER.match(data)
    if pointer is None:
        return CheckpointFile(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return CheckpointFile(path=path, size=int(pointer[2]), sha256=pointer[1].decode("ascii"))


def _regular_files(folder: Path) -> Iterator[Path]:
    """Yield the files below ``folder``; a link out of it is refused, since it would not be published."""
    home = resolved(folder)
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in folders:
            if (Path(parent) / name).is_symlink():  # a loader follows it, and this walk does not
                todo = "put the folder itself there"
                raise invalid(Path(parent) / name, Code.CHECKPOINT, "is a link to a folder", todo)
        for name in sorted(names):
            _refuse_special(home, Path(parent) / name)
            yield Path(parent) / name


def _refuse_special(home: Path, path: Path) -> None:
    if not path.name.isprintable():  # also what is not UTF-8, which no record can hold
        raise invalid(path, Code.CHECKPOINT, "has a name that is no plain text", "rename or remove it")
    if path.is_symlink() and not resolved(path).is_relative_to(home) and not _hub_cache(home, path):
        todo = "copy the file into the checkpoint"
        raise invalid(path, Code.CHECKPOINT, "is a link that leads out of the checkpoint", todo)
    if not path.is_file():
        raise invalid(path, Code.CHECKPOINT, "is no regular file", "remove it from the checkpoint")


def _hub_cache(home: Path, path: Path) -> bool:
    """The Hub client's cache keeps snapshots/<commit>/file as links to blobs/ beside snapshots/."""
    return home.parent.name == "snapshots" and resolved(path).parent == home.parent.parent / "blobs"


def _of_tokenizer(path: str) -> bool:
    return path.rpartition("/")[2] in TOKENIZER_FILES


def _refuse_unreadable(paths: dict[str, Path], shown: str, tokenizer: bool) -> int | None:
    """Refuse what cannot or must not be read; return how many tensors the weights have, as far as headers tell."""
    if tokenizer and not any(_of_tokenizer(name) for name in paths):
        todo = "save it with the weights: tokenizer.save_pretrained(folder)"
        raise invalid(shown, Code.TOKENIZER, "has no tokenizer (no tokenizer.json or the like)", todo)
    weights = [name for name in paths if is_weights(name)]
    if not weights:
        raise invalid(shown, Code.CHECKPOINT, "has no weights", "add model.safetensors")
    judged = judge(contents_of(paths), "loadable")
    refuse(judged.findings)
    counts = [len(header.tensors) for header in judged.headers.values()]
    return sum(counts) if len(counts) == len(weights) else None


def is_weights(path: str) -> bool:
    """Say whether a file holds weights, by its name."""
    return path.endswith(WEIGHTS)


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_bytes(path, limit=MAX_DOCUMENT))
    except (ValueError, RecursionError) as error:
        raise invalid(path, Code.SYNTAX, f"is not JSON: {error}", "save the checkpoint again") from error
    if not isinstance(value, dict):
        raise InvalidInput(Finding(str(path), Code.INVALID_VALUE, "is no JSON object", "save the checkpoint again"))
    return value


def tokenizer_class(folder: Path) -> str | None:
    """Return the class that a checkpoint's tokenizer_config.json names, as text: it is not looked up, nor imported."""
    config = folder / "tokenizer_config.json"
    named = _read_object(config).get("tokenizer_class") if config.is_file() else None
    return named if isinstance(named, str) and _CLASS.fullmatch(named) else None


def _template_digest(folder: Path) -> str | None:
    for name in _TEMPLATE_FILES:
        if (folder / name).is_file():
            return sha256_of(folder / name)
    config = folder / "tokenizer_config.json"
    template = _read_object(config).get("chat_template") if config.is_file() else None
    try:
        return digest_of(template) if template is not None else None
    except ValueError as error:
        todo = "save the tokenizer again"
        raise invalid(config, Code.SYNTAX, "its chat template holds half of a surrogate pair", todo) from error
