"""Digests of rows and datasets. Source of the rules: docs/records.md, "Digests"."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

_MODULUS = 1 << 256
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_bytes(value: Any) -> bytes:
    """Return ``canonical_json(value)`` as UTF-8; raises ValueError as it does.

    A dataset asks for it once a row, and ``json.dumps`` would set up an encoder each time: a third of the cost.
    """
    return _ENCODER.encode(value).encode("utf-8")


def row_digest(row: Any) -> str:
    """Return the sha256 of a row's canonical JSON as 64 lowercase hex digits; ValueError as ``canonical_json``."""
    return hashlib.sha256(canonical_bytes(row)).hexdigest()


def dataset_digest(row_digests: Iterable[str]) -> str:
    """Return the sum modulo 2**256 of row digests as 64 lowercase hex digits: the order does not matter.

    So the digest of two datasets together is the sum of theirs, and a change log's deltas add up.
    The number of rows is recorded beside it.
    """
    return f"{sum(int(digest, 16) for digest in row_digests) % _MODULUS:064x}"
