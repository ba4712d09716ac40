"""Reading a file that may be missing, and writing one so that a reader never sees half of it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, invalid

_CHUNK = 1 << 20
_TEMPORARY = ".tmp-modelrelease-"


def read_bytes(path: Path, shown: str | None = None, *, limit: int | None = None) -> bytes:
    """Return the content of a regular file; MR209 (exit 2) when there is none to read, or more than ``limit`` bytes."""
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise invalid(shown or path, Code.UNREADABLE, what, "name an existing file")
        if limit is None:
            return path.read_bytes()
        with path.open("rb") as stream:
            data = stream.read(limit + 1)  # not its size first: a file can grow in between
    except OSError as error:
        raise invalid(shown or path, Code.UNREADABLE, error.strerror or str(error), "make it readable") from error
    refuse_too_large(len(data), limit, shown or path)
    return data


def refuse_too_large(size: int, limit: int, shown: str | Path) -> None:
    """Raise InvalidInput (MR209) where a document of ``size`` bytes is larger than ``limit``."""
    if size > limit:
        message = f"is larger than the {limit >> 20} MiB that a document may have"
        raise invalid(shown, Code.UNREADABLE, message, "take the file that was written, or ask for less in one suite")


def resolved(path: Path, shown: str | None = None) -> Path:
    """Return ``path`` without links; MR209 (exit 2) where its links lead in a circle."""
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:  # RuntimeError until Python 3.12
        raise invalid(shown or path, Code.UNREADABLE, "its links lead in a circle", "name the file itself") from error


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes as 64 lowercase hex digits, read in pieces."""
    digest = hashlib.sha256()
    piece = memoryview(bytearray(_CHUNK))
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(piece):
            digest.update(piece[:count])
    return digest.hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to a temporary file beside ``path``, fsync it and rename it over ``path``.

    What an earlier, killed write to the same path left behind is removed first.
    Raises Unavailable (exit 3) when the disk refuses; ``path`` is then as it was.
    """
    _write(path, data, lambda temporary: temporary.replace(path))


def create_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`write_atomic` does, but only where nothing stands, not even a link.

    Raises Unavailable (exit 3) where something does, or when the disk refuses; what stands there is left alone.
    """
    # Unlike a rename, a link never replaces what another process has put there meanwhile.
    _write(path, data, lambda temporary: os.link(temporary, path))


def _write(path: Path, data: bytes, put: Callable[[Path], object]) -> None:
    prefix = f"{_TEMPORARY}{path.name}."
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent, prefix)
        handle, temporary = tempfile.mkstemp(prefix=f"{prefix}{os.getpid()}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        put(Path(temporary))
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise Unavailable(Finding(str(path), Code.UNAVAILABLE, message, "free the disk, or write elsewhere")) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)


def _remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove temporary files whose writer is dead; a living one's file is its own business."""
    for path in folder.iterdir():  # not glob: a name may hold its wildcards
        if path.name.startswith(prefix):
            writer = path.name[len(prefix) :].partition(".")[0]
            if not (writer.isdigit() and is_alive(int(writer))):
                path.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Return whether a process of this number runs here."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
