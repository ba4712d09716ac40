"""Digests of rows and datasets. Source of the rules: docs/records.md, "Digests"."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from modelrelease.records.canonical import digest_of

_MODULUS = 1 << 256


def row_digest(row: Any) -> str:
    """Return the sha256 of a row's canonical JSON as 64 lowercase hex digits; ValueError as ``canonical_json``."""
    return digest_of(row)


def text_digest(canonical: str) -> str:
    """Return the same digest from a row's canonical JSON itself."""
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def dataset_digest(row_digests: Iterable[str]) -> str:
    """Return the sum modulo 2**256 of row digests as 64 lowercase hex digits: the order does not matter.

    So the digest of two datasets together is the sum of theirs, and a change log's deltas add up.
    The number of rows is recorded beside it.
    """
    return f"{sum(int(digest, 16) for digest in row_digests) % _MODULUS:064x}"
