from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.records.templates import MissingField, compile_template

TODO = "write `{{name}}` with the name of a row's field, or `{{{{` for a literal `{{`"


@pytest.mark.parametrize(
    ("text", "fields", "rendered"),
    [
        ("", (), ""),
        ("plain } }} { {x} {", (), "plain } }} { {x} {"),
        ("{{a}}", ("a",), "A"),
        ("{{ a }}-{{\ta\t}}", ("a",), "A-A"),
        ("{{b.c-d_1}}{{a}}{{b.c-d_1}}", ("b.c-d_1", "a"), "{{a}}A{{a}}"),
        ('{"x": {{a}}}', ("a",), '{"x": A}'),
        ("{{{{a}}", (), "{{a}}"),
        ("{{{{{{a}}}}", ("a",), "{{A}}"),
        ("{{{{{", (), "{{{"),
        ("{{{{{{{{", (), "{{{{"),
        ("{{a}}\n{{n}} {{f}} {{t}} {{l}}", ("a", "n", "f", "t", "l"), 'A\n7 0.5 true [{"a":1,"b":"é"},null]'),
        ("{% raw %} {# x #} ${a} <% %>", (), "{% raw %} {# x #} ${a} <% %>"),
    ],
)
def test_fields_are_filled_in_and_all_else_is_text(text: str, fields: tuple[str, ...], rendered: str) -> None:
    row = {"a": "A", "b.c-d_1": "{{a}}", "n": 7, "f": 0.5, "t": True, "l": [{"b": "é", "a": 1}, None]}
    template = compile_template(text, "f", 1)
    assert template.fields == fields
    assert template.render(row) == rendered


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{", "{{"),
        ("{{}}", "{{}}"),
        ("{{ }}", "{{ }}"),
        ("{{1a}}", "{{1a}}"),
        ("{{a", "{{a"),
        ("{{a}", "{{a}"),
        ("{{a\n}}", "{{a"),
        ("{{a b}}", "{{a b}}"),
        ("{{a|upper}}", "{{a|upper}}"),
        ("{{é}}", "{{é}}"),
        ("{{{a}}}", "{{{a}}}"),
        ("{{#each rows}}" + "x" * 30, "{{#each rows}}" + "x" * 9 + "…"),
    ],
)
def test_two_braces_that_open_no_field_are_refused(text: str, shown: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_template("x " + text, "p.md", 3)
    assert str(caught.value.findings[0]) == f"p.md:3: MR302 `{shown}` opens no field; {TODO}"


@pytest.mark.parametrize(("verbatim", "lines"), [(True, [11, 13, 13]), (False, [10, 10, 10])])
def test_lines_count_inside_the_text_where_its_lines_are_the_files(verbatim: bool, lines: list[int]) -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_template("a\n{{ {{a}}\n{{a}} {{{{\n{{1}} {{2}}\n", "f", 10, verbatim)
    assert [finding.line for finding in caught.value.findings] == lines


@pytest.mark.parametrize("row", [{}, {"a": None}, {"A": "x"}])
def test_a_field_that_is_missing_or_null_is_named(row: dict[str, Any]) -> None:
    with pytest.raises(MissingField) as caught:
        compile_template("{{a}}", "f", 1).render(row)
    assert caught.value.name == "a"


@given(st.text(alphabet="{}ab \n"))
def test_any_text_survives_escaping(text: str) -> None:
    template = compile_template(text.replace("{{", "{{{{"), "f", 1)
    assert template.fields == ()
    assert template.render({}) == text


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]*", fullmatch=True), st.text(), min_size=1))
def test_values_stand_in_the_text_as_they_are(row: dict[str, str]) -> None:
    template = compile_template("".join(f"{{{{{name}}}}}\n" for name in row), "f", 1)
    assert template.fields == tuple(row)
    assert template.render(row) == "".join(value + "\n" for value in row.values())


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_001,
        "{{ " * 200_000,
        "{{a" * 200_000,
        "{{" + " " * 500_000,
        "{{a" + " " * 500_000,
        "{{" + "a" * 500_000,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_templates_take_time_in_proportion_to_their_length(text: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput):
        compile_template(text + "{{", "f", 1)
    assert time.process_time() - began < 5
