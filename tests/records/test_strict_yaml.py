from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.records import strict_yaml
from modelrelease.records.canonical import canonical_json
from modelrelease.records.located import Keys, Place
from modelrelease.records.strict_json import read_json
from modelrelease.records.strict_yaml import PythonParser, read_yaml

PARSERS = [pytest.param(PythonParser, id="python")]
if yaml.__with_libyaml__:
    PARSERS.append(pytest.param(yaml.CSafeLoader, id="libyaml"))


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(strict_yaml, "PARSER", request.param)
    return str(request.param.__name__)


def complaints(text: str, first_line: int = 1) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_yaml(text, "f", first_line)
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\na: 1\n...\n", {"a": 1}),
        ("%YAML 1.2\n---\na: 1\n", {"a": 1}),
        ("a: [true, True, FALSE, null, Null, ~, ]", {"a": [True, True, False, None, None, None]}),
        ("a:\nb: ''\n", {"a": None, "b": ""}),
        ("[NO, no, on, off, yes, y, tRUE, nULL]", ["NO", "no", "on", "off", "yes", "y", "tRUE", "nULL"]),
        (
            "[2026-11-22, 1:30, 0o17, 0x1F, 0b1, 1_000, 1.2.3]",
            ["2026-11-22", "1:30", "0o17", "0x1F", "0b1", "1_000", "1.2.3"],
        ),
        ("[1, -2, +3, 007, 0]", [1, -2, 3, 7, 0]),
        ("[1.5, .5, 1., 1e3, -1.5E-3, +2e+2, 1e-400]", [1.5, 0.5, 1.0, 1000.0, -0.0015, 200.0, 0.0]),
        ("['1', \"true\", '', \"~\", '.nan']", ["1", "true", "", "~", ".nan"]),
        ("on: push\nNO: 1\n'1': 2\n'<<': 3\n", {"on": "push", "NO": 1, "1": 2, "<<": 3}),
        ("a: &x [1, 2]\nb: *x\nc: &y k\n*y : 3\n", {"a": [1, 2], "b": [1, 2], "c": "k", "k": 3}),
        ("&a a: &a 1\nb: *a\n", {"a": 1, "b": 1}),
        ("a: |\n  x\n\n  y\nb: >-\n  x\n  y\n", {"a": "x\n\ny\n", "b": "x y"}),
        ('{"a": "x\u2028y\x85z\u2029", "\u2028": " \x85 "}', {"a": "x\u2028y\x85z\u2029", "\u2028": " \x85 "}),
        ("a: |\n  x\u2028y\x85\n  \ue000\n", {"a": "x\u2028y\x85\n\ue000\n"}),
        ('{\n\t"a":\t[1,\t2]\n}', {"a": [1, 2]}),
        ('["\\u00e9\\x07\\N\\L\\/\\U0001F600"]', ["é\x07\x85\u2028/😀"]),
        ("[" * 64 + "]" * 64, json.loads("[" * 64 + "]" * 64)),
        ("9" * 4300, int("9" * 4300)),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(parser: str, text: str, value: Any) -> None:
    found = read_yaml(text, "f").value
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("a: 1\nb: 2\na: 3\n", ["f:3: MR203 the key `a` stands in lines 1 and 3; keep one of them"]),
        ("x:\n  - {a: 1, 'a': 2}", ["f:2: MR203 the key `a` stands twice; keep one of them"]),
        ("a: 1\n---\nb: 2\n", ["f:2: MR205 holds more than one document; keep one document a file"]),
        ("a: &a {x: 1}\nb:\n  <<: *a\n", ["f:3: MR205 uses the merge key `<<`; write the keys out"]),
        ("a:\n  !foo 1", ["f:2: MR205 uses the tag `!foo`; remove the tag; put text in quotes"]),
        ("a: !!str 1", ["f:1: MR205 uses the tag `!!str`; remove the tag; put text in quotes"]),
        (
            "a: !!python/object/apply:os.system ['id']",
            ["f:1: MR205 uses the tag `!!python/object/apply:os.system`; remove the tag; put text in quotes"],
        ),
        ("a: ! x", ["f:1: MR205 uses the tag `!`; remove the tag; put text in quotes"]),
        (
            "1: a\ntrue: b\n",
            [f"f:{n}: MR205 the key `{k}` is no text; put it in quotes" for n, k in ((1, 1), (2, "true"))],
        ),
        (
            "? [a]\n: 1\n? {a: 1}\n: 2\n",
            [
                "f:1: MR205 the key that is a list is no text; put it in quotes",
                "f:3: MR205 the key that is a mapping is no text; put it in quotes",
            ],
        ),
        (
            "{null: 1, 1.5: 2}",
            [
                "f:1: MR205 the key `null` is no text; put it in quotes",
                "f:1: MR205 the key `1.5` is no text; put it in quotes",
            ],
        ),
        (
            "a: .nan\nb: [-.INF, 1e400, -1e999]\n",
            [
                "f:1: MR204 `.nan` is no finite number; write a finite number, null, or text in quotes",
                "f:2: MR204 `-.INF` is no finite number; write a finite number, null, or text in quotes",
                "f:2: MR204 `1e400` is no finite number; write a finite number, null, or text in quotes",
                "f:2: MR204 `-1e999` is no finite number; write a finite number, null, or text in quotes",
            ],
        ),
        (
            "a: -" + "1" * 4301,
            ["f:1: MR204 a whole number of 4301 digits is too long (at most 4300); write it as text in quotes"],
        ),
        ("a: &a\n- *a\n", ["f:2: MR205 the alias `*a` stands inside what it names; write the value out"]),
        ("a: *b\n", ["f:1: MR201 the alias `*b` names no anchor before it; define the anchor first"]),
        (
            "a: 1\nb: \x07\n",
            ["f:2: MR201 holds the control character U+0007; remove it, or write it as an escape in double quotes"],
        ),
        (
            "a: \x7f\n",
            ["f:1: MR201 holds the control character U+007F; remove it, or write it as an escape in double quotes"],
        ),
        (
            "\ud800",
            ["f:1: MR201 holds the control character U+D800; remove it, or write it as an escape in double quotes"],
        ),
        ("\n" + "[" * 65, ["f:2: MR201 is nested deeper than 64 levels; make it flatter"]),
        (
            "a: 1\na: 2\n!x b: 1\n1: 2\n",
            [
                "f:2: MR203 the key `a` stands in lines 1 and 2; keep one of them",
                "f:3: MR205 uses the tag `!x`; remove the tag; put text in quotes",
                "f:4: MR205 the key `1` is no text; put it in quotes",
            ],
        ),
    ],
)
def test_what_strict_yaml_does_not_have_is_named_with_its_line(parser: str, text: str, findings: list[str]) -> None:
    assert complaints(text) == findings


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: [1,\n", "f:1: MR201 is not valid YAML: "),
        ("a: 1\nb: 'x\n", "f:2: MR201 is not valid YAML: found unexpected end of stream; correct it here"),
        ("a: x\u2028b: 1\n", "f:1:7: MR201 is not valid YAML: mapping values are not allowed "),
        ("a: b: c\n", "f:1:5: MR201 is not valid YAML: mapping values are not allowed "),
        ("a:\n\t- b\n", "f:2:1: MR201 is not valid YAML: found character "),
        ("a: 1\nb: @x", "f:2:4: MR201 is not valid YAML: found character "),
        ('a: 1\nb: "\\q"', "f:2:"),
    ],
)
def test_a_syntax_error_has_its_line(parser: str, text: str, start: str) -> None:
    (finding,) = complaints(text)
    assert finding.startswith(start)


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\ud83d\\ude00"', '"\\U00110000"', '"\\UFFFFFFFF"', "!%ff a", "a: |99"]
)
def test_escapes_that_are_no_character_are_refused_on_their_line(parser: str, text: str) -> None:
    (finding,) = complaints("\n" + text)
    assert finding.startswith("f:2")
    assert ": MR201 " in finding


def test_lines_count_from_where_the_text_begins(parser: str) -> None:
    assert complaints("a: 1\na: 2\n", first_line=7) == [
        "f:8: MR203 the key `a` stands in lines 7 and 8; keep one of them"
    ]
    assert complaints("a: 1\nb: [\n", first_line=7)[0].startswith("f:8: MR201 ")
    assert complaints("a: 1\n\x00", first_line=7)[0].startswith("f:8: MR201 holds the control character U+0000")
    assert read_yaml("a:\n  b: 1", "f", first_line=7).line_of(("a", "b")) == 8


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), 2), (("a",), 2), (("a", "b"), 3), (("a", "b", 0), 4), (("a", "b", 1), 6), (("a", "b", 1, "d"), 7),
        (("e",), 8), (("e", 1, "d"), 7), (("t",), 9), (("nowhere", 1), 2),
    ],
)  # fmt: skip
def test_lines_are_those_of_keys_and_of_a_lists_items(parser: str, keys: Keys, line: int) -> None:
    text = "# a comment\na:\n  b: &x\n  - 1\n  -\n    c: 1\n    d: 2\ne: *x\nt: |\n  x\n"
    assert read_yaml(text, "f").line_of(keys) == line


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("t: x", Place(1, 1)),
        ("t:\n  x y", Place(1, 2)),
        ("t: 'x\n\n  y'", Place(1, 1)),
        ("t: |\n  x\n  y\n", Place(1, 2, verbatim=True)),
        ("t: |2-  # comment\n\n    x", Place(1, 2, verbatim=True)),
        ("t: >\n  x\n  y\n", Place(1, 2)),
        ("u: &u |\n  x\nt: *u", Place(3, 2, verbatim=True)),
    ],
)
def test_the_line_of_a_text_itself_is_known_and_whether_its_lines_are_the_files(
    parser: str, text: str, place: Place
) -> None:
    assert read_yaml(text, "f").place_of(("t",)) == place


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)
TOWER = "".join(f"a{i}: &a{i} {'[' * 60}{f'*a{i - 1}' if i else 1}{']' * 60}\n" for i in range(100))


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("[" * 200_000, "f:1: MR201 is nested deeper than 64 levels"),
        ("{a: " * 200_000, "f:1: MR201 is nested deeper than 64 levels"),
        ("- " * 200_000, "f:1: MR201 is nested deeper than 64 levels"),
        ("? " * 200_000, "f:1: MR201 is nested deeper than 64 levels"),
        ("[\n" * 200_000, "f:65: MR201 is nested deeper than 64 levels"),
        (TOWER, "f:2: MR201 is nested deeper than 64 levels"),
        (LAUGHS, "f:5: MR205 aliases expand to more than 100000 nodes; write the values out"),
        (
            "a: &a " + "x" * 100_000 + "\nb: [" + "*a," * 1000 + "]",
            "f:2: MR205 aliases expand to more than 100000 nodes",
        ),
        ('"' + '\\"' * 100_000, "f:1"),
        ("!" * 100_000, "f:1: MR205 uses the tag `!!!"),
        ("a: " * 100_000, "f:1:5: MR201"),
        ("---\n" * 100_000, "f:2: MR205 holds more than one document"),
        ("%YAML " + "1" * 5000 + ".1\n---\n", "f:1"),
    ],
    ids=lambda text: text[:6],
)
def test_hostile_documents_are_refused_in_seconds(parser: str, text: str, start: str) -> None:
    began = time.process_time()
    assert complaints(text)[0].startswith(start)
    assert time.process_time() - began < 5


def test_aliases_are_fine_while_they_stay_small(parser: str) -> None:
    text = "a: &a " + "x" * 1000 + "\nb: [" + ", ".join(["*a"] * 1000) + "]\n"
    assert read_yaml(text, "f").value["b"] == ["x" * 1000] * 1000


TEXTS = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs", "Cc"]) | st.just("\x85")
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@given(value=VALUES, indent=st.sampled_from([None, 1, "\t"]))
def test_json_means_the_same_read_as_yaml(value: Any, indent: int | str | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent).replace("\ufffe", "").replace("\uffff", "")
    expected = canonical_json(read_json(text, "f").value)
    assert canonical_json(read_yaml(text, "f").value) == expected


SCRAPS = [
    "a",
    "b: ",
    "- ",
    "\n",
    "\n  ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "|\n",
    '"',
    "'",
    "&x ",
    "*x",
    "#",
    "1",
    "~",
    "\u2028",
]


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="needs both parsers")
@given(st.lists(st.sampled_from(SCRAPS), max_size=14).map("".join))
def test_both_parsers_of_pyyaml_read_the_same(text: str) -> None:
    seen = []
    for events in (PythonParser, yaml.CSafeLoader):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(strict_yaml, "PARSER", events)
            try:
                located = read_yaml(text, "f")
                seen.append((located.value, located.place_of(())))
            except InvalidInput as error:
                seen.append(({finding.code for finding in error.findings}, None))
    assert repr(seen[0]) == repr(seen[1]) or seen[0][1] is seen[1][1] is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: !function utils.f", {"a": {"!function": "utils.f"}}),
        ("a: !x [1, !y {b: 2}]", {"a": {"!x": [1, {"!y": {"b": 2}}]}}),
        ("a: !!null ''", {"a": ""}),
        ("a: !!null", {"a": None}),
        ("a: !!str 7", {"a": "7"}),
        ("a: !!int 7", {"a": 7}),
        ("a: !!map {b: !!seq [c]}", {"a": {"b": ["c"]}}),
    ],
)
def test_tags_may_be_kept_without_being_acted_on(text: str, value: object) -> None:
    assert read_yaml(text, "f", opaque_tags=True).value == value
    with pytest.raises(InvalidInput, match="MR205 uses the tag"):
        read_yaml(text, "f")


@pytest.mark.parametrize("text", ["a: !!python/object:os.system []", "a: !!binary eA==", "a: !!set {b}", "a: ! 7"])
def test_tags_that_make_objects_are_refused_everywhere(text: str) -> None:
    with pytest.raises(InvalidInput, match="MR205 uses the tag"):
        read_yaml(text, "f", opaque_tags=True)
