"""Checkpoints that were fetched, by their digest: whole and verified, or not there.

A fetch fills a folder of its own and renames it, so a killed one leaves nothing that anybody would take for a
checkpoint; jobs that want the same one wait for each other where the system can lock files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, Unavailable
from modelrelease.flows.openers import Opener
from modelrelease.numbers import show_count
from modelrelease.records.evaluation import CheckpointFile
from modelrelease.records.files import is_alive
from modelrelease.records.hash_memory import HashMemory
from modelrelease.records.hashing import PIECE, hash_files

_SCRATCH = ".tmp-modelrelease-"
_SPARE = 256 << 20
"""Bytes that a fetch leaves free on the disk."""

Advance = Callable[[int], object]


def cached(
    home: Path, digest: str, files: Sequence[CheckpointFile], fill: Callable[[Path], object], memory: HashMemory | None
) -> Path:
    """Return the folder that holds exactly ``files``, verified now; where there is none, ``fill`` a new one first.

    ``memory`` tells the digests of files that have not changed since. Raises what ``fill`` does; Unavailable (exit 3)
    where the disk is full or refuses.
    """
    place = home / digest
    try:
        if _is_sound(place, files, memory):
            return place
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home / f"{digest}.lock"):
            if not _is_sound(place, files, memory):
                _fill(home, place, files, fill)
        return place
    except OSError as error:
        message = f"weights cannot be kept there: {error.strerror or error}"
        todo = "free the disk, or name another cache folder in MODELRELEASE_CACHE"
        raise Unavailable(Finding(str(home), Code.UNAVAILABLE, message, todo)) from error


def _fill(home: Path, place: Path, files: Sequence[CheckpointFile], fill: Callable[[Path], object]) -> None:
    _remove_leftovers(home)
    needed = sum(file.size for file in files)
    free = shutil.disk_usage(home).free
    if needed + _SPARE > free:
        message = f"the weights take {show_count(needed)} bytes and {show_count(free)} are free"
        todo = "free the disk, or name another cache folder in MODELRELEASE_CACHE"
        raise Unavailable(Finding(str(home), Code.UNAVAILABLE, message, todo))
    scratch = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}.", dir=home))
    try:
        fill(scratch)
        if os.path.lexists(place):  # it did not verify: somebody has changed it, or the disk has
            place.rename(f"{scratch}.old")
        scratch.rename(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(f"{scratch}.old", ignore_errors=True)


def fetch_file(
    opener: Opener, file: CheckpointFile, into: Path, where: str, advance: Advance = lambda count: None
) -> None:
    """Write one file below ``into``, hashed on its way; never more bytes than ``file`` has.

    Raises Refused (MR427, exit 1) where its size or its sha256 is another one.
    """
    path = into / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), file.size
    with opener(file.path) as stream, path.open("xb") as out:
        while piece := stream.read(min(PIECE, left + 1)):
            left -= len(piece)
            if left < 0:
                raise _other(where, file, f"is longer than the {show_count(file.size)} bytes that were recorded")
            digest.update(piece)
            out.write(piece)
            advance(len(piece))
    if left:
        raise _other(
            where, file, f"ends {show_count(left)} bytes before the {show_count(file.size)} that were recorded"
        )
    if digest.hexdigest() != file.sha256:
        raise _other(where, file, f"has another sha256 ({digest.hexdigest()[:12]}…) than was recorded")


def _other(where: str, file: CheckpointFile, message: str) -> Refused:
    todo = "nothing was kept of it; see who changed what lies there, or record the version again"
    return Refused(Finding(f"{where}/{file.path}", Code.FETCHED, message, todo))


def _is_sound(place: Path, files: Sequence[CheckpointFile], memory: HashMemory | None) -> bool:
    wanted = {file.path: (file.size, file.sha256) for file in files}
    try:
        if place.is_symlink() or {name for name, _ in _sizes(place)} != set(wanted):
            return False
        if any(wanted[name][0] != size for name, size in _sizes(place)):
            return False
        names = sorted(wanted)
        return hash_files([place / name for name in names], memory) == [wanted[name] for name in names]
    except (OSError, Unavailable):
        return False


def _sizes(place: Path) -> Iterator[tuple[str, int]]:
    for parent, folders, names in os.walk(place):
        for name in [*names, *(folder for folder in folders if (Path(parent) / folder).is_symlink())]:
            path = Path(parent) / name
            yield path.relative_to(place).as_posix(), path.lstat().st_size if not path.is_symlink() else -1


def _remove_leftovers(home: Path) -> None:
    """Remove the folders of fetches whose process is dead."""
    for path in home.iterdir():
        if path.name.startswith(_SCRATCH):
            writer = path.name[len(_SCRATCH) :].partition(".")[0]
            if not (writer.isdigit() and is_alive(int(writer))):
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that ends with the process; where the system has none, two fetches do the work twice."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with lock.open("a") as stream:
        with contextlib.suppress(OSError):  # a network's file system without locks
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
