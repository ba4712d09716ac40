from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import Sample, read_pair

from modelrelease.comparison.measure import measure
from modelrelease.comparison.pairing import PairedTask, pair, same_outcome, show_ids
from modelrelease.records.results import Results

SCORES = {"qa": {"acc": [1.0, 1.0, 0.0, 0.0]}}
TWO_TASKS = {**SCORES, "text": {"f1": [0.5, 0.25]}}


def paired(sides: tuple[Results, Results], *, intersect: bool = False) -> PairedTask:
    (found,) = pair(*sides, intersect=intersect)
    return found


def changed(*item_ids: str, **changes: Any) -> Callable[[Sample], None]:
    """Return an edit of the items with these ids."""

    def edit(sample: Sample) -> None:
        if sample["item_id"] in item_ids:
            sample.update(changes)

    return edit


def renamed(**names: str) -> Callable[[Sample], None]:
    """Return an edit that renames items ``i1`` to ..."""

    def edit(sample: Sample) -> None:
        sample["item_id"] = names.get(f"i{sample['item_id']}", sample["item_id"])

    return edit


def problem_of(found: PairedTask) -> tuple[str, str, str]:
    assert found.problem is not None
    return found.problem.verdict, found.problem.reason, found.problem.todo


def test_equal_items_are_paired_in_the_file_s_order(tmp_path: Path) -> None:
    found = paired(read_pair(tmp_path, SCORES, SCORES))
    assert (list(found.baseline), list(found.candidate)) == ([0, 1, 2, 3], [0, 1, 2, 3])
    assert (found.problem, found.left_out) == (None, ())


def test_items_are_found_by_id_wherever_they_stand(tmp_path: Path) -> None:
    found = paired(read_pair(tmp_path, SCORES, SCORES, before_order=lambda samples: samples[::-1]))
    assert (list(found.baseline), list(found.candidate)) == ([3, 2, 1, 0], [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("edit", "ids"),
    [
        (changed("2", item_digest="0" * 64), "1 item: 2"),
        (changed("2", "4", item_digest="0" * 64), "2 items: 2, 4"),
        (renamed(i3="9"), "2 items: 9, 3"),
    ],
)
def test_items_that_are_not_the_same_forbid_comparing_and_are_named(
    tmp_path: Path, edit: Callable[[Sample], None], ids: str
) -> None:
    found = paired(read_pair(tmp_path, SCORES, SCORES, after_edit=edit))
    todo = "score both sides on the same items, or pass `--on-changed-items intersect`"
    assert problem_of(found) == ("incomparable", f"the test sets differ in {ids}", todo)
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("before", "after", "ids"),
    [
        ({"acc": [1.0, 1.0]}, {"acc": [1.0, 1.0, 0.0]}, "1 item: 3"),
        ({"acc": [1.0, 1.0, 0.0]}, {"acc": [1.0, 1.0]}, "1 item: 3"),
        ({"acc": [1.0]}, {"acc": [1.0] * 14}, "13 items: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more"),
    ],
)
def test_items_that_one_side_lacks_are_named(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], ids: str
) -> None:
    _, reason, _ = problem_of(paired(read_pair(tmp_path, {"qa": before}, {"qa": after})))
    assert reason == f"the test sets differ in {ids}"


def test_intersecting_pairs_what_is_the_same_and_lists_the_rest(tmp_path: Path) -> None:
    def edit(sample: Sample) -> None:
        changed("2", item_digest="0" * 64)(sample)
        renamed(i3="9")(sample)

    found = paired(read_pair(tmp_path, SCORES, SCORES, after_edit=edit), intersect=True)
    assert (list(found.baseline), list(found.candidate)) == ([0, 3], [0, 3])
    assert (found.problem, found.left_out) == (None, ("2", "9", "3"))


def test_intersecting_with_nothing_in_common_is_incomparable(tmp_path: Path) -> None:
    edit = changed("1", "2", "3", "4", item_digest="0" * 64)
    verdict, reason, _ = problem_of(paired(read_pair(tmp_path, SCORES, SCORES, after_edit=edit), intersect=True))
    assert (verdict, reason) == ("incomparable", "the test sets differ in 4 items: 1, 2, 3, 4")


@pytest.mark.parametrize("side", ["before", "after"])
def test_an_item_that_could_not_be_scored_on_either_side_is_an_error(tmp_path: Path, side: str) -> None:
    failed = {"qa": {"acc": [1.0, None, 0.0, None]}}
    sides = (failed, SCORES) if side == "before" else (SCORES, failed)
    verdict, reason, todo = problem_of(paired(read_pair(tmp_path, *sides)))
    assert (verdict, reason) == ("error", "2 items could not be scored: 2, 4")
    assert todo == "mend them, and score again"


def test_a_prompt_that_is_truncated_on_one_side_only_forbids_comparing(tmp_path: Path) -> None:
    cut = changed("2", "3", truncated=True)
    found = paired(read_pair(tmp_path, SCORES, SCORES, after_edit=cut))
    reason = "the prompts of 2 items are truncated on one side only: 2, 3"
    assert problem_of(found) == ("incomparable", reason, "score both sides with the same limits")
    both = read_pair(tmp_path / "both", SCORES, SCORES, before_edit=cut, after_edit=cut)
    assert paired(both).problem is None


@pytest.mark.parametrize(
    ("before", "after", "reason", "todo"),
    [
        (
            TWO_TASKS,
            SCORES,
            "the candidate was not scored on task `text`",
            "score the candidate with a suite that has it",
        ),
        (
            SCORES,
            TWO_TASKS,
            "the baseline was not scored on task `text`",
            "score the baseline with a suite that has it",
        ),
    ],
)
def test_a_task_that_one_side_lacks_is_missing(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], reason: str, todo: str
) -> None:
    qa, text = pair(*read_pair(tmp_path, before, after))
    assert qa.problem is None
    assert (text.name, problem_of(text)) == ("text", ("missing", reason, todo))


def test_another_suite_is_told_task_by_task(tmp_path: Path) -> None:
    after = {"qa": {"acc": [1.0] * 4, "acc_norm": [1.0] * 4}, "text": TWO_TASKS["text"]}
    qa, text = pair(*read_pair(tmp_path, TWO_TASKS, after))
    reason = "the suites differ: task `qa` asks for something else (kind, metrics, target or generation)"
    assert problem_of(qa) == ("incomparable", reason, "score both sides with the same suite")
    assert text.problem is None


def test_two_versions_of_the_scorer_compare_nothing(tmp_path: Path) -> None:
    sides = read_pair(tmp_path, TWO_TASKS, TWO_TASKS, before_changes={"scorer_version": 7})
    reason = "scored by two versions of the scorer (7 and 1)"
    assert [problem_of(task) for task in pair(*sides)] == [("incomparable", reason, "score the older side again")] * 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"metrics.0.version": 2}, "the metric's versions differ (1 and 2)"),
    ],
)
def test_a_metric_that_is_not_the_same_is_incomparable_on_its_own(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    scores = {"qa": {"acc": [1.0, 0.0], "acc_norm": [1.0, 1.0]}}
    acc, norm = measure(*read_pair(tmp_path, scores, scores, after_changes=changes))
    assert acc.problem is not None
    assert (acc.problem.verdict, acc.problem.reason) == ("incomparable", reason)
    assert norm.problem is None


def same(sides: tuple[Results, Results], *, intersect: bool = False) -> bool:
    return same_outcome(paired(sides, intersect=intersect), sides[0].tasks["qa"], sides[1].tasks["qa"])


def test_identical_means_every_output_of_every_item_in_any_order(tmp_path: Path) -> None:
    def twins(name: str, **options: Any) -> tuple[Results, Results]:
        return read_pair(tmp_path / name, SCORES, SCORES, after_model="model_v1.0", **options)

    assert same(twins("equal"))
    assert same(twins("shuffled", after_order=lambda samples: samples[::-1]))
    assert not same(twins("another output", after_edit=changed("4", loglikelihoods=[-1.0, -2.0])))
    assert not same(twins("another prompt", after_edit=changed("4", input_digest="0" * 64)))


def test_what_was_left_out_is_not_known_to_be_identical(tmp_path: Path) -> None:
    edit = changed("4", item_digest="0" * 64)
    sides = read_pair(tmp_path, SCORES, SCORES, after_model="model_v1.0", after_edit=edit)
    assert not same(sides, intersect=True)


def test_long_ids_are_cut_and_many_are_counted() -> None:
    assert show_ids(["a" * 50, "b"]) == f"{'a' * 39}…, b"
    assert show_ids([str(number) for number in range(12_345)]).endswith(" 8, 9 and 12,335 more")
