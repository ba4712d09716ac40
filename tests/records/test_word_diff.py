from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.word_diff import CAME, GONE, MAX_WORDS, SAME, Runs, shares_words, word_runs, words_of

TEXTS = st.text(alphabet="ab .\n", max_size=60)


def both(runs: Runs) -> tuple[str, str]:
    sides = ("".join(text for kind, text in runs if kind != other) for other in (CAME, GONE))
    before, after = sides
    return before, after


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        ("", "", []),
        ("one", "one", [(SAME, "one")]),
        ("", "one", [(CAME, "one")]),
        ("one", "", [(GONE, "one")]),
        ("It is four.", "It is five.", [(SAME, "It is "), (GONE, "four"), (CAME, "five"), (SAME, ".")]),
        # a space between two changes is no news
        ("a red cat sat", "a big dog sat", [(SAME, "a "), (GONE, "red cat"), (CAME, "big dog"), (SAME, " sat")]),
        ("a b", "a x b", [(SAME, "a "), (CAME, "x "), (SAME, "b")]),
    ],
)
def test_words_that_went_and_came_stand_between_those_that_stayed(before: str, after: str, runs: Runs) -> None:
    assert word_runs(before, after) == runs


@given(before=TEXTS, after=TEXTS)
def test_the_runs_hold_both_texts_and_nothing_else(before: str, after: str) -> None:
    assert both(word_runs(before, after)) == (before, after)


@pytest.mark.parametrize(
    ("before", "after", "shares"),
    [
        ("the capital is Lyon", "the capital is Paris", True),
        ("Yes, of course it does so", "I can not answer that question", False),
        ("4", "5", False),
        ("", "", False),
    ],
)
def test_texts_with_little_in_common_are_not_woven_together(before: str, after: str, shares: bool) -> None:
    assert shares_words(word_runs(before, after)) is shares


HOSTILE = {
    "one word": ("a " * 5000, "b" + " a" * 4999),
    "two words": ("a b " * 900 + "c", "d" + " b a" * 900),
    "no words": ("." * 100_000, "," + "." * 99_999),
    "all different": (" ".join(map(str, range(1900))), " ".join(map(str, range(1900, 0, -1)))),
    "one long word": ("x" * 500_000, "y" * 500_000),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_no_text_takes_long(case: str) -> None:
    started = time.process_time()
    before, after = HOSTILE[case]
    runs = word_runs(before, after)
    assert time.process_time() - started < 3
    assert both(runs) == ("".join(words_of(before)), "".join(words_of(after)))
    assert len(words_of(before)) <= MAX_WORDS
