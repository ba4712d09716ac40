"""The decision from verdicts, through files: what is promoted, what blocks, what is only said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import Scores, decide, metric_of, policy, read_pair, table

from modelrelease.comparison.judgement import rule
from modelrelease.comparison.measure import measure
from modelrelease.records.comparison import Comparison
from modelrelease.records.config import Context

Sides = tuple[Scores, Scores]
SAME: Sides = table(both=600, lost=20, gained=20, neither=360)
BETTER: Sides = table(both=600, lost=20, gained=60, neither=320)
WORSE: Sides = table(both=600, lost=60, gained=20, neither=320)
LOSS_INSIDE: Sides = table(both=6000, lost=160, gained=60, neither=3780)
UNCERTAIN: Sides = table(both=50, lost=16, gained=21, neither=13)
FAILED: Sides = ([1.0] * 100, [1.0] * 99 + [None])
MARGIN = {"margin": 0.03}
WARN = {"on_inconclusive": {"pull_request": "warn", "release": "warn"}}
BLOCK = {"on_inconclusive": {"pull_request": "block", "release": "block"}}


def decided(folder: Path, sides: dict[str, Sides], metrics: dict[str, Any], **options: Any) -> Comparison:
    """Decide over tasks with one metric each: acc, or what stands after a slash."""

    def side(number: int) -> dict[str, dict[str, Scores]]:
        names = [name if "/" in name else f"{name}/acc" for name in sides]
        return {
            name.partition("/")[0]: {name.partition("/")[2]: scores[number]}
            for name, scores in zip(names, sides.values(), strict=True)
        }

    return decide(folder, side(0), side(1), metrics, **options)


@pytest.mark.parametrize(
    ("sides", "metrics", "context", "gate", "decision"),
    [
        ({"qa": SAME}, {"qa/acc": MARGIN}, "release", {}, "promote"),
        ({"qa": BETTER}, {"qa/acc": MARGIN}, "release", {}, "promote"),
        ({"qa": WORSE}, {"qa/acc": MARGIN}, "release", {}, "block"),
        ({"qa": WORSE}, {"qa/acc": MARGIN}, "pull_request", {}, "block"),
        ({"qa": LOSS_INSIDE}, {"qa/acc": MARGIN}, "release", {}, "promote"),
        ({"qa": LOSS_INSIDE}, {"qa/acc": {**MARGIN, "allow_proven_loss": False}}, "release", {}, "block"),
        # not proven: by context
        ({"qa": UNCERTAIN}, {"qa/acc": MARGIN}, "release", {}, "block"),
        ({"qa": UNCERTAIN}, {"qa/acc": MARGIN}, "pull_request", {}, "promote"),
        ({"qa": UNCERTAIN}, {"qa/acc": MARGIN}, "release", WARN, "promote"),
        ({"qa": UNCERTAIN}, {"qa/acc": MARGIN}, "pull_request", BLOCK, "block"),
        # all gate metrics have to pass, and nothing else counts
        ({"qa": SAME, "qb": WORSE}, {"qa/acc": MARGIN, "qb/acc": MARGIN}, "release", {}, "block"),
        ({"qa": SAME, "qb": UNCERTAIN}, {"*/acc": MARGIN}, "release", {}, "block"),
        ({"qa": WORSE, "qb": UNCERTAIN}, {"*/acc": MARGIN}, "pull_request", {}, "block"),
        ({"qa": SAME, "qb": WORSE}, {"qa/acc": MARGIN}, "release", {}, "promote"),
        ({"qa": SAME, "qb": WORSE}, {"qa/acc": MARGIN, "qb/acc": {**MARGIN, "role": "info"}}, "release", {}, "promote"),
        ({"qa": SAME, "qb": FAILED}, {"qa/acc": MARGIN}, "release", {}, "promote"),
        # better is asked for
        ({"qa": SAME}, {"qa/acc": {**MARGIN, "require": "better"}}, "release", {}, "block"),
        ({"qa": BETTER}, {"qa/acc": {**MARGIN, "require": "better"}}, "release", {}, "promote"),
        # no verdict
        ({"qa": FAILED}, {"qa/acc": MARGIN}, "release", {}, "block"),
        ({"qa": FAILED}, {"qa/acc": MARGIN}, "pull_request", {}, "block"),
        # the policy names what nobody has
        ({"qa": SAME}, {"qa/acc": MARGIN, "qz/acc": MARGIN}, "pull_request", {}, "block"),
        ({"qa": SAME}, {"qa/acc": MARGIN, "qz/*": MARGIN}, "release", {}, "block"),
        ({"qa": SAME}, {"qa/acc": MARGIN, "qz/*": {"role": "info"}}, "release", {}, "promote"),
        ({"qa": SAME}, {"qz/*": MARGIN}, "pull_request", {}, "block"),
    ],
)
def test_the_decision(
    tmp_path: Path,
    sides: dict[str, Sides],
    metrics: dict[str, Any],
    context: Context,
    gate: dict[str, Any],
    decision: str,
) -> None:
    found = decided(tmp_path, sides, metrics, context=context, gate=gate)
    assert found.decision == decision
    assert found.headline.startswith("Promote" if decision == "promote" else "Blocked: ")
    assert found.policies[0].decision == decision
    assert found.policies[0].reasons == found.reasons
    assert found.reasons or found.warnings
    assert found.context == context


@pytest.mark.parametrize(
    ("minimum", "decision"),
    [(0.5938, "promote"), (0.595, "block"), (0.62, "block"), (0.7, "block")],
)
def test_a_floor_is_checked_on_the_lower_bound_of_right_or_wrong_items(
    tmp_path: Path, minimum: float, decision: str
) -> None:
    """620 of 1,000: Wilson's lower end of the two-sided 90 % interval is 59.45 %."""
    found = decided(tmp_path, {"qa": SAME}, {"qa/acc": {**MARGIN, "min": minimum}}, context="pull_request")
    assert metric_of(found, "qa/acc").verdict == "equivalent"
    assert found.decision == decision


@pytest.mark.parametrize(("minimum", "decision"), [(0.49, "promote"), (0.497, "block"), (0.55, "block")])
def test_a_floor_is_checked_on_the_t_bound_of_numbers(tmp_path: Path, minimum: float, decision: str) -> None:
    """A mean of .5 and a standard error of .004: the bound is .4934."""
    scores = [0.5 + (0.1 if number % 2 else -0.1) for number in range(625)]
    scores[0] = 0.5
    after = [score + (0.001 if number % 4 < 2 else -0.001) for number, score in enumerate(scores)]
    found = decided(tmp_path, {"qa/f1": (scores, after)}, {"qa/f1": {**MARGIN, "min": minimum}})
    assert metric_of(found, "qa/f1").verdict == "equivalent"
    assert found.decision == decision


def test_a_floor_that_is_just_reached_holds(tmp_path: Path) -> None:
    level = [0.5] * 100
    for minimum, decision in ((0.5, "promote"), (0.5001, "block")):
        metrics = {"qa/f1": {**MARGIN, "min": minimum}}
        assert decided(tmp_path / str(minimum), {"qa/f1": (level, level)}, metrics).decision == decision


def test_a_floor_blocks_where_an_inconclusive_verdict_would_only_warn(tmp_path: Path) -> None:
    metrics = {"qa/acc": {**MARGIN, "min": 0.9}}
    found = decided(tmp_path, {"qa": UNCERTAIN}, metrics, context="pull_request")
    assert found.decision == "block"
    assert [reason.partition(":")[0] for reason in found.reasons] == [
        "qa/acc is inconclusive",
        "qa/acc does not clear its floor of 90.0",
    ]
    assert found.warnings == ()


def test_the_claims_of_several_gate_metrics_are_adjusted_and_those_of_information_are_not(tmp_path: Path) -> None:
    loss = table(both=600, lost=38, gained=20, neither=342)  # p = .018
    alone = decided(tmp_path / "alone", {"qa": loss}, {"qa/acc": MARGIN})
    row = metric_of(alone, "qa/acc")
    assert (row.verdict, row.p_holm) == ("regressed", row.p_difference)
    assert row.p_difference is not None
    several = {"qa": loss, "qb": SAME, "qc": SAME, "qd": SAME}
    gated = decided(tmp_path / "gated", several, {"*/acc": MARGIN})
    assert metric_of(gated, "qa/acc").verdict == "inconclusive"
    assert metric_of(gated, "qa/acc").p_holm == pytest.approx(4 * row.p_difference)
    assert metric_of(gated, "qb/acc").p_holm == 1.0
    shown = decided(tmp_path / "shown", several, {"qa/acc": MARGIN})
    assert metric_of(shown, "qa/acc").verdict == "regressed"
    assert metric_of(shown, "qb/acc").p_holm is None


def test_metrics_that_cannot_be_compared_take_no_part_in_the_adjustment(tmp_path: Path) -> None:
    loss = table(both=600, lost=38, gained=20, neither=342)
    found = decided(tmp_path, {"qa": loss, "qb": FAILED, "qc": FAILED}, {"*/acc": MARGIN})
    row = metric_of(found, "qa/acc")
    assert row.p_holm == row.p_difference
    assert [metric_of(found, name).p_holm for name in ("qb/acc", "qc/acc")] == [None, None]


def test_reasons_of_a_promotion_are_why_each_metric_passes(tmp_path: Path) -> None:
    found = decided(tmp_path, {"qa": SAME, "qb": BETTER, "qc": WORSE}, {"qa/acc": MARGIN, "qb/acc": MARGIN})
    assert found.reasons == (
        "qa/acc is equivalent: no net change; a loss of 3.0 points or more is ruled out",
        "qb/acc is better: a gain of 4.0 points (p < 0.0001)",
    )


def test_what_is_not_proven_is_a_warning_and_no_reason(tmp_path: Path) -> None:
    found = decided(tmp_path, {"qa": SAME, "qb": UNCERTAIN}, {"*/acc": MARGIN}, context="pull_request")
    assert [reason.partition(":")[0] for reason in found.reasons] == ["qa/acc is equivalent"]
    (warning,) = found.warnings
    assert warning.startswith("qb/acc is inconclusive: a change of +5.0 points; a loss of 3.0 points or more is not")
    assert warning.endswith("(not proven, not blocked here; a release would block)")


def test_what_a_release_would_do_is_said_as_its_policy_has_it(tmp_path: Path) -> None:
    for context in ("pull_request", "release"):
        found = decided(tmp_path / context, {"qa": UNCERTAIN}, {"qa/acc": MARGIN}, context=context, gate=WARN)
        assert found.warnings[0].endswith("(not proven, not blocked here)")
        assert "a release would block" not in found.headline


def test_what_the_policy_names_and_nobody_has_is_said(tmp_path: Path) -> None:
    metrics = {"qa/acc": MARGIN, "qz/acc": MARGIN, "qy/*": MARGIN, "qx/*": {"role": "info"}}
    found = decided(tmp_path, {"qa": SAME}, metrics)
    assert found.reasons == (
        "qz/acc: the policy names it, and neither side has it",
        "qy/*: the policy names it, and neither side has it",
    )
    assert found.warnings == ()
    assert found.headline == "Blocked: qz/acc was not measured; score it, or mend the policy."


def test_a_policy_whose_patterns_match_nothing_gates_nothing_and_blocks(tmp_path: Path) -> None:
    found = decided(tmp_path, {"qa": SAME}, {"qy/*": MARGIN}, context="pull_request")
    assert found.reasons == ("qy/*: the policy names it, and neither side has it",)
    assert found.headline == "Blocked: qy/* was not measured; score it, or mend the policy."


def test_information_that_cannot_be_compared_is_a_warning(tmp_path: Path) -> None:
    new = {"qa": {"acc": SAME[0]}}, {"qa": {"acc": SAME[1]}, "qb": {"acc": [1.0]}}
    found = decide(tmp_path, *new, {"qa/acc": MARGIN})
    assert found.decision == "promote"
    assert found.warnings == ("qb/acc: the baseline was not scored on task `qb`",)


def test_what_was_left_out_is_a_warning_once_a_task(tmp_path: Path) -> None:
    before = {"qa": {"acc": [1.0] * 100, "acc_norm": [1.0] * 100}}
    after = {"qa": {"acc": [1.0] * 102, "acc_norm": [1.0] * 102}}
    found = decide(tmp_path, before, after, {"qa/acc": MARGIN}, intersect=True)
    assert found.warnings == ("qa: left out 2 items, not the same on both sides: 101, 102",)
    assert (found.decision, metric_of(found, "qa/acc").n) == ("promote", 100)


def test_two_policies_can_judge_the_same_measures(tmp_path: Path) -> None:
    measures = measure(*read_pair(tmp_path, {"qa": {"acc": SAME[0]}}, {"qa": {"acc": SAME[1]}}))
    wide, narrow = (rule(measures, policy({"qa/acc": {"margin": margin}}), "release") for margin in (0.03, 0.005))
    assert (wide.decision, narrow.decision) == ("promote", "block")
    assert wide.rulings[0].measure is narrow.rulings[0].measure


ACCEPTED = {"qa/acc": "by Ada until 2026-04-01: the old items were wrong"}


@pytest.mark.parametrize(
    ("sides", "metrics", "accepted", "decision"),
    [
        (WORSE, {"qa/acc": MARGIN}, ACCEPTED, "promote"),
        (WORSE, {"qa/acc": MARGIN}, {"qb/acc": "x"}, "block"),
        (UNCERTAIN, {"qa/acc": MARGIN}, ACCEPTED, "promote"),
        (WORSE, {"qa/acc": {**MARGIN, "min": 0.9}}, ACCEPTED, "block"),
        (FAILED, {"qa/acc": MARGIN}, ACCEPTED, "block"),
        (SAME, {"qa/acc": {**MARGIN, "require": "better"}}, ACCEPTED, "block"),
        (WORSE, {"qa/acc": MARGIN, "qz/acc": MARGIN}, ACCEPTED, "block"),
    ],
)
def test_an_override_lets_a_loss_pass_and_nothing_else(
    tmp_path: Path, sides: Sides, metrics: dict[str, Any], accepted: dict[str, str], decision: str
) -> None:
    baseline, candidate = read_pair(tmp_path, {"qa": {"acc": sides[0]}}, {"qa": {"acc": sides[1]}})
    found = rule(measure(baseline, candidate), policy(metrics), "release", accepted)
    assert found.decision == decision
    if decision == "promote":
        assert any(ACCEPTED["qa/acc"] in warning for warning in found.warnings)


def test_what_an_override_lets_pass_is_said_first(tmp_path: Path) -> None:
    baseline, candidate = read_pair(tmp_path, {"qa": {"acc": WORSE[0]}}, {"qa": {"acc": WORSE[1]}})
    found = rule(measure(baseline, candidate), policy({"qa/acc": MARGIN}), "release", ACCEPTED)
    assert found.headline == "Promote, by override: qa/acc is regressed, and that is accepted; release it."
    (warning,) = found.warnings
    assert warning.startswith("qa/acc is regressed: a loss of 4.0 points")
    assert warning.endswith("(accepted: by Ada until 2026-04-01: the old items were wrong)")
