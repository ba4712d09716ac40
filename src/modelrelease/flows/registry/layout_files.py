"""A version's checkpoint, file by file, against what model.json lists."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.registry.version_files import Files
from modelrelease.git import trees
from modelrelease.numbers import show_count
from modelrelease.records.addresses import is_plain_path
from modelrelease.records.checkpoints import CARD, CHECKPOINT_FOLDER, files_digest
from modelrelease.records.evaluation import CheckpointFile
from modelrelease.records.located import Located
from modelrelease.records.model import MODEL_FILE, ModelRecord
from modelrelease.records.strict_json import read_document
from modelrelease.records.training_state import is_training_state, training_state
from modelrelease.records.validation import validate


def check_files(
    new: Files, old: tuple[Files, ...], folder: str, located: Located, record: ModelRecord
) -> Iterator[Finding]:
    """Yield what of a checkpoint is missing, not listed, or another file; and a list that is not its digest's.

    A file that is as before and listed as before was looked at when it came, and is not read again.
    """
    yield from _check_list(folder, located, record)
    place = f"{folder}/{CHECKPOINT_FOLDER}/"
    here = {path: entry for path, entry in new.below(folder).items() if path.startswith(place)}
    here.pop(f"{place}{CARD}", None)
    saved = record.checkpoint
    if not here:
        if saved.source is None and saved.same_as is None:
            todo = (
                "add the files, or let `checkpoint.source` say where they lie, or `checkpoint.same_as` whose they are"
            )
            yield Finding(folder, Code.NO_WEIGHTS, "has neither weights nor their address", todo)
        return
    listed = {f"{place}{file.path}": file for file in saved.files}
    again = f"run `modelrelease record {folder}` again if it belongs to the checkpoint"
    for path in sorted({*listed, *here}):
        if path not in here:
            yield Finding(path, Code.CHECKPOINT_FILES, "is missing, and model.json lists it", f"add it, or {again}")
        elif here[path].mode in (trees.LINK, trees.SUBMODULE):
            yield Finding(path, Code.CHECKPOINT_FILES, "is no regular file", "put the file itself there")
        elif path not in listed and is_training_state(path.removeprefix(place)):
            yield training_state(path)  # recording again would leave it out again
        elif path not in listed:
            yield Finding(path, Code.CHECKPOINT_FILES, "is not in model.json", f"take it out, or {again}")
    regular = [path for path in listed if path in here and here[path].mode not in (trees.LINK, trees.SUBMODULE)]
    known = set().union(*(_known(side, folder, new, listed) for side in old))
    for path, found in new.describe([path for path in regular if path not in known]).items():
        yield from _compare(path, listed[path], found, folder)


def _compare(path: str, listed: CheckpointFile, found: CheckpointFile, folder: str) -> Iterator[Finding]:
    todo = f"put back what was recorded, or run `modelrelease record {folder}` again"
    if found.size != listed.size:
        message = f"has {show_count(found.size)} bytes, and model.json says {show_count(listed.size)}"
        yield Finding(path, Code.CHECKPOINT_FILES, message, todo)
    elif found.sha256 != listed.sha256:
        message = f"has the sha256 {found.sha256[:12]}…, and model.json says {listed.sha256[:12]}…"
        yield Finding(path, Code.CHECKPOINT_FILES, message, todo)


def _check_list(folder: str, located: Located, record: ModelRecord) -> Iterator[Finding]:
    files = record.checkpoint.files
    line = located.line_of(("checkpoint", "files"))
    todo = f"run `modelrelease record {folder}` again; nobody edits the list by hand"
    bad = next((file.path for file in files if not is_plain_path(file.path)), None)
    if bad is not None:
        message = f"lists {bad!r}, which is no place in a checkpoint"
        yield Finding(located.path, Code.CHECKPOINT_FILES, message, todo, line)
    elif len({file.path for file in files}) != len(files):
        yield Finding(located.path, Code.CHECKPOINT_FILES, "lists a file twice", todo, line)
    elif files_digest(files) != record.checkpoint.digest:
        message, line = "`checkpoint.digest` is not that of the files", located.line_of(("checkpoint", "digest"))
        yield Finding(located.path, Code.CHECKPOINT_FILES, message, todo, line)


def _known(side: Files, folder: str, new: Files, listed: dict[str, CheckpointFile]) -> set[str]:
    """Return the files that an earlier side has with the same content, and lists in the same words."""
    path = f"{folder}/{MODEL_FILE}"
    try:
        data = side.document(path)
        before = validate(ModelRecord, read_document(data, path)) if data is not None else None
    except InvalidInput:
        return set()
    if before is None:
        return set()
    words = {f"{folder}/{CHECKPOINT_FOLDER}/{file.path}": file for file in before.checkpoint.files}
    was, now = side.below(folder), new.below(folder)
    return {name for name in listed if words.get(name) == listed[name] and name in was and was[name] == now.get(name)}
