"""The header of a safetensors file, every bound of it checked before anything is loaded.

Source: the format's description at https://github.com/huggingface/safetensors#format. Stricter than the library, which
lets a tensor's name stand twice, a header begin with blanks, and an entry have keys of its own.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid, shorten
from modelrelease.records.faults import SURROGATE

MAX_HEADER = 32 << 20
"""Bytes: 200,000 tensors. The library takes 100 MB, which hostile JSON turns into three gigabytes of objects."""
MAX_DIMENSIONS = 64
_MAX_EXTENT = (1 << 63) - 1
_METADATA = "__metadata__"

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
"""Bits of one element, by the type's name."""


@dataclass(frozen=True)
class Tensor:
    """One tensor: ``start`` and ``stop`` in bytes of the file, ``shape`` in elements."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Header:
    """What a sound header says. ``tensors`` in the order of their bytes, which they share with nobody."""

    tensors: tuple[Tensor, ...]
    metadata: dict[str, str]


class _Damaged(ValueError):
    """What is wrong with a header, in words."""


def check_header(path: Path) -> int:
    """Check the header of a safetensors file and return how many tensors it has; MR405 where it is damaged."""
    with path.open("rb") as stream:
        return len(read_header(stream, path.stat().st_size, path).tensors)


def read_header(stream: BinaryIO, size: int, shown: str | Path) -> Header:
    """Return the header of the safetensors file that ``stream`` begins; ``size`` is the whole file's, in bytes.

    Raises InvalidInput (MR405) unless the header is a JSON object without a name twice, `__metadata__` is text to
    text, each tensor has a known type and exactly the bytes that its shape needs, and the tensors fill the rest of the
    file without overlap, hole or remainder. Nothing is read but the header, at most ``MAX_HEADER`` bytes.
    """
    try:
        return _header(stream, size)
    except _Damaged as error:
        raise _invalid(shown, str(error)) from error


def _header(stream: BinaryIO, size: int) -> Header:
    prefix = stream.read(8)
    if size < 8 or len(prefix) < 8:
        raise _Damaged("it is shorter than the length of a header")
    length = int.from_bytes(prefix, "little")
    if length > size - 8:
        raise _Damaged("its header is longer than the file")
    if length > MAX_HEADER:
        raise _Damaged(f"its header is longer than {MAX_HEADER >> 20} MB")
    text = stream.read(length)
    if len(text) != length:
        raise _Damaged("it ends within its header")
    entries = _parse(text)
    metadata = _metadata(entries.pop(_METADATA, {}))
    begin = 8 + length
    tensors = sorted((_tensor(name, entry, begin) for name, entry in entries.items()), key=_place)
    _refuse_gaps(tensors, begin, size)
    return Header(tuple(tensors), metadata)


def _place(tensor: Tensor) -> tuple[int, int]:
    return tensor.start, tensor.stop


def _parse(text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise _Damaged("its header does not begin with `{`")
    try:
        # As text: from bytes, Python would also take UTF-16.
        header = json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_int=_count, parse_float=_no, parse_constant=_no
        )
    except _Damaged:
        raise
    except (ValueError, RecursionError) as error:
        raise _Damaged(f"its header is not valid JSON ({error})") from error
    assert isinstance(header, dict)
    if any(SURROGATE.search(name) for name in header):
        raise _Damaged("a tensor's name holds half of a surrogate pair")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Damaged(f"{_quoted(twice)} stands twice in its header")
    return mapping


def _count(digits: str) -> int:
    """Numbers of a header are extents and places: none is negative, and none has more than twenty digits."""
    if digits.startswith("-") or len(digits) > 20:
        raise _Damaged(f"its header holds {shorten(digits, 24)}, which is no extent and no offset")
    return int(digits)


def _no(number: str) -> NoReturn:
    raise _Damaged(f"its header holds {shorten(number, 24)}, which is no whole number")


def _metadata(value: Any) -> dict[str, str]:
    texts = isinstance(value, dict) and all(type(text) is str for text in value.values())
    if not texts or any(SURROGATE.search(text) for pair in value.items() for text in pair):
        raise _Damaged(f"`{_METADATA}` is no mapping of texts to texts")
    return dict(value)


def _tensor(name: str, entry: Any, begin: int) -> Tensor:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _Damaged(f"tensor {_quoted(name)} has something else than dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise _Damaged(f"tensor {_quoted(name)} has the unknown type {_quoted(dtype)}")
    if not _are_counts(shape) or len(shape) > MAX_DIMENSIONS or not _are_counts(offsets) or len(offsets) != 2:
        raise _Damaged(f"tensor {_quoted(name)} has no valid shape and offsets")
    start, stop = offsets
    if start > stop or (stop - start) * 8 != _bits(name, dtype, shape):
        raise _Damaged(f"tensor {_quoted(name)} does not have the bytes that its shape needs")
    return Tensor(name, dtype, tuple(shape), begin + start, begin + stop)


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value <= _MAX_EXTENT for value in values)


def _bits(name: str, dtype: str, shape: list[int]) -> int:
    """An extent of zero hides no overflow: a reader multiplies from left to right."""
    if math.prod(extent for extent in shape if extent) > _MAX_EXTENT:
        raise _Damaged(f"tensor {_quoted(name)} has a shape that no machine can count")
    return math.prod(shape) * BITS[dtype]


def _refuse_gaps(tensors: list[Tensor], begin: int, size: int) -> None:
    end = begin
    for tensor in tensors:
        if tensor.start < end:
            raise _Damaged(f"tensor {_quoted(tensor.name)} overlaps the one before it")
        if tensor.start > end:
            raise _Damaged(f"before tensor {_quoted(tensor.name)} is a hole of {tensor.start - end} bytes")
        end = tensor.stop
    if end > size:
        raise _Damaged(f"it is truncated: its tensors take {end - begin} bytes and the file has {size - begin}")
    if end < size:
        raise _Damaged(f"{size - end} bytes follow its last tensor")


def _quoted(value: Any) -> str:
    return shorten(repr(value), 80)


def _invalid(shown: str | Path, what: str) -> InvalidInput:
    return invalid(shown, Code.MALFORMED_WEIGHTS, f"is no sound safetensors file: {what}", "save or fetch it again")
