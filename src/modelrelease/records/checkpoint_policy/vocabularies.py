"""The two vocabularies that are no JSON: sentencepiece's protocol buffer, and tiktoken's lines. Known by content."""

from __future__ import annotations

import re

_TIKTOKEN = re.compile(rb"[A-Za-z0-9+/]+={0,2} \d{1,10}")
_PIECE = 1


def is_vocabulary(data: bytes) -> bool:
    """Return whether ``data`` is a vocabulary of sentencepiece or of tiktoken, from its first byte to its last."""
    return is_sentencepiece(data) or is_tiktoken(data)


def is_tiktoken(data: bytes) -> bool:
    """Return whether ``data`` is lines of a token in base64 and its rank. Source: tiktoken's load.py."""
    lines = data.splitlines()
    return bool(lines) and all(_TIKTOKEN.fullmatch(line) for line in lines)


def is_sentencepiece(data: bytes) -> bool:
    """Return whether ``data`` is a ModelProto: messages (and nothing else) to the end, at least one of them a piece.

    Source: sentencepiece_model.proto (pieces are field 1, a piece's text is field 1 of it), and the encoding of
    protocol buffers, https://protobuf.dev/programming-guides/encoding.
    """
    place, pieces = 0, 0
    while place < len(data):
        tag, place = _varint(data, place)
        size, place = _varint(data, place)
        if tag < 8 or tag & 7 != 2 or size < 0 or place + size > len(data):
            return False
        if tag >> 3 == _PIECE:
            if data[place : place + 1] != b"\x0a":
                return False
            pieces += 1
        place += size
    return pieces > 0


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return the number at ``place`` and where the next thing stands; -1 where there is none."""
    number = 0
    for shift in range(0, 35, 7):
        if place >= len(data):
            return -1, place
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    return -1, place
