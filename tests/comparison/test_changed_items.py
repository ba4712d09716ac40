"""Which items of which task changed, and what is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import Sample, Tasks, read_pair, table

from modelrelease.comparison.flips import SampleTexts
from modelrelease.comparison.items import describe_items
from modelrelease.comparison.measure import Measure, measure
from modelrelease.records.item_changes import MAX_ITEM_TEXT, ItemChange, TaskItems


def described(
    folder: Path, before: Tasks, after: Tasks, most: int | None = 20, right: int | None = None, **options: Any
) -> list[TaskItems]:
    sides = read_pair(folder, before, after, **options)

    def look_up(measured: Measure, place: int) -> SampleTexts:
        numbers = measured.paired.baseline[place], measured.paired.candidate[place]
        one, other = (r.sample(measured.info.task, n) for r, n in zip(sides, numbers, strict=True))
        return SampleTexts("What?", one, other, right)

    return list(describe_items(measure(*sides), *sides, look_up, most))


def shown(task: TaskItems) -> list[str]:
    return [f"{item.direction} {item.item_id}" for item in task.items]


@pytest.mark.parametrize(("most", "broken", "fixed"), [(None, 14, 5), (20, 14, 5), (6, 6, 5), (1, 1, 1), (0, 0, 0)])
def test_broken_come_first_and_each_side_has_its_bound(
    tmp_path: Path, most: int | None, broken: int, fixed: int
) -> None:
    before, after = table(both=3, lost=14, gained=5, neither=2)
    (found,) = described(tmp_path, {"qa": {"acc": before}}, {"qa": {"acc": after}}, most)
    assert (found.task, found.n, found.broken, found.fixed) == ("qa", 24, 14, 5)
    ids = [*range(4, 4 + broken)], [*range(18, 18 + fixed)]
    assert shown(found) == [f"broken {n}" for n in ids[0]] + [f"fixed {n}" for n in ids[1]]


def test_an_item_is_listed_once_by_the_first_of_its_metrics_that_changed(tmp_path: Path) -> None:
    before: Tasks = {"qa": {"acc": [1.0, 0.0, 1.0, 1.0], "acc_norm": [0.0, 0.0, 1.0, 1.0]}}
    after: Tasks = {"qa": {"acc": [0.0, 0.0, 1.0, 1.0], "acc_norm": [1.0, 1.0, 0.0, 1.0]}}
    (found,) = described(tmp_path, before, after)
    assert shown(found) == ["broken 1", "broken 3", "fixed 2"]
    assert [(s.metric, s.baseline, s.candidate) for s in found.items[0].scores] == [("acc", 1, 0), ("acc_norm", 0, 1)]


def test_the_largest_change_comes_first_and_lower_can_be_better(tmp_path: Path) -> None:
    before, after = {"lm": {"nll": [2.0, 2.0, 2.0, 2.0]}}, {"lm": {"nll": [2.1, 2.5, 1.9, 2.0]}}
    (found,) = described(tmp_path, before, after)
    assert shown(found) == ["broken 2", "broken 1", "fixed 3"]
    assert found.items[0].baseline.answer is None


def test_answers_that_differ_at_the_same_score_are_counted(tmp_path: Path) -> None:
    def same(sample: Sample) -> None:
        sample["output"] = sample["prediction"] = "the same" if int(sample["item_id"]) > 2 else sample["output"]

    scores: Tasks = {"text": {"f1": [1.0, 0.5, 0.5, 0.0]}}
    after: Tasks = {"text": {"f1": [0.0, 0.5, 0.5, 0.0]}}
    (found,) = described(tmp_path, scores, after, before_edit=same, after_edit=same)
    assert (found.broken, found.fixed, found.other_answers) == (1, 0, 1)


def test_a_wrong_choice_for_another_is_another_answer_and_other_numbers_are_not(tmp_path: Path) -> None:
    def choose(sample: Sample) -> None:
        sample["prediction"] = 2 if sample["item_id"] == "2" else sample["prediction"]

    scores: Tasks = {"qa": {"acc": [1.0, 0.0, 0.0]}}
    (found,) = described(tmp_path, scores, scores, after_edit=choose)
    assert (found.broken, found.fixed, found.other_answers) == (0, 0, 1)


def first(folder: Path, right: int | None, edit: Any) -> ItemChange:
    (found,) = described(folder, {"qa": {"acc": [1.0]}}, {"qa": {"acc": [0.0]}}, right=right, after_edit=edit)
    return found.items[0]


@pytest.mark.parametrize(
    ("right", "loglikelihoods", "gap"),
    [
        (1, [-1.0, -3.5, -2.0], -2.5),
        (0, [-1.0, -3.5], 2.5),
        (None, [-1.0, -3.5], None),
        (2, [-1.0, -3.5], None),
        (-1, [-1.0, -3.5], None),
        (0, [-1.0], None),
        (0, [], None),
    ],
)
def test_how_far_the_right_choice_is_ahead(
    tmp_path: Path, right: int | None, loglikelihoods: list[float], gap: float | None
) -> None:
    def edit(sample: Sample) -> None:
        sample["loglikelihoods"], sample["greedy"] = loglikelihoods, [False] * len(loglikelihoods)

    assert first(tmp_path, right, edit).candidate.gap == gap


def test_texts_are_cut(tmp_path: Path) -> None:
    def edit(sample: Sample) -> None:
        sample["output"], sample["prediction"], sample["target"] = "o" * 9000, "p" * 9000, "t" * 9000

    (found,) = described(tmp_path, {"t": {"f1": [1.0]}}, {"t": {"f1": [0.0]}}, after_edit=edit)
    item = found.items[0]
    for text in (item.target, item.candidate.answer, item.candidate.prediction):
        assert text is not None
        assert len(text) == MAX_ITEM_TEXT
    assert item.baseline.prediction is None  # the output itself


def test_a_task_that_cannot_be_compared_has_no_items(tmp_path: Path) -> None:
    assert described(tmp_path, {"qa": {"acc": [1.0]}}, {"qa": {"acc": [None]}}) == []
