"""What is looked up of an item that changed sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import CHOICES, Sample, Tasks, read_pair, row

from modelrelease.comparison.flips import SampleTexts
from modelrelease.comparison.measure import measure
from modelrelease.config import find_project
from modelrelease.flows.texts import TextsOfItems
from modelrelease.records.canonical import digest_of

ONE: Tasks = {"qa": {"acc": [1.0, 0.0]}}


def keep(sample: Sample) -> None:
    """Leave a sample as the builder makes it."""


def look_up(
    root: Path,
    rows: list[dict[str, Any]] | None,
    *,
    tasks: Tasks = ONE,
    edit: Callable[[Sample], None] = keep,
    dataset: str | None = None,
) -> SampleTexts:
    """Return the texts of the first item, the dataset lying in the work tree unless ``rows`` is None."""
    (task,) = tasks
    changes = {} if dataset is None else {"suite.tasks.0.dataset": dataset}
    sides = read_pair(root, tasks, tasks, before_edit=edit, after_edit=edit, after_changes=changes)
    if rows is not None:
        (root / "datasets").mkdir()
        text = "".join(json.dumps(value) + "\n" for value in rows)
        (root / "datasets" / f"{task}.jsonl").write_text(text, "utf-8")
    (measured,) = measure(*sides)
    return TextsOfItems(find_project(root), *sides)(measured, 0)


def test_a_choice_is_shown_in_words_and_the_row_s_only_text_without_its_name(tmp_path: Path) -> None:
    found = look_up(tmp_path, [row("1"), row("2")])
    assert found.input == "What is number 1?"
    assert (found.baseline["prediction"], found.baseline["target"]) == (f"1: {CHOICES[1]}", f"1: {CHOICES[1]}")
    assert found.candidate["item_id"] == "1"


@pytest.mark.parametrize(
    ("fields", "question", "target"),
    [
        ({"q": "Why?", "hint": "Think."}, "q: Why?\nhint: Think.", 1),
        ({"q": "Why?", "level": 3, "choices": ["no", "yes"]}, "Why?", "1: yes"),
        ({"q": "Why?", "choices": ["no"]}, "Why?", 1),  # the target is none of them
        ({"q": "Why?", "choices": ["no", 7]}, "Why?", 1),
        ({"q": "Why?", "choices": ["no", "yes"], "shots": ["a", "b"]}, "Why?", 1),  # which of the lists is it
        ({}, "", 1),
    ],
)
def test_what_is_not_clear_is_shown_as_it_stands(
    tmp_path: Path, fields: dict[str, Any], question: str, target: Any
) -> None:
    own = {"id": "1", **fields}

    def use_row(sample: Sample) -> None:
        sample["item_digest"] = digest_of({**own, "id": sample["item_id"]})

    found = look_up(tmp_path, [own], edit=use_row)
    assert (found.input, found.baseline["target"]) == (question, target)


def test_a_row_that_has_changed_since_is_not_shown(tmp_path: Path) -> None:
    found = look_up(tmp_path, [{**row("1"), "question": "Another one?"}])
    assert (found.input, found.baseline["prediction"]) == (None, 1)


@pytest.mark.parametrize(
    "dataset", [None, "../outside.jsonl", "/etc/passwd", "datasets", "datasets/qa.txt", "a\0b.jsonl", ""]
)
def test_a_dataset_that_cannot_be_read_shows_nothing_and_fails_nothing(tmp_path: Path, dataset: str | None) -> None:
    (tmp_path / "outside.jsonl").write_text(json.dumps(row("1")) + "\n", "utf-8")
    root = tmp_path / "repository"
    root.mkdir()
    assert look_up(root, None, dataset=dataset).input is None


def test_a_whole_number_that_is_no_choice_stays_a_number(tmp_path: Path) -> None:
    def number(sample: Sample) -> None:
        sample["target"] = 1

    found = look_up(tmp_path, [row("1")], tasks={"text": {"f1": [1.0, 0.5]}}, edit=number)
    assert (found.input, found.baseline["target"]) == ("What is number 1?", 1)


def test_slices_and_the_target_are_not_repeated_in_the_question(tmp_path: Path) -> None:
    own = {"id": "1", "q": "Why?", "topic": "doubt", "reference": "Because."}

    def use_row(sample: Sample) -> None:
        sample["item_digest"] = digest_of({**own, "id": sample["item_id"]})
        sample["slices"] = {"topic": "doubt"}
        sample["target"] = "Because."

    assert look_up(tmp_path, [own], edit=use_row).input == "Why?"
