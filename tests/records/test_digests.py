from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.canonical import canonical_bytes, canonical_json, digest_of
from modelrelease.records.digests import dataset_digest

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
DIGESTS = st.lists(st.integers(0, 2**256 - 1).map("{:064x}".format))


@pytest.mark.parametrize(
    ("row", "canonical"),
    [
        ({"id": "1", "b": [1, 2.5, None], "a": "é"}, '{"a":"é","b":[1,2.5,null],"id":"1"}'),
        ({"id": 1}, '{"id":1}'),
        ({}, "{}"),
    ],
)
def test_a_rows_digest_is_the_sha256_of_its_canonical_json(row: object, canonical: str) -> None:
    expected = hashlib.sha256(canonical.encode()).hexdigest()
    assert digest_of(row) == expected


def test_one_character_changes_a_digest_and_the_order_of_keys_does_not() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert len({digest_of({"a": value}) for value in ("1", 1, 1.0, True, "1 ", None)}) == 6


@given(VALUES)
def test_the_bytes_that_are_hashed_are_canonical_json(value: object) -> None:
    assert canonical_bytes(value) == canonical_json(value).encode()


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": -float("inf")}, "\ud800", {"\udfff": 1}])
def test_what_json_cannot_hold_has_no_digest(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON compliant|surrogates"):
        digest_of(value)


@pytest.mark.parametrize(
    ("digests", "total"),
    [
        ([], "0" * 64),
        (["0" * 63 + "9", "0" * 63 + "8"], "0" * 62 + "11"),
        (["f" * 64, "0" * 63 + "2"], "0" * 63 + "1"),
    ],
)
def test_a_datasets_digest_is_the_sum_modulo_2_to_the_256(digests: list[str], total: str) -> None:
    assert dataset_digest(digests) == total


@given(DIGESTS, DIGESTS, st.data())
def test_a_datasets_digest_is_free_of_order_and_adds_up(left: list[str], right: list[str], data: st.DataObject) -> None:
    together = left + right
    assert dataset_digest(data.draw(st.permutations(together))) == dataset_digest(together)
    assert dataset_digest([dataset_digest(left), dataset_digest(right)]) == dataset_digest(together)
