from __future__ import annotations

import time

import pytest

from modelrelease.scoring.metrics import patterns
from modelrelease.scoring.metrics.patterns import (
    MAX_PATTERN,
    PatternTimeoutError,
    find,
    matches,
    pattern_problem,
)

GSM8K = r"####\s*(-?[\d.,]*\d)"


@pytest.mark.parametrize(
    ("pattern", "text", "take", "found"),
    [
        (r"\d+", "a 12 b 34", "first", "12"),
        (r"\d+", "a 12 b 34", "last", "34"),
        (r"(\d)\d", "a 12 b 34", "last", "3"),
        (r"(a)|b", "b", "first", None),
        (r"x", "abc", "first", None),
        (GSM8K, "so 3 + 4 = 7.\n#### 7", "last", "7"),
        (GSM8K, "#### 1,080.50 dollars", "first", "1,080.50"),
        (GSM8K, "####-3.", "first", "-3"),
        (GSM8K, "#### none", "first", None),
        ("", "abc", "first", ""),
    ],
)
def test_what_is_found_is_the_first_group_or_the_whole_match(
    pattern: str, text: str, take: str, found: str | None
) -> None:
    assert find(pattern, text, take) == found


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b+", "abc", True),
        ("^b", "abc", False),
        ("(?i)^ABC$", "abc", True),
        ("(?x) a b  # a comment to the end", "abc", True),
        (r"(a)\1", "aa", True),
        ("", "", True),
        ("x|", "abc", True),
    ],
)
def test_an_expression_matches_anywhere_whatever_it_ends_with(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@pytest.mark.parametrize("pattern", [r"(a|aa)+$", r"(a+)+$"])
def test_an_expression_that_backtracks_without_end_is_stopped_in_seconds(pattern: str) -> None:
    begun = time.monotonic()
    outcome: object = None
    try:
        outcome = matches(pattern, "a" * 60 + "b")
    except PatternTimeoutError as error:
        outcome = str(error)
    assert outcome in (False, f"the expression {pattern!r} did not finish in 2 s")
    assert time.monotonic() - begun < 20


def test_a_search_that_is_stopped_says_which_expression_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIMEOUT", 0.2)
    pattern = "(a|aa)+$" + "|x" * 100
    with pytest.raises(PatternTimeoutError) as caught:
        find(pattern, "a" * 60 + "b", "last")
    assert str(caught.value) == f"the expression {pattern[:79] + '…'!r} did not finish in 0.2 s"


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (GSM8K, None),
        (r"[[a-z]+", None),
        (r"\b(?:[A-Z][a-z]{1,20}\s){1,5}\d{4}\b", None),
        (r"^(.{0,200}\n){0,20}$", None),
        ("(?x) a  # ( ( (", None),
        ("(", "missing ), unterminated subpattern at position 0"),
        ("a{3}{3}", "multiple repeat at position 4"),
        (r"\p{L}", r"bad escape \p at position 0"),
        ("a{e<1", "expected } at position 5"),
        ("(" * 90 + "a" + "+)" * 90, "its repeats inside repeats expand to more than 50000 steps"),
        ("(" * 40 + "a" + "{1,2})" * 40, "its repeats inside repeats expand to more than 50000 steps"),
        ("((a{300}){300}){300}", "its repeats inside repeats expand to more than 50000 steps"),
        ("(?:" * 30 + "[)+]" + r"\)){2}" * 30, "its repeats inside repeats expand to more than 50000 steps"),
        ("a" * (MAX_PATTERN + 1), "it has 4001 characters, more than 4000"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_before_it_is_compiled_without_end(
    pattern: str, problem: str | None
) -> None:
    begun = time.monotonic()
    assert pattern_problem(pattern) == problem
    assert time.monotonic() - begun < 5
