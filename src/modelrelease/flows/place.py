"""The files that init adds to a repository: what stands there now, what is to, and all of it or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from modelrelease.codes import Code
from modelrelease.errors import Finding, ModelreleaseError, Unavailable, escape_controls, invalid
from modelrelease.flows.survey import refuse_outside, through_link
from modelrelease.records.files import create_atomic, read_bytes, write_atomic
from modelrelease.scaffold.file_plan import FilePlan

MAX_EXISTING = 1 << 20


def existing(root: Path, path: str) -> bytes | None:
    """Return the bytes of a file that the kit would write, None where nothing stands there.

    Raises InvalidInput (MR209): a link in the way, which could lead anywhere; something that is no file, or too long
    to be what its name says; a path out of the repository.
    """
    shown = escape_controls(path)
    pure = PurePosixPath(path)
    refuse_outside(path)
    if through_link(root, path):
        todo = "put the file or folder itself there, or set it up by hand"
        raise invalid(shown, Code.UNREADABLE, "is a link, or in a linked folder, and init writes through none", todo)
    for folder in list(pure.parents)[:-1]:
        if (root / folder).exists() and not (root / folder).is_dir():
            raise invalid(escape_controls(str(folder)), Code.UNREADABLE, "is no folder", f"{shown} belongs into one")
    place = root / path
    if not place.exists():
        return None
    if place.is_file() and place.stat().st_size > MAX_EXISTING:
        raise invalid(shown, Code.UNREADABLE, f"has more than {MAX_EXISTING >> 20} MB", "see what it is")
    return read_bytes(place, shown)


def put(root: Path, plans: Sequence[FilePlan]) -> None:
    """Write what is planned, in order; where one file fails, take back those before it and raise Unavailable.

    A file that has come or changed since it was planned is left alone, and counts as a failure.
    """
    done: list[tuple[Path, bytes | None, bytes]] = []
    made: list[Path] = []
    try:
        for plan in plans:
            if plan.after is None:
                continue
            place = root / plan.path
            made += [folder for folder in place.parents if folder.is_relative_to(root) and not folder.exists()]
            _put(root, plan, plan.after)
            done.append((place, plan.before, plan.after))
    except BaseException:  # also somebody's Ctrl-C
        _take_back(done, made)
        raise


def _put(root: Path, plan: FilePlan, after: bytes) -> None:
    if existing(root, plan.path) != plan.before:
        message, todo = "has changed while init was at work", "run it again"
        raise Unavailable(Finding(escape_controls(plan.path), Code.UNAVAILABLE, message, todo))
    (create_atomic if plan.before is None else write_atomic)(root / plan.path, after)


def _take_back(done: Sequence[tuple[Path, bytes | None, bytes]], made: Sequence[Path]) -> None:
    """Undo, newest first; what somebody else has changed meanwhile is theirs."""
    for place, before, after in reversed(done):
        with contextlib.suppress(ModelreleaseError, OSError):
            if place.read_bytes() != after:
                continue
            if before is None:
                place.unlink()
            else:
                write_atomic(place, before)
    for folder in sorted(made, key=lambda folder: len(folder.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
