"""Pickled weights to safetensors, in place: the way out for a checkpoint that cannot be published as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, invalid
from modelrelease.records.canonical import canonical_bytes
from modelrelease.records.checkpoint_policy.judge import judge, refuse
from modelrelease.records.checkpoints import (
    CHECKPOINT_FOLDER,
    checkpoint_paths,
    contents_of,
    files_digest,
    find_checkpoint,
    hash_files,
)
from modelrelease.records.files import resolved
from modelrelease.records.folders import recover, staged_copy
from modelrelease.records.model import ConvertedFrom
from modelrelease.records.pickled import pickle_kind
from modelrelease.records.pickles import HEAD
from modelrelease.records.safetensors_header import read_header
from modelrelease.records.stamps import Stamps, differing, take_stamps
from modelrelease.records.strict_json import read_json
from modelrelease.records.validation import validate

SINGLE, INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
NEW_INDEX = "model.safetensors.index.json"
ORIGIN = "modelrelease.converted_from"
"""The key of each new file's own metadata under which the old files stand, so that a kill loses nothing of them."""


def convert_checkpoint(model: Path, shown: str) -> ConvertedFrom | None:
    """Make safetensors of a checkpoint's pickled weights; return what the checkpoint was before, None if no pickle.

    ``model``: a version folder or a checkpoint folder; ``shown``: how people name it. The pickles are read with
    `weights_only=True`, each tensor is written byte for byte, and the folder is replaced at once: killed at any point
    it is the old one or the new one. Called again on a converted checkpoint, it says again what that was before.

    Raises Refused (MR404) for a pickle that holds more than tensors; InvalidInput where there is no checkpoint (MR401),
    a file is damaged (MR405) or no safetensors can be made of it (MR419); Unavailable where torch or the disk is.
    Nothing is written then.
    """
    for place in (model / CHECKPOINT_FOLDER, model):
        recover(place)
    folder = resolved(find_checkpoint(model, shown))
    paths = checkpoint_paths(folder)
    stamps = take_stamps(folder, list(paths))
    refuse(judge(contents_of(paths), "loadable").findings)
    shards = _pickled(paths)
    if not shards:
        return converted_from(paths)
    files = hash_files(paths)
    before = ConvertedFrom(digest=files_digest(files), files=files)
    with staged_copy(folder, frozenset({*shards, INDEX})) as staged:
        _write(paths, shards, staged, before)
        refuse(judge(contents_of(checkpoint_paths(staged)), "loadable").findings)
        _refuse_changed(folder, stamps, shards)
    return before


def converted_from(paths: dict[str, Path]) -> ConvertedFrom | None:
    """Return what a checkpoint was before it was converted, as its weights say; None where they say nothing of it."""
    for name, path in paths.items():
        if name.endswith(".safetensors"):
            with path.open("rb") as stream:
                text = read_header(stream, path.stat().st_size, path).metadata.get(ORIGIN)
            if text is not None:
                found = validate(ConvertedFrom, read_json(text, str(path)))
                return found if files_digest(found.files) == found.digest else None
    return None


def _pickled(paths: dict[str, Path]) -> dict[str, str]:
    """Return the pickled weights that transformers would read: old name → new name; empty where there are none."""
    old = _old_names(paths)
    loaded = [name for name in paths if name.endswith(".safetensors")]
    if old and loaded:
        message = f"lies beside {loaded[0]}, which is what is loaded"
        raise _cannot(paths[old[0]], message, "remove the one or the other")
    others = [name for name, path in paths.items() if name not in old and _is_pickle(path)]
    if others:
        message = f"is a pickle that nothing reads: weights are {SINGLE}, or what {INDEX} names"
        raise _cannot(paths[others[0]], message, "remove it from the checkpoint, or give it that name")
    new = {name: f"{name.removeprefix('pytorch_').removesuffix('.bin')}.safetensors" for name in old}
    if len(set(new.values())) < len(new):
        raise _cannot(paths[INDEX], "names shards that differ in their endings alone", "save the model again")
    return new


def _old_names(paths: dict[str, Path]) -> list[str]:
    if INDEX not in paths:
        return [name for name in (SINGLE,) if name in paths]
    if SINGLE in paths:
        raise _cannot(paths[SINGLE], f"lies beside {INDEX}", "remove the one or the other")
    return sorted(set(json.loads(paths[INDEX].read_bytes())["weight_map"].values()))


def _is_pickle(path: Path) -> bool:
    with path.open("rb") as stream:
        return pickle_kind(stream.read(HEAD)) is not None


def _write(paths: dict[str, Path], shards: dict[str, str], staged: Path, before: ConvertedFrom) -> None:
    """Write the new weights, one shard in memory at a time, and their index where there was one."""
    from modelrelease.scoring.engines import pickled_weights
    from modelrelease.scoring.engines.loading import import_torch

    torch = import_torch()
    pickled_weights.refuse_old_torch(torch)
    is_tied = pickled_weights.tied_names(staged)
    origin = canonical_bytes(before.model_dump(mode="json")).decode("utf-8")
    homes: dict[str, str] = {}
    size = 0
    for old, new in shards.items():
        shown = str(paths[old])
        tensors, left_out = pickled_weights.untie(pickled_weights.read_pickled(torch, paths[old], shown), is_tied)
        metadata = {**left_out, "format": "pt", ORIGIN: origin}
        twice = sorted(set(homes).intersection(tensors))
        if twice:
            raise _cannot(paths[old], f"holds {twice[0]!r}, and so does another shard", "save the model again")
        pickled_weights.write_safetensors(torch, tensors, staged / new, metadata, shown)
        homes |= dict.fromkeys(tensors, new)
        size += sum(tensor.nbytes for tensor in tensors.values())
    if INDEX in paths:
        _write_index(staged / NEW_INDEX, homes, size)


def _write_index(path: Path, homes: dict[str, str], size: int) -> None:
    index: dict[str, Any] = {"metadata": {"total_size": size}, "weight_map": dict(sorted(homes.items()))}
    path.write_text(json.dumps(index, indent=2) + "\n", "utf-8")


def _refuse_changed(folder: Path, before: Stamps, shards: dict[str, str]) -> None:
    """Raise Refused (MR418) where a file is not the one that was hashed; linking one only gives it a new ctime."""
    now = take_stamps(folder, list(before))
    old, new = (
        {name: stamp[: None if name in shards else 4] for name, stamp in side.items()} for side in (before, now)
    )
    for name in differing(old, new):
        message, todo = "changed while the checkpoint was converted", "leave it alone meanwhile, and start again"
        raise Refused(Finding(str(folder / name), Code.CHANGED_MEANWHILE, message, todo))


def _cannot(path: Path, message: str, todo: str) -> InvalidInput:
    return invalid(path, Code.NOT_CONVERTED, message, todo)
