from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import Sample, one_measure, read_pair, table

from modelrelease.comparison.flips import MAX_SLICES, SampleTexts, compare_slices, describe_flips, slice_places
from modelrelease.comparison.measure import Measure, measure
from modelrelease.comparison.paired_binary import PairedTable, tango_interval
from modelrelease.records.comparison import Example


def texts_of(**both: Any) -> SampleTexts:
    sample = {"item_id": "1", "output": None, "prediction": None, "target": None, "scores": {"acc": 0.0}, **both}
    return SampleTexts("What?", sample, {**sample, "scores": {"acc": 1.0}})


def places_of(measured: Measure) -> tuple[list[str], list[str]]:
    """Return the places shown as broken and as fixed."""

    def look_up(_: Measure, place: int) -> SampleTexts:
        sample = {"item_id": str(place), "output": "x", "prediction": None, "target": None, "scores": {}}
        return SampleTexts(None, sample, sample)

    examples = describe_flips(measured, look_up).examples
    assert [e.direction for e in examples] == sorted(e.direction for e in examples)  # broken before fixed
    sides = ([e.item_id for e in examples if e.direction == direction] for direction in ("broken", "fixed"))
    broken, fixed = sides
    return broken, fixed


def test_items_that_changed_are_counted_in_the_metric_s_good_direction(tmp_path: Path) -> None:
    before, after = [1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 2.0, 4.25]
    lower = one_measure(tmp_path / "nll", "nll", before, after)
    assert (lower.broken, lower.fixed) == ([0, 3], [2])
    higher = one_measure(tmp_path / "f1", "f1", [v / 5 for v in before], [v / 5 for v in after])
    assert (higher.broken, higher.fixed) == ([2], [0, 3])
    counts = describe_flips(lower, lambda measured, place: texts_of(output="x"))
    assert (counts.broken, counts.fixed) == (2, 1)


def test_the_largest_change_comes_first_and_equal_ones_in_order(tmp_path: Path) -> None:
    before = [0.5] * 7
    after = [0.4, 0.1, 0.5, 0.6, 0.4, 1.0, 0.6]
    assert places_of(one_measure(tmp_path, "f1", before, after)) == (["1", "0", "4"], ["5", "3", "6"])


@pytest.mark.parametrize(
    ("lost", "gained", "broken", "fixed"),
    [(3, 4, 3, 4), (10, 10, 10, 10), (50, 50, 10, 10), (50, 3, 17, 3), (3, 50, 3, 17), (50, 0, 20, 0), (0, 50, 0, 20)],
)
def test_each_side_has_half_of_the_room_and_what_the_other_leaves(
    tmp_path: Path, lost: int, gained: int, broken: int, fixed: int
) -> None:
    shown = places_of(one_measure(tmp_path, "acc", *table(both=5, lost=lost, gained=gained)))
    assert (len(shown[0]), len(shown[1])) == (broken, fixed)


def example(sample: SampleTexts, tmp_path: Path, metric: str = "acc") -> Example:
    measured = one_measure(tmp_path, metric, [0.0], [1.0])
    (found,) = describe_flips(measured, lambda _, place: sample).examples
    return found


@pytest.mark.parametrize(
    ("sample", "shown"),
    [
        ({"output": "four", "prediction": "4", "target": "4"}, ("4", "four", "four")),
        ({"output": "", "target": ["4", "four"]}, ("4 | four", "", "")),
        # a choice is shown where the metric's score is that of the choice on record
        ({"prediction": 1, "target": 0}, ("0", "1", "right by acc")),
        ({"prediction": "0: a cat", "target": "0: a cat"}, ("0: a cat", "wrong by acc", "0: a cat")),
        ({}, (None, "0", "1")),
    ],
)
def test_what_is_shown_of_an_item(tmp_path: Path, sample: dict[str, Any], shown: tuple[str, ...]) -> None:
    found = example(texts_of(**sample), tmp_path)
    assert (found.target, found.baseline, found.candidate) == shown
    assert (found.task, found.item_id, found.direction, found.input) == ("qa", "1", "fixed", "What?")


def test_long_texts_and_ids_are_cut(tmp_path: Path) -> None:
    found = example(texts_of(item_id="i" * 10_000, output="o" * 10_000, target="t" * 500), tmp_path)
    assert found.item_id == "i" * 499 + "…"
    assert found.baseline == "o" * 499 + "…"
    assert found.target == "t" * 500


def by_parity(sample: Sample) -> None:
    sample["slices"] = {"parity": "odd" if int(sample["item_id"]) % 2 else "even", "all": "yes"}


def test_slices_are_the_same_metric_on_part_of_the_items(tmp_path: Path) -> None:
    before = [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    after = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]
    sides = read_pair(tmp_path, {"qa": {"acc": before}}, {"qa": {"acc": after}}, after_edit=by_parity)
    (measured,) = measure(*sides)
    found = list(compare_slices(measured, slice_places(measured.paired, sides[1].tasks["qa"]), 0.05))
    assert [(part.field, part.value, part.n, part.broken, part.fixed) for part in found] == [
        ("all", "yes", 6, 2, 1),
        ("parity", "even", 3, 0, 1),
        ("parity", "odd", 3, 2, 0),
    ]
    odd = found[2]
    assert (odd.baseline, odd.candidate, odd.delta) == (pytest.approx(2 / 3), 0.0, pytest.approx(-2 / 3))
    assert (odd.ci_low, odd.ci_high) == tango_interval(PairedTable(0, 2, 0, 1), 0.95)


def test_where_lower_is_better_slices_count_the_other_way_and_one_item_has_no_interval(tmp_path: Path) -> None:
    sides = read_pair(
        tmp_path, {"lm": {"nll": [1.0, 2.0, 3.0]}}, {"lm": {"nll": [1.5, 1.0, 3.5]}}, after_edit=by_parity
    )
    (measured,) = measure(*sides)
    found = {
        part.value: part for part in compare_slices(measured, slice_places(measured.paired, sides[1].tasks["lm"]), 0.05)
    }
    assert (found["odd"].broken, found["odd"].fixed, found["odd"].delta) == (2, 0, 0.5)
    assert (found["odd"].ci_low, found["odd"].ci_high) == (0.5, 0.5)
    assert (found["even"].broken, found["even"].fixed) == (0, 1)
    assert (found["even"].ci_low, found["even"].ci_high) == (None, None)


def test_slices_follow_the_pairs_where_the_files_are_in_another_order(tmp_path: Path) -> None:
    sides = read_pair(
        tmp_path,
        {"qa": {"acc": [1.0, 0.0, 0.0]}},
        {"qa": {"acc": [0.0, 0.0, 0.0]}},
        after_edit=by_parity,
        after_order=lambda samples: samples[::-1],
    )
    (measured,) = measure(*sides)
    parts = compare_slices(measured, slice_places(measured.paired, sides[1].tasks["qa"]), 0.05)
    assert {part.value: (part.n, part.baseline) for part in parts} == {
        "yes": (3, pytest.approx(1 / 3)),
        "odd": (2, 0.5),
        "even": (1, 0.0),
    }


def test_there_are_at_most_fifty_slices_and_their_names_are_cut(tmp_path: Path) -> None:
    def one_each(sample: Sample) -> None:
        sample["slices"] = {"f" * 100: sample["item_id"].zfill(200)}

    sides = read_pair(tmp_path, {"qa": {"acc": [1.0] * 60}}, {"qa": {"acc": [1.0] * 60}}, after_edit=one_each)
    (measured,) = measure(*sides)
    found = list(compare_slices(measured, slice_places(measured.paired, sides[1].tasks["qa"]), 0.05))
    assert len(found) == MAX_SLICES
    assert {(len(part.field), len(part.value)) for part in found} == {(80, 80)}
