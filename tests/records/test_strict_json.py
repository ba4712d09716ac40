from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.records import json_places
from modelrelease.records.canonical import canonical_json
from modelrelease.records.located import Keys
from modelrelease.records.strict_json import BadJson, parse_json_line, parse_row, read_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
SCRAPS = ['"a"', '"b"', ":", ",", "{", "}", "[", "]", "1", "NaN", "1e999", '"\\u0022:"', '"\\ud800"', " ", '"\\"', "\n"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        (' {"a": [1, -0.5, 1e3, true, null, "\\u00e9\\ud83d\\ude00"]} \n', {"a": [1, -0.5, 1000.0, True, None, "é😀"]}),
        ('"\x7f\u2028\x85"', "\x7f\u2028\x85"),
        ("9" * 4300, int("9" * 4300)),
        ("[" * 64 + "]" * 64, json.loads("[" * 64 + "]" * 64)),
        ('"' + "[" * 1000 + '\\"{"', "[" * 1000 + '"{'),
    ],
)
def test_valid_json_is_read_as_it_is(text: str, value: Any) -> None:
    assert read_json(text, "f").value == value
    assert parse_json_line(text) == value
    assert parse_row(text) == (value, canonical_json(value).encode())


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", ["f:1:1: MR201 is not valid JSON: Expecting value; correct it here"]),
        ('{"a": 1,\n "b" 2}', ["f:2:6: MR201 is not valid JSON: Expecting ':' delimiter; correct it here"]),
        ('{}\n{"a": 1}', ["f:2:1: MR201 is not valid JSON: Extra data; correct it here"]),
        ("\ufeff{}", ["f:1:1: MR201 is not valid JSON: Expecting value; correct it here"]),
        ('["\\ud800"]', ["f:1: MR201 a text holds half of a surrogate pair (\\ud800), which is no character; "]),
        ('{\n"\\udfff": 1}', ["f:2: MR201 a text holds half of a surrogate pair (\\udfff), which is no character; "]),
        ('{"a": 1, "a": 2}', ["f:1: MR203 the key `a` stands twice; keep one of them"]),
        ('{"a": 1,\n\n"\\u0061": 2}', ["f:3: MR203 the key `a` stands in lines 1 and 3; keep one of them"]),
        (
            '[{"x": {"b": 1,\n"b": NaN}},\n{"c": [],\n"c": -1e400, "d": -Infinity}]',
            [
                "f:2: MR203 the key `b` stands in lines 1 and 2; keep one of them",
                "f:2: MR204 `NaN` is no finite number; write a finite number, null, or text in quotes",
                "f:4: MR203 the key `c` stands in lines 3 and 4; keep one of them",
                "f:4: MR204 `-1e400` is no finite number; write a finite number, null, or text in quotes",
                "f:4: MR204 `-Infinity` is no finite number; write a finite number, null, or text in quotes",
            ],
        ),
        ("[1,\n-" + "1" * 4301 + "]", ["f:2: MR204 a whole number of 4301 digits is too long (at most 4300); "]),
        ("\n" + "[" * 65 + "]" * 65, ["f:2: MR201 is nested deeper than 64 levels; make it flatter"]),
        ('{"' + "k" * 200 + '": 1, "' + "k" * 200 + '": 1}', ["f:1: MR203 the key `" + "k" * 79 + "…` stands twice; "]),
    ],
)
def test_everything_wrong_with_a_document_is_a_finding_with_its_line(text: str, findings: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_json(text, "f")
    shown = [str(finding) for finding in caught.value.findings]
    assert len(shown) == len(findings)
    assert [line[: len(start)] for line, start in zip(shown, findings, strict=True)] == findings


@pytest.mark.parametrize(
    ("keys", "line"),
    [((), 2), (("a",), 3), (("a", 1), 5), (("b",), 7), (("b", "c"), 9), (("b", "c", 0), 9), (("zz",), 2)],
)
def test_lines_of_values_are_found_when_asked_for(keys: Keys, line: int) -> None:
    text = '\n{\n"a": [1,\n\n{"x": "{\\n"}],\n\n"b":\n{\n"c": [null]}}'
    assert read_json(text, "f").line_of(keys) == line


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        '"' * 200_001,
        '"' + '\\"' * 200_000,
        '"\\' * 100_000,
        '[{"a":1,"a":1},"' + '\\"' * 200_000,
        "[1" + ",1" * 200_000,
        '{"a":NaN' * 60 + " " * 200_000,
        "1" * 200_000,
    ],
    ids=lambda text: text[:9],
)
def test_hostile_texts_are_refused_in_no_time_and_by_no_other_exception(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_json(text, "f")
    with pytest.raises(BadJson):
        parse_row(text)


def test_a_bad_line_says_what_is_wrong_and_moves_to_its_place_in_a_file() -> None:
    with pytest.raises(BadJson, match="the key `a` stands twice") as caught:
        parse_json_line('{"a": 1, "a": 2}')
    assert [str(finding) for finding in caught.value.at("d.jsonl", 17)] == [
        "d.jsonl:17: MR203 the key `a` stands twice; keep one of them"
    ]


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1, "a": "\\u0022:"}',
        '{"a" :1,"a":2}',
        '{"a": {"b": 1, "b": 2}, "c": "\\"\\""}',
        '{"a": "\\ud800"}',
        '{"a": 1e400}',
        '{"a": Infinity}',
    ],
)
def test_the_fast_way_to_read_a_row_lets_nothing_through(line: str) -> None:
    with pytest.raises(BadJson):
        parse_row(line)


def outcome(read: Callable[[str], Any], line: str) -> Any:
    try:
        return read(line)
    except BadJson as error:
        return error.findings


@given(st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join))
def test_the_fast_and_the_strict_way_agree_on_every_line(line: str) -> None:
    strict = outcome(lambda line: (parse_json_line(line), canonical_json(parse_json_line(line)).encode()), line)
    assert outcome(parse_row, line) == strict


def height(value: Any) -> int:
    """Return how deep a value nests."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(height, inside), default=0)


TRICKY = st.text('a"\\\\[]{}é\n', max_size=6)
NESTED = st.recursive(TRICKY, lambda inner: st.lists(inner) | st.dictionaries(TRICKY, inner), max_leaves=12)


@given(NESTED, st.integers(1, 5), st.integers(0, 6))
def test_depth_is_that_of_brackets_outside_of_texts_wherever_the_text_is_parted(
    value: Any, piece: int, most: int
) -> None:
    text = json.dumps(value, ensure_ascii=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_places, "_PIECE", piece)
        patch.setattr(json_places, "MAX_DEPTH", most)
        assert json_places._nests_deep(text) == (height(value) > most)
        assert (json_places.line_too_deep(text) is not None) == (height(value) > most)


@given(VALUES)
def test_what_json_writes_is_read_back_with_every_key_on_its_line(value: Any) -> None:
    located = read_json(json.dumps(value, indent=1), "f")
    assert canonical_json(located.value) == canonical_json(value)
    if isinstance(value, dict):
        lines = json.dumps(value, indent=1).split("\n")
        assert all(lines[located.line_of((key,)) - 1].startswith(" " + json.dumps(key)) for key in value)
