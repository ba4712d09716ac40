from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelrelease.comparison.evidence import BinaryEvidence, ContinuousEvidence, Evidence
from modelrelease.comparison.paired_binary import PairedTable
from modelrelease.comparison.power import discordance_range, finest_margin, items_needed, smallest_margin
from modelrelease.comparison.verdict import Judged, describe_power, judge
from modelrelease.records.comparison import Power
from modelrelease.records.config import GatePolicy, MetricPolicy

GATE = GatePolicy()


def items(n: int, lost: int = 0, gained: int = 0) -> BinaryEvidence:
    return BinaryEvidence(PairedTable(n - lost - gained, lost, gained, 0))


def numbers(*d: float, times: int = 1, width: float | None = 1.0) -> ContinuousEvidence:
    return ContinuousEvidence(list(d) * times, [0.5] * len(d) * times, width)


def verdict(
    evidence: Evidence,
    margin: float | None = 0.03,
    *,
    p: float | None = None,
    identical: bool = False,
    gate: GatePolicy = GATE,
    **policy: Any,
) -> Judged:
    if isinstance(evidence, BinaryEvidence):
        improvement = evidence.table.delta
    else:
        assert isinstance(evidence, ContinuousEvidence)
        improvement = math.fsum(evidence.differences) / evidence.n
    asked = None if margin is None else MetricPolicy(margin=margin, **policy)
    return judge(evidence, improvement, evidence.p_difference if p is None else p, identical, asked, gate)


@pytest.mark.parametrize(
    ("evidence", "margin", "expected"),
    [
        # GAIN and NI
        (items(1000, 20, 60), 0.03, ("better", "gain")),
        (items(300, 0, 6), 0.01, ("better", "gain")),
        (numbers(0.1, 0.2, -0.02, 0.0, times=20), 0.03, ("better", "gain")),
        # NI
        (items(1000, 20, 20), 0.03, ("equivalent", "not_inferior")),
        (items(1000, 20, 25), 0.03, ("equivalent", "not_inferior")),
        (items(1000, 25, 20), 0.03, ("equivalent", "not_inferior")),
        (items(100), 0.03, ("equivalent", "not_inferior")),
        (numbers(0.1, -0.1, times=500), 0.03, ("equivalent", "not_inferior")),
        (numbers(0.01, -0.01, times=20, width=None), 0.03, ("equivalent", "not_inferior")),
        # NI and LOSS: inside the margin
        (items(10_000, 160, 60), 0.03, ("equivalent", "loss_within_margin")),
        (numbers(-0.01, -0.02, 0.005, times=100), 0.03, ("equivalent", "loss_within_margin")),
        # LOSS
        (items(1000, 60, 20), 0.03, ("regressed", "loss_in_doubt")),
        (items(100, 6, 0), 0.03, ("regressed", "loss_in_doubt")),
        (numbers(-0.1, -0.2, 0.02, 0.0, times=20), 0.03, ("regressed", "loss_in_doubt")),
        # neither
        (items(100, 16, 21), 0.03, ("inconclusive", "uncertain")),
        (items(817, 46, 35), 0.02, ("inconclusive", "uncertain")),
        (numbers(0.4, -0.4, times=20), 0.03, ("inconclusive", "uncertain")),
        (numbers(0.0, times=100, width=None), 0.03, ("inconclusive", "uncertain")),
        # nothing is asked
        (items(1000, 20, 60), None, ("better", "gain")),
        (items(1000, 60, 20), None, ("regressed", "loss")),
        (items(1000, 20, 20), None, ("inconclusive", "no_margin")),
        (items(1000), None, ("inconclusive", "no_margin")),
    ],
)
def test_the_verdict_follows_from_gain_loss_and_not_inferior(
    evidence: Evidence, margin: float | None, expected: tuple[str, str]
) -> None:
    found = verdict(evidence, margin)
    assert (found.verdict, found.why) == expected
    assert found.loss_within_margin == (found.why == "loss_within_margin")
    assert found.p_noninferior == (None if margin is None else evidence.p_noninferior(margin))


@pytest.mark.parametrize(("n", "margin"), [(59, 0.05), (99, 0.03), (149, 0.02), (299, 0.01), (598, 0.005)])
def test_without_flips_the_margin_is_proven_from_so_many_items(n: int, margin: float) -> None:
    assert verdict(items(n), margin).verdict == "equivalent"
    assert verdict(items(n - 1), margin).verdict == "inconclusive"


@pytest.mark.parametrize(
    "evidence", [items(1000, 20, 22), items(400, 3, 1), items(200), numbers(0.1, -0.2, 0.09, times=50)]
)
def test_an_interval_that_just_touches_the_margin_does_not_clear_it(evidence: Evidence) -> None:
    p = evidence.p_noninferior(0.03)
    assert 0 < p < 0.5
    touching, clearing = GatePolicy(alpha=p), GatePolicy(alpha=math.nextafter(p, 1))
    assert verdict(evidence, gate=touching, p=1.0).verdict == "inconclusive"
    assert verdict(evidence, gate=clearing, p=1.0).verdict == "equivalent"


def test_a_loss_of_exactly_the_margin_on_every_item_is_no_equivalence() -> None:
    touching = numbers(0.9 - 1.0, 0.3 - 0.4, 0.7 - 0.8, times=20)
    assert verdict(touching, 0.1).verdict == "regressed"
    assert verdict(touching, 0.2).why == "loss_within_margin"


def test_a_p_of_exactly_alpha_proves_nothing() -> None:
    for evidence, proven in ((items(1000, 60, 20), "regressed"), (items(1000, 20, 60), "better")):
        assert verdict(evidence, p=0.05).verdict != proven
        assert verdict(evidence, p=math.nextafter(0.05, 0)).verdict == proven


def test_an_adjusted_p_can_take_the_proof_away() -> None:
    assert verdict(items(1000, 38, 20)).verdict == "regressed"
    assert verdict(items(1000, 38, 20), p=0.06).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (items(29), ("inconclusive", "too_few")),
        (items(29, 0, 12), ("inconclusive", "too_few")),
        (items(29, 12, 0), ("regressed", "loss")),
        (numbers(-0.001, times=29), ("regressed", "loss")),  # proven; that it is inside the margin is not
        (items(30, 0, 12), ("better", "gain")),
        (numbers(-0.001, -0.002, times=15, width=0.1), ("equivalent", "loss_within_margin")),
    ],
)
def test_fewer_items_than_the_policy_asks_for_prove_nothing_but_a_loss(
    evidence: Evidence, expected: tuple[str, str]
) -> None:
    found = verdict(evidence, 0.09)
    assert (found.verdict, found.why) == expected


@pytest.mark.parametrize("n", [1, 2, 29, 30, 5000])
@pytest.mark.parametrize("margin", [None, 0.001])
def test_identical_outputs_are_equivalent_at_any_n(n: int, margin: float | None) -> None:
    found = verdict(items(n), margin, identical=True)
    assert (found.verdict, found.why) == ("equivalent", "identical")


def test_a_team_can_refuse_every_proven_loss() -> None:
    inside = items(10_000, 160, 60)
    assert verdict(inside).verdict == "equivalent"
    assert verdict(inside, allow_proven_loss=False).verdict == "regressed"
    assert verdict(items(1000, 22, 20), allow_proven_loss=False).verdict == "equivalent"


def test_min_items_and_alpha_are_the_policy_s() -> None:
    assert verdict(items(100), gate=GatePolicy(min_items=101)).why == "too_few"
    assert verdict(items(100), gate=GatePolicy(min_items=100)).why == "not_inferior"
    assert verdict(items(100), gate=GatePolicy(alpha=0.01)).why == "uncertain"


tables = st.tuples(st.integers(30, 400), st.integers(0, 15), st.integers(0, 15))
OPPOSITE = {"better": "regressed", "regressed": "better", "inconclusive": "inconclusive"}


@given(tables)
@settings(deadline=None)
def test_swapping_sides_swaps_gain_and_loss(counts: tuple[int, int, int]) -> None:
    n, lost, gained = counts
    there, back = verdict(items(n, lost, gained), None), verdict(items(n, gained, lost), None)
    assert back.verdict == OPPOSITE[there.verdict]


@given(tables, st.sampled_from([0.005, 0.02, 0.1, 0.4]))
@settings(deadline=None)
def test_a_wider_margin_never_makes_a_verdict_worse(counts: tuple[int, int, int], margin: float) -> None:
    order = ["regressed", "inconclusive", "equivalent", "better"]
    narrow, wide = (verdict(items(*counts), m).verdict for m in (margin, 2 * margin))
    assert order.index(wide) >= order.index(narrow)


@given(tables, st.sampled_from([0.005, 0.02, 0.1, 0.4]))
@settings(deadline=None)
def test_a_proven_gain_is_always_better(counts: tuple[int, int, int], margin: float) -> None:
    evidence = items(*counts)
    gain = evidence.p_difference < 0.05 and counts[2] > counts[1]
    assert (verdict(evidence, margin).verdict == "better") == gain


@pytest.mark.parametrize(
    ("flips", "margin", "low", "high"), [(82, 0.02, 1262, 1900), (16, 0.02, 187, 489), (0, 0.02, 149, 149)]
)
def test_the_items_needed_are_a_range(flips: int, margin: float, low: int, high: int) -> None:
    """817 items, 10 % and 2 % of which flip: 1,546 and 310 items in the middle; none: what the guard needs."""
    found = describe_power(items(817, flips // 2, flips - flips // 2), margin, 0.05)
    assert (found.items_needed_low, found.items_needed_high) == (low, high)
    shares = discordance_range(flips, 817)
    assert (low, high) == tuple(max(149, items_needed(margin, share)) for share in shares)
    assert found.mde == pytest.approx(max(smallest_margin(817, flips / 817), finest_margin(817)))


def test_without_a_margin_there_is_no_number_of_items() -> None:
    found = describe_power(items(100, 5, 5), None, 0.05)
    assert (found.mde, found.items_needed_low, found.items_needed_high) == (
        pytest.approx(smallest_margin(100, 0.1)),
        None,
        None,
    )


@pytest.mark.parametrize(
    "evidence",
    [
        items(1),
        numbers(0.3),
        numbers(0.0, times=50, width=None),  # too few changed, and nothing bounds what one can lose
        numbers(1.5e308, -1.5e308, -1e308, times=20, width=None),
    ],
)
def test_where_nothing_can_be_shown_there_is_no_power(evidence: Evidence) -> None:
    assert describe_power(evidence, 0.03, 0.05) == Power(mde=None, items_needed_low=None, items_needed_high=None)


def test_power_is_told_for_margins_that_nobody_can_prove() -> None:
    found = describe_power(items(100, 5, 5), 1e-300, 0.05)
    assert (found.items_needed_low, found.items_needed_high) == (10**15, 10**15)
