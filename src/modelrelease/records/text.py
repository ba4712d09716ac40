"""Bytes to text, for every document a person or a pull request may have written."""

from __future__ import annotations

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid

# Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
_BOM = "\ufeff"


def decode(data: bytes, path: str) -> str:
    """Return ``data`` as text: a BOM dropped, CRLF and a lone CR turned into LF.

    Raises InvalidInput (MR202) with the line of the first byte that is not UTF-8, or of the first NUL.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _encoding(path, message, "save the file as UTF-8", data[: error.start]) from error
    if "\0" in text:
        raise _encoding(path, "holds a NUL byte, which no text has", "remove it", data[: data.index(b"\0")])
    text = text.removeprefix(_BOM)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _encoding(path: str, message: str, todo: str, before: bytes) -> InvalidInput:
    line = 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
    return invalid(path, Code.ENCODING, message, todo, line)


def refuse_lfs_pointer(data: bytes, path: str) -> None:
    """Raise InvalidInput (MR403) when ``data`` is a Git LFS pointer that stands for the real file."""
    if data.startswith(_LFS_POINTER):
        raise invalid(path, Code.LFS_POINTER, "is a Git LFS pointer, not the file itself", "run `git lfs pull`")
