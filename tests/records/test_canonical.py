"""The same value gives the same bytes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.canonical import canonical_json, digest_of, document_bytes

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1.5, None, True]}, '{"a":[1.5,null,true],"b":1}'),
        ("é\u2028\n", '"é\u2028\\n"'),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e300, "1e+300"),
    ],
)
def test_canonical_json(value: Any, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", {"a": [-math.inf]}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"surrogate|Out of range"):
        canonical_json(value)


@given(PLAIN)
def test_a_value_read_back_has_the_same_digest(value: Any) -> None:
    assert digest_of(json.loads(canonical_json(value))) == digest_of(value)
    assert digest_of(json.loads(document_bytes(value))) == digest_of(value)


def test_a_document_ends_with_one_line_end_and_is_sorted() -> None:
    assert document_bytes({"b": [], "a": {"d": 1, "c": 2}}) == (
        b'{\n  "a": {\n    "c": 2,\n    "d": 1\n  },\n  "b": []\n}\n'
    )
