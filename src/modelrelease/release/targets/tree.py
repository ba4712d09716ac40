"""The file system below a target's folder: nothing that is a link is followed, nothing half-written is seen."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused
from modelrelease.release.targets.contents import CHUNK, MAX_PATH, open_regular, stamp_of, unavailable, unreadable
from modelrelease.release.targets.target import FileDigest, Stamp

TEMPORARY = ".tmp-modelrelease-"
LOCK = ".lock"
_NO_FAST_COPY = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}
MAX_RECORD = 64 * 1024 * 1024
MAX_DEPTH = MAX_PATH // 2


def real_folder(path: Path, shown: str) -> bool:
    """Say whether there is a folder; Refused (MR707) where a link or anything else stands in its place."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unavailable(shown, error.strerror or str(error), "make it readable") from error
    if not stat.S_ISDIR(mode):
        raise odd(shown, "is no folder, or a link to one")
    return True


def odd(shown: str, what: str) -> Refused:
    """Return the error for something at the target that no run of ours has put there."""
    return Refused(Finding(shown, Code.TARGET_STATE, what, "find out who put it there, and take it away"))


def read_record(path: Path, shown: str, limit: int = MAX_RECORD) -> bytes | None:
    """Return a small file's bytes, None where there is none; Refused (MR707) for a link and the like."""
    try:
        mode = path.lstat()
        if not stat.S_ISREG(mode.st_mode) or mode.st_size > limit:
            raise odd(shown, "is no regular file, or too large to be a record")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unavailable(shown, error.strerror or str(error), "make it readable") from error


class Hashes:
    """The sha256 of files, read once for as long as they stay as they are."""

    def __init__(self) -> None:
        self._known: dict[Stamp, str] = {}

    def of(self, path: Path) -> tuple[int, str]:
        """Return a file's size in bytes and its sha256; OSError where it cannot be read."""
        with open_regular(path) as stream:
            stamp = stamp_of(stream.fileno())
            if stamp not in self._known:
                self._known[stamp] = _sha256(stream)
        return stamp[2], self._known[stamp]


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def files_below(folder: Path, shown: str) -> Iterator[Path]:
    """Yield everything below a folder that is no folder, links as what they are; Refused (MR707) where it is too deep.

    Paths of a release are no longer than ``MAX_PATH``, and what lies deeper is none of ours.
    """
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if len(here.parts) - len(folder.parts) > MAX_DEPTH:
            raise odd(shown, f"holds folders in folders, more than {MAX_DEPTH} deep")
        with os.scandir(here) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    yield Path(entry.path)


def digests_below(folder: Path, shown: str, expected: Sequence[FileDigest], hashes: Hashes) -> dict[str, FileDigest]:
    """Return what the files below a folder are; Refused (MR707) where one of them is a link or the like.

    What is not ``expected``, or not of that size, differs in any case: it is not read, however large it is.
    """
    sizes = {file.path: file.size for file in expected}
    found = {}
    try:
        for path in files_below(folder, shown):
            name, status = path.relative_to(folder).as_posix(), path.lstat()
            if not stat.S_ISREG(status.st_mode):
                raise odd(f"{shown}/{name}", "is no regular file")
            known = sizes.get(name) == status.st_size
            size, sha256 = hashes.of(path) if known else (status.st_size, None)
            found[name] = FileDigest(name, size, sha256)
    except OSError as error:
        raise unavailable(shown, error.strerror or str(error), "make it readable") from error
    return found


def copy(source: Path, destination: Path) -> None:
    """Copy a file to where nothing is, by the file system itself where it can; memory stays flat.

    Raises OSError where the destination cannot be written, InvalidInput where the source cannot be read.
    """
    try:
        reading = open_regular(source)
    except OSError as error:
        raise unreadable(source, error) from error
    with reading, destination.open("xb") as writing:
        if not _copied_by_kernel(reading.fileno(), writing.fileno()):
            shutil.copyfileobj(reading, writing, CHUNK)
        writing.flush()
        os.fsync(writing.fileno())


def _copied_by_kernel(reading: int, writing: int) -> bool:
    """Copy within the kernel, which shares the blocks where the file system can; False where it does not do that."""
    size, done = os.fstat(reading).st_size, 0
    if not hasattr(os, "copy_file_range"):
        return False
    while done < size:
        try:
            count = os.copy_file_range(reading, writing, size - done)
        except OSError as error:
            if done == 0 and error.errno in _NO_FAST_COPY:
                return False
            raise
        if count == 0:
            break
        done += count
    return True


def write(destination: Path, data: bytes) -> None:
    """Write a new file and make it last; OSError where that fails."""
    with destination.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folders(folder: Path) -> None:
    """Make what was created in a folder and below it last."""
    for path, _, _ in os.walk(folder):
        sync_folder(Path(path))


def sync_folder(folder: Path) -> None:
    """Make what was created in a folder, or renamed into it, last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def must_take_folders(path: Path) -> None:
    """Raise OSError where ``path``, which is not there yet, could not be made with the folders above it."""
    above = next(folder for folder in path.parents if folder.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside what is visible in ``folder``, gone at the end wherever it was not renamed.

    Its lock says that somebody is at it, also to another container or machine, and goes when this process does:
    what killed runs have left is told from what living ones write by that. OSError where the disk refuses.
    """
    with locked(folder / LOCK):  # nobody takes a folder that is not locked yet for a leftover
        _remove_leftovers(folder)
        made = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
        handle = os.open(made, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        made.chmod(0o755)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(handle)


def _remove_leftovers(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name.startswith(TEMPORARY):
            with contextlib.suppress(OSError), _held(path):
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system lets go of when this process ends, however it ends; OSError where that fails."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
