from __future__ import annotations

import pytest

from modelrelease.registry.reasons import EXAMPLE, is_visible, says_something, width
from modelrelease.registry.rules import author_names, parse_day


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("abc", 3),
        (" a  b ", 3),
        ("改为", 4),
        ("é", 1),
        ("e\u0301", 1),
        ("a\u200bb", 2),
        ("ａ", 2),
        ("", 0),
        ("한국어", 6),
    ],
)
def test_width_is_in_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(
    ("text", "visible"), [("a", True), (" \t", False), ("\u200b\u2060", False), ("\u00a0", False), ("é", True)]
)
def test_what_cannot_be_seen(text: str, visible: bool) -> None:
    assert is_visible(text) is visible


@pytest.mark.parametrize(
    "text", [EXAMPLE, "改为先给出答案", "Réponds d’abord", "Fix the typo in the greeting", "Ответ сначала"]
)
def test_reasons_that_say_something(text: str) -> None:
    assert says_something(text)


@pytest.mark.parametrize(
    "text", ["fix", "update prompt", "WIP WIP WIP", "misc changes to the dataset", "...", "12 34", "typo", "x"]
)
def test_reasons_that_say_nothing(text: str) -> None:
    assert not says_something(text)


def test_an_identity_has_several_names() -> None:
    assert author_names("Ada  Lovelace", "Ada@example.org") == {
        "ada lovelace",
        "ada@example.org",
        "ada lovelace <ada@example.org>",
    }
    assert {"ada", "@ada", "ada@users.noreply.github.com"} <= author_names("A", "12+ada@users.noreply.github.com")
    assert author_names("", "") == {" <>"}


@pytest.mark.parametrize("text", ["2026-02-29", "2026-1-1", "2026-01-01T00:00", "0000-01-01", "２０２６-01-01", ""])
def test_what_is_no_day(text: str) -> None:
    assert parse_day(text) is None
