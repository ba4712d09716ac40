"""Canonical JSON and the digests built on it: the same value gives the same bytes everywhere.

Source of the rules: sorted keys, UTF-8, no spaces, floats as Python's ``repr`` writes them.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# json.dumps would build an encoder at every call: a third of the cost of a dataset's row.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> str:
    """Return ``value`` (plain dicts, lists, texts, numbers, booleans, None) as canonical JSON.

    Raises ValueError on NaN, Infinity and lone surrogates, which JSON cannot hold.
    """
    return canonical_bytes(value).decode("utf-8")


def canonical_bytes(value: Any) -> bytes:
    """Return ``canonical_json(value)`` as UTF-8; raises ValueError as it does."""
    return _ENCODER.encode(value).encode("utf-8")


def document_bytes(value: Any) -> bytes:
    """Return ``value`` as a document on disk: canonical order, indented, one trailing newline."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return (text + "\n").encode("utf-8")


def digest_of(value: Any) -> str:
    """Return the sha256 of ``value``'s canonical JSON as 64 lowercase hex digits."""
    import hashlib  # OpenSSL takes 4 ms to start, which a hook that hashes nothing need not wait for

    return hashlib.sha256(canonical_bytes(value)).hexdigest()
