"""The line that a person reads, and the exit code that a program reads."""

from __future__ import annotations

import pytest

from modelrelease.codes import MEANING, Code
from modelrelease.errors import Finding, InvalidInput, Refused, Unavailable, escape_controls, invalid, shorten


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("a.yaml", Code.SYNTAX, "is wrong", "mend it"), "a.yaml: MR201 is wrong; mend it"),
        (Finding("a.yaml", Code.SYNTAX, "is wrong", "mend it", 3), "a.yaml:3: MR201 is wrong; mend it"),
        (Finding("a.yaml", Code.SYNTAX, "is wrong", "mend it", 3, 7), "a.yaml:3:7: MR201 is wrong; mend it"),
        (Finding("a\n::error::", Code.SYNTAX, "\x1b[2J", "\u202e"), "a\\n::error::: MR201 \\x1b[2J; \\u202e"),
    ],
)
def test_a_finding_is_one_line(finding: Finding, line: str) -> None:
    assert str(finding) == line


def test_a_long_message_is_cut() -> None:
    assert len(str(Finding("p", Code.SYNTAX, "x" * 10_000, "y"))) < 700


def test_many_findings_are_counted() -> None:
    lines = InvalidInput([Finding(str(n), Code.SYNTAX, "w", "t") for n in range(25)]).lines()
    assert len(lines) == 21
    assert lines[-1] == "… and 5 more like these"


@pytest.mark.parametrize(("error", "code"), [(Refused, 1), (InvalidInput, 2), (Unavailable, 3)])
def test_each_class_has_its_exit_code(error: type[InvalidInput], code: int) -> None:
    assert error(Finding("p", Code.SYNTAX, "w", "t")).exit_code == code


def test_every_code_has_a_meaning_and_stands_once() -> None:
    assert set(MEANING) == set(Code)
    assert len({code.value for code in Code}) == len(Code.__members__)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 中 🙂", "plain é 中 🙂"),
        ("\t\r\n", "\\t\\r\\n"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u200b\u2066\ufeff", "\\u200b\\u2066\\ufeff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


@pytest.mark.parametrize(("text", "limit", "short"), [("abc", 3, "abc"), ("abcd", 3, "ab…")])
def test_shorten(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short


def test_invalid_makes_an_error_of_one_finding() -> None:
    assert str(invalid("p", Code.USAGE, "is wrong", "mend it", 4)) == "p:4: MR601 is wrong; mend it"
