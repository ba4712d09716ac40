"""Whatever text is written, every reader of YAML reads the same text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.yaml_write import dump, is_plain

PLAIN = ["word", "a/path.jsonl", "model_v1.0", "5.0.0", "7891d067", "a-b_c.d/e"]
QUOTED = [
    "",
    "no",
    "On",
    "null",
    "~",
    "1",
    "1.5",
    "1e3",
    "123e4",
    "0x1F",
    "0o17",
    "0b1",
    "1_000",
    "2026-11-22",
    "2026-13-45",
]
QUOTED += [
    "1:30",
    "a: b",
    "a #b",
    "- a",
    "[a]",
    "{a}",
    " a",
    "a ",
    "é",
    "a,b",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a`",
    "|",
    "9" * 5000,
]


@pytest.mark.parametrize("text", PLAIN)
def test_words_and_paths_stay_plain(text: str) -> None:
    assert is_plain(text)
    assert dump({"key": text}) == f"key: {text}\n"


@pytest.mark.parametrize("text", QUOTED)
def test_what_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert not is_plain(text)
    assert dump({"key": text}).startswith('key: "')


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_both_readers_give_back_what_was_written(value: dict[str, object]) -> None:
    text = dump(value)
    assert read_yaml(text, "").value == value
    assert yaml.safe_load(text) == value
    assert all(line.isprintable() for line in text.split("\n"))


def test_the_same_value_twice_is_written_out_and_keys_keep_their_order() -> None:
    part = {"b": [1.0], "a": 1e-07}
    assert dump({"x": part, "w": part}) == "".join(f"{key}:\n  b:\n    - 1.0\n  a: 1.0e-07\n" for key in "xw")
