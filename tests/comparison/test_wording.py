"""What people read. The sentences stand in comparison.json, so they are exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import Scores, decide, table

from modelrelease.records.comparison import Comparison
from modelrelease.records.config import Context

MARGIN = {"margin": 0.03}
Sides = tuple[Scores, Scores]


def acc(both: int, lost: int, gained: int, neither: int) -> dict[str, Sides]:
    return {"acc": table(both, lost, gained, neither)}


def nll(shift: float, spread: float, n: int = 500) -> dict[str, Sides]:
    return {"nll": ([2.0] * n, [2.0 + shift + (spread if number % 2 else -spread) for number in range(n)])}


def one_changed(metric: str, by: float) -> dict[str, Sides]:
    before = [0.5] * 50
    return {metric: (before, [0.5 + by, *before[1:]])}


def decided(folder: Path, metrics: dict[str, Sides], **options: Any) -> Comparison:
    """Decide over one task ``t`` with these metrics."""
    before, after = ({"t": {name: sides[side] for name, sides in metrics.items()}} for side in (0, 1))
    policy = options.pop("policy", {f"t/{name}": MARGIN for name in metrics})
    return decide(folder, before, after, policy, **options)


@pytest.mark.parametrize(
    ("metrics", "policy", "context", "headline", "reason"),
    [
        (
            acc(600, 20, 20, 360),
            MARGIN,
            "release",
            "Promote: the same within the margin; release it.",
            "t/acc is equivalent: no net change; a loss of 3.0 points or more is ruled out",
        ),
        (
            acc(600, 20, 24, 356),
            MARGIN,
            "pull_request",
            "Promote: the same within the margin; merge.",
            "t/acc is equivalent: a change of +0.4 points; a loss of 3.0 points or more is ruled out",
        ),
        (
            acc(600, 20, 60, 320),
            MARGIN,
            "pull_request",
            "Promote: t/acc is better; merge.",
            "t/acc is better: a gain of 4.0 points (p < 0.0001)",
        ),
        (
            acc(6000, 160, 60, 3780),
            MARGIN,
            "release",
            "Promote: the same within the margin, with a real loss in t/acc; release it.",
            "t/acc is equivalent: a real loss of 1.0 points, inside your margin of 3.0 points (p < 0.0001)",
        ),
        (
            acc(6000, 160, 60, 3780),
            {**MARGIN, "allow_proven_loss": False},
            "release",
            "Blocked: t/acc is regressed; look at the 160 items that got worse.",
            "t/acc is regressed: a loss of 1.0 points (p < 0.0001)",
        ),
        (
            acc(60, 6, 0, 34),
            MARGIN,
            "release",
            "Blocked: t/acc is regressed; look at the 6 items that got worse.",
            "t/acc is regressed: a loss of 6.0 points (p = 0.016)",
        ),
        (
            acc(55, 5, 0, 0),
            {**MARGIN, "margin": 0.15},
            "release",
            "Blocked: t/acc is regressed; look at the 5 items that got worse.",
            "t/acc is regressed: a loss of 8.3 points (p = 0.031); one of 15.0 points or more is not ruled out",
        ),
        (
            acc(50, 16, 21, 13),
            MARGIN,
            "release",
            "Blocked: t/acc is inconclusive; add 1,800 to 3,200 items, or widen the margin to what 100 items can "
            "prove, 15.1 points.",
            "t/acc is inconclusive: a change of +5.0 points; a loss of 3.0 points or more is not ruled out: 100 items "
            "can rule out 15.1 points at best, and 1,900 to 3,300 items would be needed",
        ),
        (
            acc(60, 1, 0, 39),
            MARGIN,
            "release",
            "Blocked: t/acc is inconclusive; look at the 1 item that got worse, or add items.",
            "t/acc is inconclusive: a change of −1.0 points; a loss of 3.0 points or more is not ruled out, though "
            "100 items would do had nothing changed",
        ),
        (
            acc(30, 1, 1, 18),
            MARGIN,
            "release",
            "Blocked: t/acc is inconclusive; add 49 to 880 items, or widen the margin to what 50 items can prove, "
            "7.0 points.",
            "t/acc is inconclusive: no net change; a loss of 3.0 points or more is not ruled out: 50 items can rule "
            "out 7.0 points at best, and 99 to 930 items would be needed",
        ),
        (
            acc(10, 1, 0, 1),
            MARGIN,
            "release",
            "Blocked: t/acc is inconclusive; score 30 items or more.",
            "t/acc is inconclusive: only 12 items, fewer than the policy's `min_items`",
        ),
        (
            acc(600, 20, 20, 360),
            {**MARGIN, "min": 0.61},
            "release",
            "Blocked: t/acc does not clear its floor; add items: 62.0 is above 61.0, but not surely.",
            "t/acc does not clear its floor of 61.0: 1,000 items show 59.4 or more",
        ),
        (
            acc(600, 20, 20, 360),
            {**MARGIN, "min": 0.7},
            "release",
            "Blocked: t/acc does not clear its floor; it has 62.0, and 70.0 is asked for.",
            "t/acc does not clear its floor of 70.0: 1,000 items show 59.4 or more",
        ),
        (
            acc(600, 20, 20, 360),
            {**MARGIN, "require": "better"},
            "release",
            "Blocked: t/acc is equivalent, and the policy requires better.",
            "t/acc is equivalent, and the policy requires better",
        ),
        (
            nll(0.1, 0.2),
            MARGIN,
            "release",
            "Blocked: t/nll is regressed; look at the 250 items that got worse.",
            "t/nll is regressed: a loss of 0.100 (p = 0.0001)",
        ),
        (
            nll(0.02, 0.5),
            MARGIN,
            "release",
            "Blocked: t/nll is inconclusive; add 1,000 to 1,500 items, or widen the margin to what 500 items can "
            "prove, 0.0557.",
            "t/nll is inconclusive: a change of +0.0200, for the worse; a loss of 0.0300 or more is not ruled out: "
            "500 items can rule out 0.0557 at best, and 1,500 to 2,000 items would be needed",
        ),
        (
            one_changed("nll", -0.25),
            MARGIN,
            "release",
            "Blocked: t/nll is inconclusive; look at the items that changed.",
            "t/nll is inconclusive: a change of −0.00500, for the better; a loss of 0.0300 or more is not ruled out, "
            "and too few of 50 items changed to tell",
        ),
        (
            one_changed("f1", -0.25),
            MARGIN,
            "release",
            "Blocked: t/f1 is inconclusive; add 49 items, or widen the margin to what 50 items can prove, 5.8 points.",
            "t/f1 is inconclusive: a change of −0.5 points; a loss of 3.0 points or more is not ruled out: 50 items "
            "can rule out 5.8 points at best, and 99 items would be needed",
        ),
        (
            {"perplexity": ([1e308, 2.0] * 20, [2.0, 1e308] * 20)},
            MARGIN,
            "release",
            "Blocked: t/perplexity is inconclusive; look at the items that changed.",
            "t/perplexity is inconclusive: no net change; a loss of 0.0300 or more is not ruled out, and the scores "
            "lie too far apart to tell",
        ),
        (
            {"acc": ([1.0, 1.0, 1.0], [1.0, None, None])},
            MARGIN,
            "release",
            "Blocked: t/acc has errors; mend them, and score again.",
            "t/acc has errors: 2 items could not be scored: 2, 3",
        ),
        (
            {"acc": ([1.0], [None])},
            {**MARGIN, "min": 0.5},
            "release",
            "Blocked: t/acc has errors; mend them, and score again.",
            "t/acc has errors: 1 item could not be scored: 1",
        ),
    ],
)
def test_headline_and_reason(
    tmp_path: Path, metrics: dict[str, Sides], policy: dict[str, Any], context: Context, headline: str, reason: str
) -> None:
    found = decided(tmp_path, metrics, policy={f"t/{name}": policy for name in metrics}, context=context)
    assert found.headline == headline
    assert found.reasons[0] == reason


SAME, WORSE, BETTER, UNCERTAIN = (
    table(600, 20, 20, 360),
    table(600, 60, 20, 320),
    table(600, 20, 60, 320),
    table(600, 190, 190, 20),
)


@pytest.mark.parametrize(
    ("metrics", "context", "headline"),
    [
        (
            {"acc": SAME, "acc_norm": SAME},
            "release",
            "Promote: the same within the margins; release it.",
        ),
        (
            {"acc": SAME, "acc_norm": BETTER},
            "pull_request",
            "Promote: t/acc_norm is better, the rest the same within its margin; merge.",
        ),
        ({"acc": BETTER, "acc_norm": BETTER}, "pull_request", "Promote: t/acc, t/acc_norm are better; merge."),
        (
            {"acc": WORSE, "acc_norm": WORSE},
            "pull_request",
            "Blocked: t/acc is regressed (1 more does not pass); look at the 60 items that got worse.",
        ),
        (
            {"acc": UNCERTAIN, "acc_norm": WORSE},
            "release",
            "Blocked: t/acc_norm is regressed (1 more does not pass); look at the 60 items that got worse.",
        ),
        (
            {"acc": UNCERTAIN, "acc_norm": SAME},
            "pull_request",
            "Promote, with a warning: t/acc is not proven to be as good; not blocked here, but a release would block.",
        ),
        (
            {"acc": UNCERTAIN, "acc_norm": UNCERTAIN},
            "pull_request",
            "Promote, with a warning: t/acc, t/acc_norm are not proven to be as good; not blocked here, but a release "
            "would block.",
        ),
    ],
)
def test_the_headline_speaks_of_all_gate_metrics(
    tmp_path: Path, metrics: dict[str, Sides], context: Context, headline: str
) -> None:
    assert decided(tmp_path, metrics, context=context).headline == headline


def test_identical_outputs_are_called_so(tmp_path: Path) -> None:
    found = decided(tmp_path, acc(2, 0, 0, 1), context="pull_request", after_model="model_v1.0")
    assert found.headline == "Promote: inputs and outputs are identical; merge."
    assert found.reasons == ("t/acc is equivalent: inputs and outputs are identical on all items",)


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (acc(60, 4, 6, 30), "a change of +2.0 points, which chance can explain (p = 0.55); no margin is set"),
        (acc(60, 5, 5, 30), "no net change; no margin is set"),
        (acc(10, 0, 0, 3), "only 13 items, fewer than the policy's `min_items`"),
    ],
)
def test_information_is_worded_without_a_margin(tmp_path: Path, metrics: dict[str, Sides], reason: str) -> None:
    before, after = metrics["acc"]
    both = {"t": {"acc": before}, "g": {"acc": [1.0] * 99}}, {"t": {"acc": after}, "g": {"acc": [1.0] * 99}}
    found = decide(tmp_path, *both, {"g/acc": MARGIN})
    assert [row.reason for row in found.metrics if row.task == "t"] == [reason]


def test_many_names_are_cut_to_three(tmp_path: Path) -> None:
    tasks = {f"t{number}": {"acc": UNCERTAIN[0]} for number in range(5)}
    after = {name: {"acc": UNCERTAIN[1]} for name in tasks}
    found = decide(tmp_path, tasks, after, {"*/acc": MARGIN}, context="pull_request")
    assert found.headline.startswith("Promote, with a warning: t0/acc, t1/acc, t2/acc and 2 more are not proven")
