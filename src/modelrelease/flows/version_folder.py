"""Replacing what stands in a version folder, whole: a reader never finds half a checkpoint under its name.

All of it is built in a folder beside the old, ``.tmp-modelrelease-save``, and flushed to the disk; model.json is
written there last. From that moment the save is decided: its pieces are moved to their places, the old checkpoint aside
first, and a run that is killed between two moves is finished by the next that opens the folder. What was killed before
that moment is thrown away by it, and the old version stands as it was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, Unavailable, escape_controls, invalid
from modelrelease.records.checkpoints import CHECKPOINT_FOLDER
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.files import write_atomic
from modelrelease.records.model import MODEL_FILE, TRAINER_STATE

STAGE = ".tmp-modelrelease-save"
BESIDE = (TRAINER_STATE,)
"""What may be put beside model.json with it."""

_ASIDE = "before"
_IGNORE = ".gitignore"


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[None]:
    """Have a version folder for this process alone, an interrupted save in it finished or thrown away.

    A folder that was not there is made, and taken away again where nothing came into it. Raises Unavailable (MR603)
    where another process has it, or the disk refuses.
    """
    shown = escape_controls(str(folder))
    made = not folder.exists()
    with _disk(shown):
        folder.mkdir(parents=True, exist_ok=True)
        handle = _handle(folder)
    try:
        _lock(handle, shown)
        with _disk(shown):
            _clear(folder)
        yield
    finally:
        if handle is not None:
            os.close(handle)
        if made:
            with contextlib.suppress(OSError):  # not empty, or somebody was quicker
                folder.rmdir()


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a place for a new ``checkpoint/``; it and all that is staged goes where the block ends without `put`."""
    stage = folder / STAGE
    with _disk(escape_controls(str(folder))):
        stage.mkdir()
        (stage / _IGNORE).write_bytes(b"*\n")
    try:
        yield stage / CHECKPOINT_FOLDER
    finally:
        if not (stage / MODEL_FILE).exists():  # else it is decided, and for the next to finish
            shutil.rmtree(stage, ignore_errors=True)


def put(folder: Path, files: Mapping[str, bytes], record: bytes) -> None:
    """Put what is staged, ``files`` (of ``BESIDE``) and ``record`` as model.json in place of what stands in the folder.

    Raises Unavailable (exit 3) where the disk refuses; the folder is then as it was, or the next save finishes it.
    """
    stage = folder / STAGE
    for name, data in files.items():
        write_atomic(stage / name, data)
    with _disk(escape_controls(str(folder))):
        if (stage / CHECKPOINT_FOLDER).exists():
            _flush(stage / CHECKPOINT_FOLDER)
        _flush_folder(stage)
    write_atomic(stage / MODEL_FILE, record)
    with _disk(escape_controls(str(folder))):
        _flush_folder(stage)
        _finish(folder)


def refuse_released(folder: Path) -> None:
    """Raise Refused (MR410) where the folder holds an eval.json: the record of weights that must stay what they are."""
    if os.path.lexists(folder / EVAL_FILE):
        todo = "save under the next version's name"
        message = "is the record of a version, whose weights stay what they are"
        raise Refused(Finding(escape_controls(str(folder / EVAL_FILE)), Code.EXISTING_RECORD, message, todo))


def _clear(folder: Path) -> None:
    """A folder of that name can also come with a pull request: it leads nowhere else, and replaces nothing scored."""
    stage = folder / STAGE
    if stage.is_symlink():
        raise invalid(escape_controls(str(stage)), Code.UNREADABLE, "is a link", "remove it")
    scored = os.path.lexists(folder / EVAL_FILE) and (folder / CHECKPOINT_FOLDER).exists()
    if (stage / MODEL_FILE).exists() and not scored:
        _finish(folder)
    elif stage.exists():
        shutil.rmtree(stage)


def _finish(folder: Path) -> None:
    """Move what is staged to its place, model.json last. Each step can have been done already."""
    stage, place = folder / STAGE, folder / CHECKPOINT_FOLDER
    if (stage / CHECKPOINT_FOLDER).exists():
        if os.path.lexists(place):
            place.rename(stage / _ASIDE)
        (stage / CHECKPOINT_FOLDER).rename(place)
        _flush_folder(folder)
    for name in BESIDE:
        if (stage / name).exists():
            (stage / name).replace(folder / name)
    (stage / MODEL_FILE).replace(folder / MODEL_FILE)
    _flush_folder(folder)
    shutil.rmtree(stage)


def _lock(handle: int | None, shown: str) -> None:
    """The system lets go of the lock when the process dies. Some file systems have none for folders: then without."""
    if handle is None:
        return
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        message, todo = "is being written by another process", "save from one process only, or wait for it"
        raise Unavailable(Finding(shown, Code.UNAVAILABLE, message, todo)) from error
    except OSError:
        return


def _flush(folder: Path) -> None:
    """Bring a folder with all that is below it to the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with (Path(parent) / name).open("rb") as stream:
                os.fsync(stream.fileno())
        _flush_folder(Path(parent))


def _flush_folder(folder: Path) -> None:
    if (handle := _handle(folder)) is not None:
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _handle(folder: Path) -> int | None:
    """Windows opens no folders: there is nothing there to lock or to flush."""
    return None if os.name == "nt" else os.open(folder, os.O_RDONLY)


@contextlib.contextmanager
def _disk(shown: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise Unavailable(Finding(shown, Code.UNAVAILABLE, message, "free the disk, or write elsewhere")) from error
