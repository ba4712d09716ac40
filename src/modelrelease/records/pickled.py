"""Pickled weights in what a file begins with: bare, compressed, or in an archive, one within the other.

A pickle can run code when it is read, so a model's weights come as safetensors. Only recognised here, never loaded.
What no reader of the standard library opens (7z, zstd, lz4, rar) is not looked into; no version publishes it.
"""

from __future__ import annotations

from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.records.pickles import HEAD, is_pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LAYERS = 4
_PIECES = 200
_MEMORY = 128 << 20  # what xz at its highest level needs is half of it
_ZIP = b"PK\x03\x04"
_TODO = "save the weights as safetensors: `save_pretrained` does, and `modelrelease record models/… --convert`"


def find_pickle(head: bytes, path: str) -> Finding | None:
    """Return the finding (MR404) that a file is a pickle or holds one; ``head``: its first ``HEAD`` bytes, or all."""
    kind = pickle_kind(head)
    if kind is None:
        return None
    return Finding(path, Code.UNSAFE_WEIGHTS, f"is {kind}, which can run code when it is read", _TODO)


def pickle_kind(head: bytes) -> str | None:
    """Return in words what kind of a pickle a file is that begins with ``head``; None where it is none."""
    whole = len(head) < HEAD
    if is_pickle(head, whole=whole):
        return "a pickle"
    waiting, looked = [(piece, kind, 1) for piece, kind in _inside(head)], 0
    while waiting and looked < _PIECES:
        piece, kind, layer = waiting.pop(0)
        looked += 1
        if is_pickle(piece, whole=whole and len(piece) < HEAD):
            return kind
        if layer < _LAYERS:
            waiting += [(inner, kind, layer + 1) for inner, _ in _inside(piece)]
    return None


def _inside(head: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield the beginning of everything that ``head`` holds compressed or archived, and how to call such a file."""
    if head.startswith(_ZIP):
        for piece in _zipped(head):
            yield piece, "an archive of pickled weights, as torch.save writes them"
    elif head.startswith(b"\x93NUMPY") and len(head) > 12:
        width = 2 if head[6] == 1 else 4
        yield head[8 + width + int.from_bytes(head[8 : 8 + width], "little") :], "a numpy file of pickled objects"
    elif head[257:262] == b"ustar":
        for piece in _tarred(head):
            yield piece, "an archive of pickles"
    else:
        piece = _inflated(head)
        if piece:
            yield piece, "a compressed pickle"


def _zipped(head: bytes) -> Iterator[bytes]:
    """Entries are found by their signature: the sizes that they give of themselves may be left out, or lies."""
    import zlib

    place = 0
    while place >= 0:
        start = place + 30 + sum(int.from_bytes(head[place + at : place + at + 2], "little") for at in (26, 28))
        method = int.from_bytes(head[place + 8 : place + 10], "little")
        data = head[start:]
        yield _try(zlib.decompressobj(wbits=-15).decompress, data) if method == 8 else data
        place = head.find(_ZIP, place + 4)


def _tarred(head: bytes) -> Iterator[bytes]:
    place = 0
    while head[place + 257 : place + 262] == b"ustar":
        digits = head[place + 124 : place + 136].strip(b"\0 ")
        size = int(digits, 8) if digits and not digits.strip(b"01234567") else 0
        yield head[place + 512 : place + 512 + size]
        place += 512 + (size + 511) // 512 * 512


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
        return _try(lzma.LZMADecompressor(memlimit=_MEMORY).decompress, head)
    return b""


def _try(decompress: Callable[..., bytes], head: bytes) -> bytes:
    try:
        return decompress(head, HEAD)
    except Exception:  # three libraries, and as many kinds of error, for what is not compressed after all
        return b""
