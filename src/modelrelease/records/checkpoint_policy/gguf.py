"""The header of a GGUF file, walked with every bound checked; nothing of it is kept.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

from typing import BinaryIO

from modelrelease.codes import Code
from modelrelease.errors import Finding

MAGIC = b"GGUF"
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_TEXT, _LIST = 8, 9
_MOST = 1 << 20
"""Tensors, and keys: more than any model has."""
_MOST_VALUES = 4 << 20


class _Damaged(ValueError):
    """What is wrong with a header, in words."""


def check_gguf(stream: BinaryIO, size: int, shown: str) -> Finding | None:
    """Return the finding (MR405) that a GGUF file's header is damaged; ``size`` is the file's, in bytes."""
    try:
        _Walk(stream, size).run()
    except _Damaged as error:
        message = f"is no sound GGUF file: {error}"
        return Finding(shown, Code.MALFORMED_WEIGHTS, message, "convert or fetch it again")
    return None


class _Walk:
    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream = stream
        self.left = size
        self.values = 0

    def run(self) -> None:
        if self.take(4) != MAGIC:
            raise _Damaged("it does not begin with GGUF")
        version = self.number(4)
        if version not in (2, 3):
            raise _Damaged(f"its version is {version}")
        tensors, keys = self.number(8), self.number(8)
        if max(tensors, keys) > _MOST:
            raise _Damaged(f"it says that it has {max(tensors, keys)} tensors or keys")
        for _ in range(keys):
            self.text()
            self.value(self.number(4), 0)
        for _ in range(tensors):
            self.text()
            dimensions = self.number(4)
            if dimensions > 8:
                raise _Damaged(f"a tensor has {dimensions} dimensions")
            self.skip(8 * dimensions + 4)
            if self.number(8) > self.left:
                raise _Damaged("a tensor begins behind the end of the file")

    def take(self, count: int) -> bytes:
        self.spend(count)
        data = self.stream.read(count)
        if len(data) != count:
            raise _Damaged("it ends within its header")
        return data

    def skip(self, count: int) -> None:
        self.spend(count)
        self.stream.seek(count, 1)

    def spend(self, count: int) -> None:
        if count > self.left:
            raise _Damaged("it ends within its header")
        self.left -= count

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "little")

    def text(self) -> None:
        self.skip(self.number(8))

    def value(self, kind: int, depth: int) -> None:
        self.values += 1
        if self.values > _MOST_VALUES:
            raise _Damaged("its header holds millions of values")
        if kind == _TEXT:
            self.text()
        elif kind == _LIST and depth < 4:
            inner, count = self.number(4), self.number(8)
            if inner in _SIZES:
                self.skip(_SIZES[inner] * count)
            else:
                for _ in range(min(count, self.left)):
                    self.value(inner, depth + 1)
        elif kind in _SIZES:
            self.skip(_SIZES[kind])
        else:
            raise _Damaged(f"a value has the unknown type {kind}")
