from __future__ import annotations

from typing import Any

import pytest

from modelrelease.records.evaluation import Flags, SliceResult
from modelrelease.records.suite import Task
from modelrelease.scoring.aggregate import aggregate, count_flags
from modelrelease.scoring.samples import Sample


def task(metric: str, slices: tuple[str, ...] = ()) -> Task:
    kind = {"acc": "multiple_choice", "f1": "generate", "nll": "perplexity"}[metric]
    needed: dict[str, dict[str, Any]] = {
        "multiple_choice": {"prompt": "p", "choices": "c", "target": "t"},
        "generate": {"prompt": "p", "max_new_tokens": 4},
        "perplexity": {"target": "t"},
    }
    return Task.model_validate(
        {"name": "a", "kind": kind, "dataset": "d", "metrics": ({"name": metric},), "slices": slices, **needed[kind]}
    )


def samples(metric: str, scores: list[float | None], slices: list[str] | None = None) -> list[Sample]:
    return [
        {
            "scores": {} if score is None else {metric: score},
            "slices": {"s": value},
            "error": "why" if score is None else None,
            "truncated": number == 0,
            "boundary_mismatch": number < 2,
            "tie": number < 3,
        }
        for number, (score, value) in enumerate(zip(scores, slices or ["x"] * len(scores), strict=True))
    ]


def test_a_share_has_wilsons_interval() -> None:
    """The interval of 7 of 10 by hand: (7 + z²/2 ± z·√(10·.7·.3 + z²/4)) / (10 + z²) with z = 1.95996."""
    (result,) = aggregate(task("acc"), samples("acc", [1.0] * 7 + [0.0] * 3))
    assert result.value == 0.7
    assert result.stderr == pytest.approx((0.21 / 9) ** 0.5)
    assert result.ci_low == pytest.approx(0.396778, abs=1e-6)
    assert result.ci_high == pytest.approx(0.892209, abs=1e-6)
    assert (result.n, result.method, result.confidence, result.binary) == (10, "wilson", 0.95, True)
    assert (result.range, result.higher_is_better) == ((0.0, 1.0), True)


@pytest.mark.parametrize(("score", "low", "high"), [(1.0, 0.887, 1.0), (0.0, 0.0, 0.113)])
def test_all_right_or_all_wrong_is_no_certainty(score: float, low: float, high: float) -> None:
    (result,) = aggregate(task("acc"), samples("acc", [score] * 30))
    assert (result.value, result.stderr) == (score, 0.0)
    assert result.ci_low == pytest.approx(low, abs=1e-3)
    assert result.ci_high == pytest.approx(high, abs=1e-3)


def test_other_scores_have_the_normal_interval() -> None:
    (result,) = aggregate(task("nll"), samples("nll", [1.0, 2.0, 3.0, 6.0]))
    error = (14 / 3 / 4) ** 0.5
    assert (result.value, result.method, result.binary, result.n) == (3.0, "normal", False, 4)
    assert result.stderr == pytest.approx(error)
    assert result.ci_low == pytest.approx(3 - 1.959963985 * error)
    assert result.ci_high == pytest.approx(3 + 1.959963985 * error)
    assert (result.range, result.higher_is_better) == ((0.0, None), False)


@pytest.mark.parametrize(("metric", "low", "high"), [("acc", 0.206549, 1.0), ("f1", None, None)])
def test_one_item_has_no_standard_error(metric: str, low: float | None, high: float | None) -> None:
    (result,) = aggregate(task(metric), samples(metric, [1.0]))
    assert (result.value, result.stderr, result.n) == (1.0, None, 1)
    assert result.ci_low == (None if low is None else pytest.approx(low, abs=1e-6))
    assert result.ci_high == high


def test_items_with_an_error_do_not_count() -> None:
    (result,) = aggregate(task("acc"), samples("acc", [1.0, None, 0.0, None]))
    assert (result.value, result.n) == (0.5, 2)


def test_where_no_item_could_be_scored_there_is_no_value() -> None:
    (result,) = aggregate(task("acc", ("s",)), samples("acc", [None, None]))
    assert (result.value, result.stderr, result.ci_low, result.ci_high, result.n) == (None, None, None, None, 0)
    assert result.slices == ()


def test_slices_are_means_over_their_scored_items_in_the_order_of_their_names() -> None:
    made = samples("f1", [1.0, 0.25, 0.5, None, None], ["b", "a", "a", "a", "c"])
    (result,) = aggregate(task("f1", ("s",)), made)
    assert result.slices == (
        SliceResult(field="s", value="a", n=2, mean=0.375),
        SliceResult(field="s", value="b", n=1, mean=1.0),
    )


def test_flags_are_counted() -> None:
    made = samples("acc", [1.0, None, 0.0, 1.0, None, None, None])
    assert count_flags(made) == Flags(truncated=1, boundary_mismatch=2, ties=3, errors=4)
