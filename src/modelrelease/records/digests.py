"""The digest of a dataset. A row's digest is ``digest_of`` its fields: of its canonical JSON, read as a number."""

from __future__ import annotations

from collections.abc import Iterable

_MODULUS = 1 << 256


def dataset_digest(row_digests: Iterable[str]) -> str:
    """Return the sum modulo 2**256 of row digests as 64 lowercase hex digits: the order does not matter.

    So the digest of two datasets together is the sum of theirs, and a change log's deltas add up.
    The number of rows is recorded beside it.
    """
    return f"{sum(int(digest, 16) for digest in row_digests) % _MODULUS:064x}"
