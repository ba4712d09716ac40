"""Pickled weights by content, under any name: what torch, joblib and numpy write, compressed or not.

A pickle can run code when it is read, so a model's weights come as safetensors. Only recognised here, never loaded.
Source of the opcodes: pickletools in Python's standard library; of the archives: torch.save's own.
"""

from __future__ import annotations

import re

from modelrelease.codes import Code
from modelrelease.errors import Finding

HEAD = 1 << 16
_PROTOCOL = re.compile(rb"\x80[\x02-\x05]")
# Before protocol 2 a pickle is text; what can run code is a global, `c`, with a module's and a name's line.
_TEXT_PICKLE = re.compile(rb"[(\]}lt]{0,8}c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")
_NUMPY_OBJECT = re.compile(rb"\x93NUMPY.{4,8}\{[^}]*'descr':\s*'\|O", re.DOTALL)
_ZIP_ENTRY = re.compile(rb"PK\x03\x04.{26}([^\x00]{0,255}?\.pkl)", re.DOTALL)
_TODO = "save the weights as safetensors: `save_pretrained` does, and `modelrelease record --convert`"


def find_pickle(head: bytes, path: str) -> Finding | None:
    """Return the finding (MR404) that a file is a pickle; ``head`` is its beginning, of at most ``HEAD`` bytes."""
    kind = _kind(head) or _kind(_inflated(head))
    if kind is None:
        return None
    return Finding(path, Code.UNSAFE_WEIGHTS, f"is {kind}, which can run code when it is read", _TODO)


def _kind(head: bytes) -> str | None:
    if _PROTOCOL.match(head) and _is_pickle(head):
        return "a pickle"
    if head.startswith(b"PK\x03\x04") and _ZIP_ENTRY.match(head):
        return "an archive of pickled weights, as torch.save writes them"
    if head.startswith(b"\x93NUMPY") and _NUMPY_OBJECT.match(head):
        return "a numpy file of pickled objects"
    if _TEXT_PICKLE.match(head) and _is_pickle(head):
        return "a pickle"
    return None


def _is_pickle(head: bytes) -> bool:
    """Return whether the opcodes make sense up to the end of the pickle, or of what was read of it."""
    import pickletools

    seen = 0
    try:
        for _ in pickletools.genops(head):
            seen += 1
    except Exception:  # what a broken pickle raises is anything; one that is cut raises after most of it
        return len(head) == HEAD and seen >= 20
    return seen >= 2


def _inflated(head: bytes) -> bytes:
    """Return the beginning of what is compressed in ``head``; empty where nothing is."""
    import bz2
    import lzma
    import zlib

    if head.startswith(b"\x1f\x8b"):
        return _try(zlib.decompressobj(wbits=31).decompress, head)
    if head[:1] == b"\x78" and head[1:2] in b"\x01\x5e\x9c\xda":
        return _try(zlib.decompressobj().decompress, head)
    if head.startswith(b"BZh"):
        return _try(bz2.BZ2Decompressor().decompress, head)
    if head.startswith((b"\xfd7zXZ\x00", b"\x5d\x00\x00")):
        return _try(lzma.LZMADecompressor().decompress, head)
    return b""


def _try(decompress: object, head: bytes) -> bytes:
    try:
        return bytes(decompress(head, HEAD))  # type: ignore[operator]
    except Exception:  # three libraries, and as many kinds of error, for what is not compressed after all
        return b""
