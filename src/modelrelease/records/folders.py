"""A folder replaced at once: whoever looks finds the old one or the new one, also after a kill.

Source: renameat2(2) with RENAME_EXCHANGE on Linux, renamex_np(2) with RENAME_SWAP on macOS. Where neither is, two
renames have a moment between them in which the folder stands under another name; the next call puts it back.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.records.files import is_alive

_STAGED, _ASIDE = ".tmp-modelrelease-", ".old-modelrelease-"
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


@contextlib.contextmanager
def staged_copy(folder: Path, leave_out: frozenset[str]) -> Iterator[Path]:
    """Yield a copy of ``folder`` beside it that takes ``folder``'s place when the block ends without an error.

    ``leave_out``: names at its top that the copy lacks. Files are linked, not copied, where the disk can: the block
    adds files and changes none. Raises Unavailable (exit 3) where the disk refuses; the folder is then as it was.
    """
    recover(folder)
    staged = folder.parent / f"{_STAGED}{folder.name}.{os.getpid()}"
    try:
        shutil.copytree(folder, staged, symlinks=True, copy_function=_link, ignore=_only_at(folder, leave_out))
        yield staged
        _flush(staged)
        _exchange(folder, staged)
    except (OSError, shutil.Error) as error:
        message = f"cannot be replaced: {getattr(error, 'strerror', None) or error}"
        todo = "free the disk, or copy the folder to where it can be written"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, todo)) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def recover(folder: Path) -> None:
    """Put back, or away, what a killed replacement of ``folder`` has left beside it."""
    if not folder.parent.is_dir():
        return
    aside = folder.parent / f"{_ASIDE}{folder.name}"
    if aside.is_dir() and not folder.exists():
        aside.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)
    prefix = f"{_STAGED}{folder.name}."
    for path in folder.parent.iterdir():
        writer = path.name.removeprefix(prefix)
        if path.name.startswith(prefix) and path.is_dir() and not (writer.isdigit() and is_alive(int(writer))):
            shutil.rmtree(path, ignore_errors=True)


def _only_at(top: Path, names: frozenset[str]) -> Callable[[str, list[str]], set[str]]:
    return lambda folder, found: {*names} & {*found} if Path(folder) == top else set()


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without links, or with too many of them
        shutil.copy2(source, target, follow_symlinks=False)


def _flush(folder: Path) -> None:
    """New files and all names are on disk before the folder is anybody's; what is linked has been there before."""
    for parent, _, names in os.walk(folder):
        files = [Path(parent) / name for name in names if not (Path(parent) / name).is_symlink()]
        for path in (*(file for file in files if file.stat().st_nlink == 1), Path(parent)):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _exchange(folder: Path, staged: Path) -> None:
    swap = _system_swap()
    if swap is not None and swap(os.fsencode(folder), os.fsencode(staged)) == 0:
        return
    code = ctypes.get_errno()
    if swap is not None and code not in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        raise OSError(code, os.strerror(code))
    aside = folder.parent / f"{_ASIDE}{folder.name}"
    folder.rename(aside)
    staged.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def _system_swap() -> Callable[[bytes, bytes], int] | None:
    if os.name != "posix":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform.startswith("linux") and hasattr(library, "renameat2"):
        return lambda old, new: int(library.renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_EXCHANGE))
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return lambda old, new: int(library.renamex_np(old, new, _RENAME_SWAP))
    return None
