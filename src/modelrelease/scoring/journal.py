"""What an interrupted run keeps: the results of each finished batch, so that the next run goes on from there.

The file lies in the user's cache, never in a checkout, where a pull request could bring results of its own. Its
name is the digest of everything that the results depend on; a torn last line is dropped.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from modelrelease.records.canonical import canonical_json, digest_of

KEEP_DAYS = 14
Result = Any
"""A request's result as JSON: ``[loglikelihood, greedy]``, or the generated text; null where not finite."""


class Journal:
    """Finished batches by number. Without a stream (another run holds the file) nothing is kept."""

    def __init__(self, stream: IO[bytes] | None, done: dict[int, list[Result]]) -> None:
        self._stream = stream
        self.done = done

    def keep(self, batch: int, results: list[Result]) -> None:
        """Write one batch's results down. The process may be killed right after: the line is with the system."""
        if self._stream is None:
            return
        entry = {"batch": batch, "results": results}
        line = canonical_json({**entry, "sha256": digest_of(entry)})
        try:
            self._stream.write(line.encode("utf-8") + b"\n")
            self._stream.flush()
        except OSError:  # a full disk costs the safety net, not the run
            self._stream = None


@contextlib.contextmanager
def open_journal(folder: Path | None, key: str) -> Iterator[Journal]:
    """Open the journal named ``key`` in ``folder``. :func:`discard` removes it once the results are on disk.

    ``folder`` None: keep nothing. A folder that cannot be written, or a file that another run has locked, is
    no reason to fail: this run then starts from the beginning and keeps nothing.
    """
    stream = _open_locked(folder, key) if folder is not None else None
    if folder is None or stream is None:
        yield Journal(None, {})
        return
    try:
        done, end = _read(stream)
        stream.seek(end)
        stream.truncate()
        yield Journal(stream, done)
    finally:
        with contextlib.suppress(OSError):  # what a full disk did not take is tried again here
            stream.close()


def discard(folder: Path | None, key: str) -> None:
    """Remove the journal named ``key``: its results are on disk now."""
    if folder is not None:
        with contextlib.suppress(OSError):
            _path(folder, key).unlink()


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.jsonl"


def _open_locked(folder: Path, key: str) -> IO[bytes] | None:
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget_old(folder)
        # Mode "r+" needs the file to exist and "a+" writes at the end only.
        stream = os.fdopen(os.open(_path(folder, key), os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        if _lock(stream):
            return stream
        stream.close()
    return None


def _lock(stream: IO[bytes]) -> bool:
    """Take the file for this process alone; the system lets go of it when the process dies."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(stream: IO[bytes]) -> tuple[dict[int, list[Result]], int]:
    """Return the whole batches, and where the sound part of the file ends."""
    done: dict[int, list[Result]] = {}
    end = 0
    for line in stream:
        try:
            entry = json.loads(line)
            sound = line.endswith(b"\n") and entry.pop("sha256") == digest_of(entry)
            batch, results = entry["batch"], entry["results"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            break
        if not sound:
            break
        done[batch] = results
        end += len(line)
    return done, end


def _forget_old(folder: Path) -> None:
    oldest = time.time() - KEEP_DAYS * 86_400
    for path in folder.glob("*.jsonl"):
        with contextlib.suppress(OSError):  # another run may be forgetting it at the same time
            if path.stat().st_mtime < oldest:
                path.unlink()
