"""What a file is to the disk: which one, how long, when it last changed. Another file, or other bytes, has another.

Of a file's times the one of its last change (ctime) is nobody's to set: also who writes new bytes and puts the old time
of modification back, or renames another file over it and back again, leaves a mark. The file system's clock ticks, so a
file is given time to be older than a tick before it is looked at (as git does with its index: "racy git").
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused

Stamps = dict[str, tuple[int, ...]]
"""By a file's relative name: what stat says of it and, where a link leads to it, of the link; latest change last."""

TICK = 50_000_000
"""Nanoseconds; Linux stamps files with a clock that ticks every 1 to 10 ms."""
_PATIENCE = 100


def take_stamps(folder: Path, names: Sequence[str]) -> Stamps:
    """Return the stamps of files, once the latest of them is older than a tick.

    Raises Refused (MR418) where a file goes away meanwhile, or one or the other changes all the time.
    """
    for _ in range(_PATIENCE):
        stamps = {name: _stamp(folder / name) for name in names}
        young = TICK - (time.time_ns() - max((stamp[-1] for stamp in stamps.values()), default=0))
        if not 0 < young <= TICK:  # what comes from the future has another machine's clock
            return stamps
        time.sleep(young / 1e9)
    todo = "wait until it is complete, and start again"
    raise Refused(Finding(str(folder), Code.CHANGED_MEANWHILE, "is still being written", todo))


def differing(before: Stamps, after: Stamps) -> Iterator[str]:
    """Yield the names that are only in one, or have another stamp in the other, in order."""
    return (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found, own = path.stat(), path.lstat()  # a link can be turned elsewhere and back
    except OSError as error:
        message = "went away while it was read"
        raise Refused(Finding(str(path), Code.CHANGED_MEANWHILE, message, "start again")) from error
    changed = max(found.st_ctime_ns, own.st_ctime_ns)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, own.st_ino, own.st_ctime_ns, changed)
