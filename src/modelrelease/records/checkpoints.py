"""A checkpoint folder as data: its files, its digests, and whether its weights are safe to read.

Nothing here unpickles, imports or runs anything from the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, invalid
from modelrelease.records.canonical import digest_of
from modelrelease.records.evaluation import VERSION_PREFIX, CheckpointFile
from modelrelease.records.files import resolved, sha256_of
from modelrelease.records.safetensors_header import check_header

CHECKPOINT_FOLDER = "checkpoint"
CARD = "README.md"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
_LFS_POINTER = re.compile(LFS_POINTER + rb"\n(?:ext-.*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?\Z")
# What transformers' from_pretrained reads to build a tokenizer; any change can change every score.
TOKENIZER_FILES = frozenset(
    {
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
        "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json",
    }
)  # fmt: skip
_TEMPLATE_FILES = ("chat_template.jinja", "chat_template.json")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf")
_CLASS = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
# What transformers' Trainer leaves beside the weights to go on from (optimizer, schedule, random states, its own
# settings): pickles that nobody scores with. Sources: TRAINER_STATE_NAME and the like in transformers/trainer.py and
# trainer_utils.py, OPTIMIZER_NAME and SCALER_NAME in accelerate's utils/constants.py.
_LEFTOVER = re.compile(
    r"training_args\.bin|trainer_state\.json|optimizer\.(?:pt|bin)|scheduler\.pt|scaler\.pt|rng_state(?:_\d+)?\.pth",
    re.ASCII,
)
# A pickle starts with PROTO (protocol 2 and up); torch.save writes a zip that holds one.
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder that was looked through: what it holds, by content.

    ``tensors``: how many the weights have, None where their headers do not tell. ``tokenizer_digest`` is that of no
    files where it has no tokenizer. ``leftovers`` are a Trainer's, which are there and no part of it. ``look`` is what
    the file system said of its files before they were read.
    """

    folder: Path
    version: str | None
    source: str
    files: tuple[CheckpointFile, ...]
    digest: str
    tokenizer_digest: str
    chat_template_digest: str | None
    tensors: int | None
    leftovers: tuple[str, ...] = ()
    look: tuple[tuple[str, int, int, int, int], ...] = ()

    @property
    def has_tokenizer(self) -> bool:
        """Whether it has files of a tokenizer."""
        return any(_of_tokenizer(file.path) for file in self.files)


def in_digest(path: str) -> bool:
    """Say whether a file below ``checkpoint/`` is part of the checkpoint: its digest, and what is published.

    ``path`` is relative to it. The card is written later, and what a Trainer leaves beside the weights is no part of
    them; both only where they are known to stand, at the top.
    """
    return path != CARD and not is_leftover(path)


def is_leftover(path: str) -> bool:
    """Say whether a file below ``checkpoint/`` is what a Trainer leaves beside the weights."""
    return _LEFTOVER.fullmatch(path) is not None


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


def read_checkpoint(model: Path, shown: str, *, tokenizer: bool = True) -> Checkpoint:
    """Look through a checkpoint: list and hash its files, refuse what is damaged or unsafe.

    ``shown`` is how the model is named to people; ``tokenizer``: whether it must have one, as scoring needs. Raises
    InvalidInput for malformed files (exit 2) and Refused for weights that are pickles in disguise (exit 1).
    """
    folder = find_checkpoint(model, shown)
    found = _by_name(folder)
    look = _look(found)
    paths = [found[name] for name in sorted(found) if in_digest(name)]
    tensors = _refuse_unreadable(folder, paths, shown, tokenizer)
    name = resolved(model).name
    files = tuple(
        CheckpointFile(path=path.relative_to(folder).as_posix(), size=path.stat().st_size, sha256=sha256_of(path))
        for path in paths
    )
    of_tokenizer = [file for file in files if _of_tokenizer(file.path) or file.path in _TEMPLATE_FILES]
    return Checkpoint(
        folder=folder,
        version=name if name.startswith(VERSION_PREFIX) else None,
        source=shown,
        files=files,
        digest=files_digest(files),
        tokenizer_digest=files_digest(of_tokenizer),
        chat_template_digest=_template_digest(folder),
        tensors=tensors,
        leftovers=tuple(sorted(filter(is_leftover, found))),
        look=look,
    )


def has_changed(checkpoint: Checkpoint) -> bool:
    """Say whether the checkpoint's folder is not as it was when it was read: files added, removed or written."""
    return _look(_by_name(checkpoint.folder)) != checkpoint.look


def _by_name(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in _regular_files(folder)}


def _look(found: dict[str, Path]) -> tuple[tuple[str, int, int, int, int], ...]:
    """What tells a file from another of its name; the time of its last change is the system's, and cannot be set."""
    stats = [(name, found[name].stat()) for name in sorted(found) if in_digest(name)]
    return tuple((name, of.st_size, of.st_mtime_ns, of.st_ino, of.st_ctime_ns) for name, of in stats)


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
        for name in sorted(names):
            path = Path(parent) / name
            if not name.isprintable():  # also what is not UTF-8, which no record can hold
                raise invalid(path, Code.CHECKPOINT, "has a name that is no plain text", "rename or remove it")
            if path.is_symlink() and not resolved(path).is_relative_to(home) and not _hub_cache(home, path):
                todo = "copy the file into the checkpoint"
                raise invalid(path, Code.CHECKPOINT, "is a link that leads out of the checkpoint", todo)
            if not path.is_file():
                raise invalid(path, Code.CHECKPOINT, "is no regular file", "remove it from the checkpoint")
            yield path


def _hub_cache(home: Path, path: Path) -> bool:
    """The Hub client's cache keeps snapshots/<commit>/file as links to blobs/ beside snapshots/."""
    return home.parent.name == "snapshots" and resolved(path).parent == home.parent.parent / "blobs"


def _of_tokenizer(path: str) -> bool:
    return path.rpartition("/")[2] in TOKENIZER_FILES


def _refuse_unreadable(folder: Path, paths: list[Path], shown: str, tokenizer: bool) -> int | None:
    """Refuse what cannot or must not be read; return how many tensors the weights have, as far as headers tell."""
    if tokenizer and not any(_of_tokenizer(path.relative_to(folder).as_posix()) for path in paths):
        todo = "save it with the weights: tokenizer.save_pretrained(folder)"
        raise invalid(shown, Code.TOKENIZER, "has no tokenizer (no tokenizer.json or the like)", todo)
    weights = [path for path in paths if is_weights(path.name)]
    if not weights:
        raise invalid(shown, Code.CHECKPOINT, "has no weights", "add model.safetensors")
    counts = [check_weights(path) for path in weights]
    return sum(count for count in counts if count is not None) if None not in counts else None


def is_weights(path: str) -> bool:
    """Say whether a file holds weights, by its name."""
    return path.endswith(_WEIGHTS)


def check_weights(path: Path) -> int | None:
    """Refuse a weights file that is an LFS pointer (MR403), a disguised pickle (MR404) or damaged (MR405).

    Returns how many tensors it has, None where only loading would tell.
    """
    with path.open("rb") as stream:
        start = stream.read(len(LFS_POINTER))
    if start == LFS_POINTER:
        raise invalid(path, Code.LFS_POINTER, "is a Git LFS pointer, not the weights", "run `git lfs pull`")
    if path.suffix == ".safetensors":
        if start.startswith(_PICKLE_STARTS):
            todo = "save the weights with safetensors; renaming a pickle does not make it safe"
            raise Refused(Finding(str(path), Code.UNSAFE_WEIGHTS, "is a pickle under a safetensors name", todo))
        return check_header(path)
    return None


def _read_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
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
