"""What rows say of the task they make."""

from __future__ import annotations

from typing import Any

import pytest

from modelrelease.scaffold.shapes import Shape, Unclear, shape_of


def told(*rows: dict[str, Any]) -> Shape:
    shape = shape_of(rows)
    assert isinstance(shape, Shape), shape
    return shape


CHOICES = {"question": "who?", "choices": ["a cat", "a dog"]}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{**CHOICES, "answer": 1}], ("multiple_choice", "choices", "answer")),
        ([{**CHOICES, "answer": "a dog"}], ("multiple_choice", "choices", "answer")),
        ([{**CHOICES, "correct_answer": "1"}], ("multiple_choice", "choices", "correct_answer")),
        ([{**CHOICES, "difficulty": 1, "label": 0}], ("multiple_choice", "choices", "label")),
        ([{**CHOICES, "answer_note": 1, "answer": 0}], ("multiple_choice", "choices", "answer")),
        ([{"q": "who?", "options": ["a", "b"], "gold": 0}], ("multiple_choice", "options", "gold")),
        ([{"q": "who?", "words": ["a", "b"], "pick": "b"}], ("multiple_choice", "words", "pick")),
        ([{"question": "who?", "answer": "me"}], ("generate", None, "answer")),
        ([{"question": "how many?", "answer": 4}], ("generate", None, "answer")),
        ([{"question": "who?", "answers": ["me", "I"]}], ("generate", None, "answers")),
        ([{"prompt": "who?", "completion": "me", "note": "x"}], ("generate", None, "completion")),
        ([{"text": "good film", "label": "positive"}], ("generate", None, "label")),
        ([{"text": "a story"}], ("perplexity", None, "text")),
        ([{"title": "a", "url": "b", "text": "a story"}], ("perplexity", None, "text")),
        ([{"story": "a story", "year": 1999}], ("perplexity", None, "story")),
    ],
)
def test_the_kind_follows_from_names_and_values(
    rows: list[dict[str, Any]], expected: tuple[str, str | None, str]
) -> None:
    shape = told(*({"id": n, **row} for n, row in enumerate(rows)))
    assert (shape.kind, shape.choices, shape.target) == expected
    assert f"`{shape.target}`" in shape.reason


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{**CHOICES, "answer": 2}], "no one field is an index into it, from 0"),
        ([{**CHOICES, "answer": "B"}], "no one field is an index into it"),
        ([{**CHOICES, "answer": True}], "no one field is an index into it"),
        ([{**CHOICES, "first": 0, "second": 1}], "no one field is an index into it"),
        ([{"question": "who?", "note": "x"}], "none of which is a known name"),
        ([{}], "no field but `id`"),
        ([{"text": "a"}, {"body": "b"}], "no field but `id`"),
        ([{"text": " "}], "none of which is a known name"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(rows: list[dict[str, Any]], reason: str) -> None:
    shape = shape_of([{"id": n, **row} for n, row in enumerate(rows)])
    assert isinstance(shape, Unclear)
    assert reason in shape.reason
    assert shape.todo


def test_one_row_that_differs_decides() -> None:
    """An answer that one row lacks is no answer field: scoring would refuse that row."""
    rows = [{"question": "who?", "answer": "me"}, {"question": "and who?", "answer": None}]
    assert told(*rows).kind == "perplexity"
    assert isinstance(shape_of([{**CHOICES, "answer": 1}, {**CHOICES, "answer": 7}]), Unclear)


def test_an_id_is_nobody_s_answer_and_no_text() -> None:
    assert isinstance(shape_of([{"id": "a dog", **CHOICES}]), Unclear)
    assert told({"id": "a", "text": "b"}).target == "text"


@pytest.mark.parametrize(
    ("answers", "longest", "gap"),
    [
        (["four"], 4, ""),
        (["über", "4"], 5, ""),
        ([["a", "a long one"], "b"], 10, ""),
        (["a\nb", "c"], 3, "\n"),
        (["a\n\nb", "c\nd"], 4, "\n\n"),
        (["a\n"], 2, ""),
        ([1080.5], 6, ""),
    ],
)
def test_the_longest_target_and_its_line_breaks_are_measured(answers: list[Any], longest: int, gap: str) -> None:
    shape = told(*({"question": "who?", "answer": answer} for answer in answers))
    assert (shape.longest, shape.gap) == (longest, gap)


def test_slices_are_known_fields_with_a_few_values() -> None:
    rows = [
        {"text": f"t{n}", "category": n % 3, "topic": f"topic {n}", "language": "en", "domain": [n % 2]}
        for n in range(30)
    ]
    assert told(*rows).slices == ("category",)
