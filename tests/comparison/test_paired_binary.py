from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from modelrelease.comparison.paired_binary import (
    PairedTable,
    mcnemar_exact,
    mcnemar_mid_p,
    non_inferior,
    p_noninferior,
    tango_interval,
    tango_statistic,
)
from modelrelease.stats import normal_quantile

flips = st.integers(0, 300)
margins = st.sampled_from([0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3])
alphas = st.sampled_from([0.01, 0.025, 0.05, 0.1])


@st.composite
def tables(draw: st.DrawFn) -> PairedTable:
    table = draw(st.tuples(flips, flips, flips, flips).filter(any))
    return PairedTable(*table)


def swapped(table: PairedTable) -> PairedTable:
    return PairedTable(table.both, table.candidate_only, table.base_only, table.neither)


def test_a_table_knows_its_counts() -> None:
    table = PairedTable(794, 150, 86, 570)
    assert (table.n, table.losses, table.gains, table.flips, table.delta) == (1600, 150, 86, 236, -0.04)


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (-1, 2, 2, 2), (5, -1, 0, 0), (5, 0, -1, 0), (5, 0, 0, -1)])
def test_a_table_without_items_or_with_negative_counts_is_none(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least one item"):
        PairedTable(*counts)


@pytest.mark.parametrize(
    ("losses", "gains", "exact", "mid"),
    [
        (150, 86, 3.71594e-5, 2.89339e-5),
        (1, 7, 0.0703125, 0.0390625),
        (11, 1, 0.00634766, 0.00341797),
        (25, 15, 0.15385994, 0.11727521),
        (0, 0, 1.0, 1.0),
        (0, 5, 0.0625, 0.03125),
        (4, 4, 1.0, 1.0),
    ],
)
def test_mcnemar_against_known_values(losses: int, gains: int, exact: float, mid: float) -> None:
    assert mcnemar_exact(losses, gains) == pytest.approx(exact, rel=2e-6)
    assert mcnemar_mid_p(losses, gains) == pytest.approx(mid, rel=2e-6)


@pytest.mark.parametrize(
    ("counts", "confidence", "expected"),
    [
        ((794, 150, 86, 570), 0.95, (-0.058998, -0.021362)),
        ((1, 1, 7, 12), 0.95, (0.026003, 0.517232)),
        ((60, 0, 0, 40), 0.95, (-0.0369935, 0.0369935)),
        ((60, 0, 0, 40), 0.90, (-0.0263427, 0.0263427)),
        ((60, 0, 5, 35), 0.95, (0.011157, 0.111750)),
        ((260, 25, 15, 200), 0.95, (-0.046315, 0.005006)),
        ((500, 60, 50, 390), 0.95, (-0.030933, 0.010710)),
        ((500, 60, 50, 390), 0.90, (-0.027486, 0.007327)),
    ],
)
def test_tangos_interval_against_known_values(
    counts: tuple[int, int, int, int], confidence: float, expected: tuple[float, float]
) -> None:
    assert tango_interval(PairedTable(*counts), confidence) == pytest.approx(expected, abs=6e-7)


@pytest.mark.parametrize("n", [1, 2, 30, 1000, 10**6])
def test_without_flips_the_interval_has_a_closed_form(n: int) -> None:
    half = normal_quantile(0.975) ** 2 / (n + normal_quantile(0.975) ** 2)
    assert tango_interval(PairedTable(n, 0, 0, 0), 0.95) == pytest.approx((-half, half), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 30, 1000, 10**6])
def test_when_every_item_breaks_the_interval_ends_at_minus_one(n: int) -> None:
    low, high = tango_interval(PairedTable(0, n, 0, 0), 0.95)
    assert low == -1.0
    assert -1 < high < 1
    assert tango_interval(PairedTable(0, 0, n, 0), 0.95) == (-high, 1.0)


@pytest.mark.parametrize("counts", [(400_000, 60_000, 50_000, 490_000), (999_999, 1, 0, 0), (0, 500_000, 500_000, 0)])
def test_the_ends_of_the_interval_solve_its_equation_at_a_million_items(counts: tuple[int, int, int, int]) -> None:
    table, z = PairedTable(*counts), normal_quantile(0.975)
    low, high = tango_interval(table, 0.95)
    for end, side in ((low, 1), (high, -1)):
        assert side * tango_statistic(table, end - side * 1e-11) > z
        assert side * tango_statistic(table, end + side * 1e-11) < z


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.5])
def test_a_confidence_lies_between_zero_and_one(confidence: float) -> None:
    if confidence == 0.0:  # the point itself
        assert tango_interval(PairedTable(5, 2, 1, 2), 0.0) == pytest.approx((-0.1, -0.1), abs=1e-12)
        return
    with pytest.raises(ValueError, match="p must be"):
        tango_interval(PairedTable(5, 2, 1, 2), confidence)


@pytest.mark.parametrize(("n", "margin"), [(59, 0.05), (99, 0.03), (149, 0.02), (299, 0.01), (598, 0.005)])
def test_without_flips_a_margin_is_cleared_from_this_many_items_on(n: int, margin: float) -> None:
    assert non_inferior(PairedTable(n, 0, 0, 0), margin, 0.05)
    assert not non_inferior(PairedTable(n - 1, 0, 0, 0), margin, 0.05)


def test_the_docs_example_of_a_thousand_items_clears_three_points_and_not_two() -> None:
    table = PairedTable(500, 60, 50, 390)
    assert non_inferior(table, 0.03, 0.05)
    assert not non_inferior(table, 0.02, 0.05)
    assert p_noninferior(table, 0.0274857) == pytest.approx(0.05, abs=1e-5)


@given(tables(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
@settings(deadline=None)
def test_swapping_sides_negates_the_interval_and_keeps_mcnemar(table: PairedTable, confidence: float) -> None:
    low, high = tango_interval(table, confidence)
    assert tango_interval(swapped(table), confidence) == (-high, -low)
    assert mcnemar_mid_p(table.losses, table.gains) == mcnemar_mid_p(table.gains, table.losses)
    assert mcnemar_exact(table.losses, table.gains) == mcnemar_exact(table.gains, table.losses)


@given(tables())
@settings(deadline=None)
def test_the_interval_holds_the_difference_stays_in_range_and_widens_with_confidence(table: PairedTable) -> None:
    intervals = [tango_interval(table, confidence) for confidence in (0.5, 0.8, 0.9, 0.95, 0.99)]
    for low, high in intervals:
        assert -1 <= low <= table.delta <= high <= 1
    for (inner_low, inner_high), (outer_low, outer_high) in pairwise(intervals):
        assert outer_low <= inner_low
        assert inner_high <= outer_high


@given(tables())
@settings(deadline=None)
def test_items_that_both_have_right_or_wrong_count_alike_and_change_the_interval(table: PairedTable) -> None:
    moved = PairedTable(table.both + table.neither, table.base_only, table.candidate_only, 0)
    assert tango_interval(table, 0.95) == tango_interval(moved, 0.95)
    more = PairedTable(table.both + 50, table.base_only, table.candidate_only, table.neither)
    assert tango_interval(more, 0.95) != tango_interval(table, 0.95)


@given(flips, flips)
@settings(deadline=None)
def test_mcnemar_agrees_with_scipys_binomial_test_and_mid_p_takes_off_the_point(losses: int, gains: int) -> None:
    assume(losses + gains > 0)
    exact, mid = mcnemar_exact(losses, gains), mcnemar_mid_p(losses, gains)
    assert exact == pytest.approx(binomtest(losses, losses + gains, 0.5).pvalue, rel=1e-9)
    half_a_point = 0.0 if losses == gains else binom.pmf(losses, losses + gains, 0.5)
    assert mid == pytest.approx(exact - half_a_point, rel=1e-9)
    assert 0 < mid <= exact <= 1


@given(tables(), margins, alphas)
@settings(deadline=None)
def test_the_verdict_is_the_p_value_and_where_no_guard_applies_the_interval(
    table: PairedTable, margin: float, alpha: float
) -> None:
    p = p_noninferior(table, margin)
    assert 0 <= p <= 1
    assert non_inferior(table, margin, alpha) == (p < alpha)
    low, _ = tango_interval(table, 1 - 2 * alpha)
    assume(abs(low + margin) > 1e-9)
    if table.flips >= 10 and table.gains > 0:
        assert non_inferior(table, margin, alpha) == (low > -margin)
    else:
        assert low > -margin or not non_inferior(table, margin, alpha)


@given(tables(), alphas)
@settings(deadline=None)
def test_a_wider_margin_is_never_harder(table: PairedTable, alpha: float) -> None:
    answers = [non_inferior(table, margin, alpha) for margin in (0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.9)]
    assert answers == sorted(answers)


def test_an_interval_that_just_touches_the_margin_does_not_clear_it() -> None:
    table = PairedTable(500, 60, 50, 390)
    low, _ = tango_interval(table, 0.9)
    assert not non_inferior(table, -low - 1e-12, 0.05)
    assert non_inferior(table, -low + 1e-9, 0.05)
    p = p_noninferior(table, 0.02)
    assert not non_inferior(table, 0.02, p)  # a p that just reaches alpha is not below it
