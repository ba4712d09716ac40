from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.suite import MetricSpec
from modelrelease.scoring.metrics import patterns
from modelrelease.scoring.metrics.patterns import PatternTimeoutError
from modelrelease.scoring.metrics.text import TextScorer, normalize_number, normalize_text, token_f1

GSM8K = {"extract": r"####\s*(-?[\d.,]*\d)", "take": "last", "normalize": "number"}


def scorer(name: str, **options: Any) -> TextScorer:
    return TextScorer(MetricSpec(name=name, **options))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat, a dog!", "cat dog"),
        ("  AN   apple\nthe\tpie ", "apple pie"),
        ("don't", "dont"),
        ("thesis and another", "thesis and another"),
        ("¿Qué?", "¿qué"),
        ("the a an", ""),
    ],
)
def test_text_is_compared_without_case_punctuation_and_articles(text: str, expected: str) -> None:
    assert normalize_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", "42"),
        ("042", "42"),
        ("$1,080.50 ", "1080.5"),
        ("1080.500", "1080.5"),
        ("-3", "-3"),
        ("+3", "3"),
        ("-0.00", "0"),
        (".5", "0.5"),
        ("5.", "5"),
        ("50%", "50"),
        ("50 %.", "50"),
        ("€ 12", "12"),
        ("100", "100"),
        ("1" * 40, "1" * 40),
        ("0." + "1" * 40, "0." + "1" * 40),
        ("1" * 401, None),
        ("3 4", None),
        ("1e5", None),
        ("1.2.3", None),
        ("--3", None),
        ("²", None),
        ("NaN", None),
        ("Infinity", None),
        ("four", None),
        ("", None),
        (".", None),
        ("$", None),
    ],
)
def test_a_number_has_one_form_and_what_is_none_has_none(text: str, expected: str | None) -> None:
    assert normalize_number(text) == expected


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40, places=8))
def test_numbers_are_equal_in_form_exactly_when_they_are_in_value(number: Any) -> None:
    assert normalize_number(f"{number:,f}") == normalize_number(f"{number:f}00")
    assert normalize_number(f"{number:f}") != normalize_number(f"{number:f}1")


@pytest.mark.parametrize(
    ("options", "output", "target", "score", "prediction"),
    [
        ({}, "Paris", "Paris", 1.0, "Paris"),
        ({}, " Paris\n", "Paris", 1.0, "Paris"),
        ({}, "paris", "Paris", 0.0, "paris"),
        ({}, "", "Paris", 0.0, ""),
        ({"normalize": "text"}, "The paris.", "Paris", 1.0, "paris"),
        ({"normalize": "number"}, "$1,080.00", "1080", 1.0, "1080"),
        ({"normalize": "number"}, "about 4", "4", 0.0, None),
        ({"extract": r"is (\w+)"}, "it is A. it is B.", "is A", 1.0, "A"),
        ({"extract": r"is (\w+)", "take": "last"}, "it is A. it is B.", "is A", 0.0, "B"),
        (GSM8K, "16 - 3 = 13\n#### 13", "so 13\n#### 13", 1.0, "13"),
        (GSM8K, "#### 12\nno:\n#### 1,080.0", "#### 1080", 1.0, "1080"),
        (GSM8K, "the answer is 13", "#### 13", 0.0, None),
    ],
)
def test_exact_match(options: dict[str, Any], output: str, target: str, score: float, prediction: str | None) -> None:
    metric = scorer("exact_match", **options)
    assert metric.score(output, [target]) == score
    assert metric.prediction(output) == prediction


def test_the_best_of_several_references_counts() -> None:
    assert scorer("exact_match").score("b", ["a", "b"]) == 1.0
    assert scorer("f1").score("the red cat", ["a dog", "red cat sat"]) == pytest.approx(4 / 5)


@pytest.mark.parametrize(
    ("output", "target", "expected"),
    [
        ("the cat sat", "the cat sat", 1.0),
        ("cat", "the cat sat", 2 / 3),  # precision 1, recall 1/2
        ("a cat sat on a mat", "the cat sat", 2 * (2 / 4) * (2 / 2) / (2 / 4 + 2 / 2)),
        ("cat cat cat", "cat dog", 2 * 1 / 5),  # a word counts as often as it is in both
        ("dog", "cat", 0.0),
        ("", "cat", 0.0),
        ("the", "cat", 0.0),
        ("the", "a", 1.0),
    ],
)
def test_f1_over_words(output: str, target: str, expected: float) -> None:
    assert token_f1(output, target) == pytest.approx(expected, rel=1e-15)


@given(st.text(alphabet="ab c", max_size=20), st.text(alphabet="ab c", max_size=20))
def test_f1_is_symmetric_and_a_share(one: str, other: str) -> None:
    assert token_f1(one, other) == token_f1(other, one)
    assert 0.0 <= token_f1(one, other) <= 1.0


@pytest.mark.parametrize(
    ("options", "output", "target", "score"),
    [
        ({}, "it is Paris, I think", "Paris", 1.0),
        ({}, "it is paris", "Paris", 0.0),
        ({"normalize": "text"}, "it is The Paris!", "paris", 1.0),
        ({"extract": "<a>(.*?)</a>"}, "Rome <a>Paris</a>", "<a>Paris</a>", 1.0),
        ({"extract": "<a>(.*?)</a>"}, "Paris", "<a>Paris</a>", 0.0),
    ],
)
def test_contains(options: dict[str, Any], output: str, target: str, score: float) -> None:
    assert scorer("contains", **options).score(output, [target]) == score


@pytest.mark.parametrize(
    ("output", "score"),
    [
        ('{"a": [1, 2.5, null, true, "ü"]}', 1.0),
        (" [1]\n", 1.0),
        ("3", 1.0),
        ('{"a": 1,}', 0.0),
        ("{'a': 1}", 0.0),
        ("NaN", 0.0),
        ("[Infinity]", 0.0),
        ("", 0.0),
        ("[" * 200_000, 0.0),
        ("1" * 10_000, 0.0),
    ],
)
def test_json_valid(output: str, score: float) -> None:
    assert scorer("json_valid").score(output, []) == score


def test_json_is_looked_for_where_extract_says() -> None:
    metric = scorer("json_valid", extract=r"```json\n(.*?)```", take="first")
    assert metric.score('Sure!\n```json\n{"a": 1}```', []) == 1.0
    assert metric.score('{"a": 1}', []) == 0.0


@pytest.mark.parametrize(
    ("pattern", "targets", "output", "score"),
    [
        (r"\bcat\b", [], "a cat sat", 1.0),
        (r"\bcat\b", [], "concatenate", 0.0),
        (None, [r"^\d+$"], "42", 1.0),
        (None, ["dog", "cat"], "a cat sat", 1.0),
        ("(?x) c a t  # words", [], "a cat", 1.0),
    ],
)
def test_regex_takes_its_pattern_or_the_target(
    pattern: str | None, targets: list[str], output: str, score: float
) -> None:
    metric = scorer("regex", pattern=pattern) if pattern is not None else scorer("regex")
    assert metric.score(output, targets) == score
    assert metric.needs_target is (pattern is None)


def test_an_expression_that_does_not_finish_is_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIMEOUT", 0.2)
    with pytest.raises(PatternTimeoutError, match=r"did not finish in 0\.2 s"):
        scorer("regex", pattern="(a|aa)+$").score("a" * 60 + "b", [])


@pytest.mark.parametrize(
    ("name", "options", "references", "problem"),
    [
        ("exact_match", {}, ["x"], None),
        ("exact_match", {"normalize": "number"}, ["4", "four"], "exact_match"),
        ("contains", {"normalize": "text"}, ["the"], "contains"),
        ("f1", {"extract": "x(y)"}, ["z"], "f1"),
        ("json_valid", {}, [""], None),
        ("regex", {"pattern": "x"}, ["("], None),
    ],
)
def test_a_reference_that_nothing_can_match_is_told_from_one_that_something_can(
    name: str, options: dict[str, Any], references: list[str], problem: str | None
) -> None:
    said = scorer(name, **options).reference_problem(references)
    assert said == (problem and f"the target gives nothing to compare after `{problem}`'s extract and normalize")
