"""NaN and infinity in the tensors of a safetensors file, found without torch or numpy.

A floating-point number is neither exactly when its exponent is not all ones (IEEE 754; bfloat16 and the 8-bit formats
of OCP alike), or, in formats without infinity, when it is not their one NaN. So one byte of each number says of nearly
all weights that they are finite: it is taken by a slice with a step, at several gigabytes a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from modelrelease.codes import Code
from modelrelease.errors import Finding, shorten
from modelrelease.records.safetensors_header import BITS, Header, Tensor

_CHUNK = 1 << 20  # a multiple of every width, and what a second-level cache holds


@dataclass(frozen=True)
class _Rule:
    """A number of ``width`` bytes is not finite where each of the bytes at ``places`` is among its ``values``."""

    width: int
    places: tuple[int, ...]
    values: tuple[frozenset[int], ...]


def _with_bits(mask: int) -> frozenset[int]:
    """The bytes that have every bit of ``mask``."""
    return frozenset(byte for byte in range(256) if byte & mask == mask)


# Little-endian: the last byte holds the sign and the exponent's upper bits.
_RULES = {
    "F64": _Rule(8, (7, 6), (_with_bits(0x7F), _with_bits(0xF0))),
    "F32": _Rule(4, (3, 2), (_with_bits(0x7F), _with_bits(0x80))),
    "C64": _Rule(4, (3, 2), (_with_bits(0x7F), _with_bits(0x80))),  # two of F32 each
    "BF16": _Rule(2, (1, 0), (_with_bits(0x7F), _with_bits(0x80))),
    "F16": _Rule(2, (1,), (_with_bits(0x7C),)),
    "F8_E5M2": _Rule(1, (0,), (_with_bits(0x7C),)),
    "F8_E4M3": _Rule(1, (0,), (_with_bits(0x7F),)),
    "F8_E5M2FNUZ": _Rule(1, (0,), (frozenset({0x80}),)),
    "F8_E4M3FNUZ": _Rule(1, (0,), (frozenset({0x80}),)),
    "F8_E8M0": _Rule(1, (0,), (frozenset({0xFF}),)),
}
"""What is not here (integers, and the 4- and 6-bit floats) has neither NaN nor infinity."""


def find_not_finite(path: Path, header: Header, shown: str | Path) -> list[Finding]:
    """Return a finding (MR415) for each tensor that holds NaN or infinity, with the place of the first one.

    All float data is read once, in pieces of a megabyte.
    """
    findings = []
    with path.open("rb") as stream:
        for tensor in header.tensors:
            place = first_not_finite(stream, tensor)
            if place is not None:
                message = f"tensor {shorten(repr(tensor.name), 80)} is not finite at element {place:,}"
                todo = "train on from a checkpoint before that, or save the model again"
                findings.append(Finding(str(shown), Code.NOT_FINITE, message, todo))
    return findings


def first_not_finite(stream: BinaryIO, tensor: Tensor) -> int | None:
    """Return the index, in row-major order, of the first element that is NaN or infinite; None where none is."""
    rule = _RULES.get(tensor.dtype)
    if rule is None:
        return None
    stream.seek(tensor.start)
    before = 0
    for data in _pieces(stream, tensor.stop - tensor.start):
        found = _find(data, rule)
        if found is not None:
            return (before + found) * rule.width * 8 // BITS[tensor.dtype]
        before += len(data) // rule.width
    return None


def _pieces(stream: BinaryIO, left: int) -> Iterator[bytes]:
    while left > 0:
        data = stream.read(min(_CHUNK, left))
        if not data:
            return
        left -= len(data)
        yield data


def _find(data: bytes, rule: _Rule) -> int | None:
    first, wanted = data[rule.places[0] :: rule.width], rule.values[0]
    if len(wanted) <= 2:
        if not any(bytes((byte,)) in first for byte in wanted):
            return None
    elif not first.translate(None, _others(wanted)):
        return None
    # Rare, and still not element by element: all ones where a byte is wanted, and the bytes' conjunction as one number.
    both = -1
    for place, values in zip(rule.places, rule.values, strict=True):
        both &= int.from_bytes(data[place :: rule.width].translate(_marks(values)), "big")
    count = len(first)
    return None if both == 0 else both.to_bytes(count, "big").find(1)


def _others(wanted: frozenset[int]) -> bytes:
    return bytes(byte for byte in range(256) if byte not in wanted)


def _marks(values: frozenset[int]) -> bytes:
    return bytes(1 if byte in values else 0 for byte in range(256))
