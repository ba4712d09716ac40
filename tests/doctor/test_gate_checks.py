"""Metrics, margins and floors against the suite's items."""

from __future__ import annotations

from typing import Any

import pytest

from modelrelease.comparison.floors import lower_bound_binary
from modelrelease.comparison.plan import EXACT_ITEMS, proves, whole_point_margin
from modelrelease.doctor.gate import Asked, check_gate
from modelrelease.records.config import GatePolicy, MetricPolicy
from modelrelease.records.diagnosis import Check

SUITE = (Asked("qa", "acc", 800), Asked("few", "acc", 20), Asked("text", "nll", 100))


def looked_at(metrics: dict[str, dict[str, Any]], asked: tuple[Asked, ...] = SUITE) -> list[Check]:
    gate = GatePolicy(metrics={name: MetricPolicy(**policy) for name, policy in metrics.items()})
    return list(check_gate(gate, asked, "modelrelease.yaml"))


@pytest.mark.parametrize(
    ("metrics", "name", "state", "words"),
    [
        ({"qa/acc": {"margin": 0.03}}, "gate metrics", "ok", "1 decides, all in the suite"),
        ({"qa/acc": {"margin": 0.03}, "text/nll": {"margin": 0.1}}, "gate metrics", "ok", "2 decide"),
        ({"qa/acc": {"margin": 0.03}, "qb/acc": {"margin": 0.03}}, "gate metrics", "to-do", "no qb/acc, which"),
        ({"qa/acc": {"margin": 0.03}, "z*/acc": {"margin": 0.03}}, "gate metrics", "to-do", "no z*/acc"),
        ({}, "gate metrics", "to-do", "MR504 no metric decides"),
        ({"qa/acc": {"role": "info"}}, "gate metrics", "to-do", "MR504"),
        ({"qa/acc": {"margin": 1.5}}, "gate metrics", "to-do", "MR505"),
        ({"q*/acc": {"margin": 0.03}, "*a/acc": {"margin": 0.04}}, "gate metrics", "to-do", "MR505"),
        ({"qa/acc": {"margin": 0.03}}, "margin of qa/acc", "ok", "800 items can rule out a loss of 3.0 points"),
        ({"qa/acc": {"margin": 0.02}}, "margin of qa/acc", "to-do", "set `margin: 0.03`, or add items: some 1,546"),
        ({"few/acc": {"margin": 0.5}}, "margin of few/acc", "to-do", "20 items are fewer than `min_items`"),
        ({"text/nll": {"margin": 0.1}}, "margin of text/nll", "unseen", "how far their values spread"),
        ({"qa/acc": {"margin": 0.03, "min": 0.99}}, "floor of qa/acc", "ok", "can clear a floor of 99.0"),
        ({"qa/acc": {"margin": 0.03, "min": 0.999}}, "floor of qa/acc", "to-do", "to 0.99 or less; 2,703 items"),
        ({"qa/acc": {"margin": 0.03, "min": 1.0}}, "floor of qa/acc", "to-do", "set `min` to 0.99 or less"),
    ],
)  # fmt: skip
def test_what_the_gate_asks_is_held_against_what_there_is(
    metrics: dict[str, dict[str, Any]], name: str, state: str, words: str
) -> None:
    found = {check.name: check for check in looked_at(metrics)}
    assert found[name].state == state
    assert words in f"{found[name].says} → {found[name].step}"


def test_the_items_that_a_floor_is_said_to_need_are_the_fewest() -> None:
    assert lower_bound_binary(2703, 2703, 0.05) >= 0.999 > lower_bound_binary(2702, 2702, 0.05)


@pytest.mark.parametrize("items", [30, 61, 152, 817, 3000, EXACT_ITEMS + 1, 100_000])
def test_margins_that_init_writes_are_never_complained_about_and_smaller_ones_are(items: int) -> None:
    margin = whole_point_margin(items, 0.1, 0.05)
    assert proves(items, margin, 0.1, 0.05)
    if margin > 0.01:
        assert not proves(items, margin - 0.01, 0.1, 0.05)
