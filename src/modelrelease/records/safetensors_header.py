"""The header of a safetensors file, checked before anything is loaded.

Source: the format's description at https://github.com/huggingface/safetensors#format. The library itself accepts
duplicate tensor names, so the header is read here too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid

MAX_HEADER = 100_000_000
"""Bytes; the limit of the safetensors library."""

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


def check_header(path: Path) -> int:
    """Check the header of a safetensors file and return how many tensors it has; MR405 where it is damaged.

    Checked: the header's length and JSON, no tensor twice, each tensor's bytes fit its shape and type, and
    the tensors fill the rest of the file without overlap, hole or remainder.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(MAX_HEADER, size - 8):
            raise _damaged(path, "its header is longer than the file")
        text = stream.read(length)
    tensors = _parse(path, text)
    tensors.pop("__metadata__", None)
    end = 0
    for name, (start, stop) in sorted(_spans(path, tensors).items(), key=lambda item: item[1]):
        if start != end:
            raise _damaged(path, f"tensor {name!r} does not start where the one before it ends")
        end = stop
    if end != size - 8 - length:
        raise _damaged(path, f"its tensors take {end} bytes and the file has {size - 8 - length}")
    return len(tensors)


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("a name stands twice")
        return result

    try:
        header = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not valid JSON ({error})") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is no JSON object")
    return header


def _spans(path: Path, tensors: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: _span(path, name, entry) for name, entry in tensors.items()}


def _span(path: Path, name: str, entry: Any) -> tuple[int, int]:
    try:
        start, stop = entry["data_offsets"]
        bits = _BITS[entry["dtype"]]
        for extent in entry["shape"]:
            bits *= extent
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"tensor {name!r} has no valid type, shape and offsets") from error
    whole = all(type(number) is int and number >= 0 for number in (start, stop, bits, *entry["shape"]))
    if not whole or (stop - start) * 8 != bits:
        raise _damaged(path, f"tensor {name!r} does not have the bytes that its shape needs")
    return start, stop


def _damaged(path: Path, what: str) -> InvalidInput:
    return invalid(path, Code.MALFORMED_WEIGHTS, f"is no sound safetensors file: {what}", "save or fetch it again")
