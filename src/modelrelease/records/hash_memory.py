"""What large files were found to hash to, remembered until they change: one small file an entry, in the cache folder.

An entry counts only for a file whose device, inode, size, mtime and ctime are still those that it names. As git's index
does, it leaves out what was modified so lately that a later change could keep the same time ("racily clean", see
https://git-scm.com/docs/racy-git). A lost or damaged entry costs one more hashing, never a wrong answer: each carries a
digest of itself. Whoever must not rely on times (publishing does not) hashes without a memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

SETTLED = 2_000_000_000
"""Nanoseconds since its last change after which a file can be remembered: the coarsest clock of a file system."""

MAX_ENTRIES = 4096
SMALLEST = 1 << 20
"""Bytes below which hashing is quicker than remembering."""

_FORM = "1"
_MAX_ENTRY = 1024


class HashMemory:
    """A folder of entries. Several processes may use it at once; what the disk refuses is not remembered.

    ``now``: nanoseconds since the epoch, as the file system's clock counts.
    """

    def __init__(self, folder: Path, now: Callable[[], int] = time.time_ns, entries: int = MAX_ENTRIES) -> None:
        self._folder = folder
        self._now = now
        self._entries = entries

    def recall(self, path: Path, found: os.stat_result) -> str | None:
        """Return the sha256 of a file that is as ``found`` says; None where it is not known."""
        if found.st_size < SMALLEST:
            return None
        try:
            with self._place(path).open("rb") as stream:
                text = stream.read(_MAX_ENTRY).decode("ascii")
        except (OSError, ValueError):
            return None
        sha256 = text.partition(" ")[0]
        return sha256 if text == _entry(path, found, sha256) else None

    def remember(self, path: Path, found: os.stat_result, sha256: str) -> None:
        """Keep the sha256 of a file that was as ``found`` says before and after it was hashed."""
        changed = max(found.st_mtime_ns, found.st_ctime_ns)
        if found.st_size < SMALLEST or not changed + SETTLED <= self._now():
            return
        place = self._place(path)
        temporary = place.with_name(f"{place.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room()
            temporary.write_bytes(_entry(path, found, sha256).encode("ascii"))
            temporary.replace(place)

    def _place(self, path: Path) -> Path:
        return self._folder / hashlib.sha256(os.fsencode(path.absolute())).hexdigest()

    def _make_room(self) -> None:
        """Drop the older half where the folder is full; what others drop meanwhile is gone all the same."""
        with os.scandir(self._folder) as found:
            names = [entry.name for entry in found]
        if len(names) < self._entries:
            return
        aged: list[tuple[float, str]] = []
        for name in names:
            with contextlib.suppress(OSError):
                aged.append(((self._folder / name).stat().st_mtime, name))
        for _, name in sorted(aged)[: len(aged) - self._entries // 2]:
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()


def memory_in(cache: Path | None) -> HashMemory | None:
    """Return the memory in the folder of what may be lost; None where there is no such folder."""
    return HashMemory(cache / "digests") if cache is not None else None


def _entry(path: Path, found: os.stat_result, sha256: str) -> str:
    """Return an entry as it stands on disk; its last word covers the others and the path."""
    numbers = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    text = " ".join([sha256, _FORM, *map(str, numbers)])
    return f"{text} {hashlib.sha256(os.fsencode(path.absolute()) + text.encode('utf-8')).hexdigest()}\n"
