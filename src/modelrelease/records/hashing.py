"""The sha256 of files, as fast as the machine is: in large pieces, several files at once, remembered where allowed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.records.hash_memory import HashMemory

PIECE = 1 << 20
_WORTH_A_THREAD = 4 << 20
_MAX_THREADS = 8


def hash_files(paths: Sequence[Path], memory: HashMemory | None = None) -> list[tuple[int, str]]:
    """Return size in bytes and sha256 of each file, in order; hashlib lets go of the interpreter, so threads help.

    Without ``memory`` every byte is read, now. Raises OSError where a file cannot be read, Unavailable (exit 3) where
    one is written to meanwhile.
    """
    sizes = [path.stat().st_size for path in paths]
    large = sum(size >= _WORTH_A_THREAD for size in sizes)
    threads = min(large, os.cpu_count() or 1, _MAX_THREADS)
    if threads < 2:
        return [hash_file(path, memory) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    found: dict[int, tuple[int, str]] = {}
    with ThreadPoolExecutor(threads) as pool:
        # The largest first: at the end no thread is left alone with it.
        order = sorted(range(len(paths)), key=lambda number: -sizes[number])
        done = pool.map(lambda number: hash_file(paths[number], memory), order)
        found.update(zip(order, done, strict=True))
    return [found[number] for number in range(len(paths))]


def hash_file(path: Path, memory: HashMemory | None = None) -> tuple[int, str]:
    """Return a file's size in bytes and its sha256; raises as :func:`hash_files` does."""
    with path.open("rb", buffering=0) as stream:
        before = os.fstat(stream.fileno())
        known = memory.recall(path, before) if memory is not None else None
        if known is not None:
            return before.st_size, known
        digest = hashlib.sha256()
        piece = memoryview(bytearray(min(PIECE, before.st_size + 1)))
        left = before.st_size
        while left >= 0 and (count := stream.readinto(piece)):
            digest.update(piece[:count])
            left -= count  # what grows without end is not read without end
        after = os.fstat(stream.fileno())
    if _state(before) != _state(after):
        message, todo = "is written to while it is read", "wait until whatever writes it has ended"
        raise Unavailable(Finding(str(path), Code.UNAVAILABLE, message, todo))
    sha256 = digest.hexdigest()
    if memory is not None:
        memory.remember(path, after, sha256)
    return after.st_size, sha256


def _state(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
