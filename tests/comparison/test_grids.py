from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, norm

from modelrelease.comparison import grids, paired_binary
from modelrelease.comparison.grids import Guard
from modelrelease.comparison.paired_binary import PairedTable

LOSSES, GAINS = np.arange(13)[:, np.newaxis], np.arange(13)[np.newaxis, :]
TANGO_ALONE = Guard(few_flips=0, without_gains=False)
counts = st.integers(0, 400)


def test_a_grid_holds_what_the_single_tables_give() -> None:
    n, margin = 60, 0.05
    p, mid, exact = (
        grids.p_noninferior(LOSSES, GAINS, n, margin),
        grids.mcnemar_mid_p(LOSSES, GAINS),
        grids.mcnemar_exact(LOSSES, GAINS),
    )
    for losses in range(13):
        for gains in range(13):
            table = PairedTable(0, losses, gains, n - losses - gains)
            assert p[losses, gains] == paired_binary.p_noninferior(table, margin)
            assert mid[losses, gains] == paired_binary.mcnemar_mid_p(losses, gains)
            assert exact[losses, gains] == paired_binary.mcnemar_exact(losses, gains)


@given(counts, counts, st.integers(0, 400), st.floats(-0.999, 0.999))
@settings(deadline=None)
def test_swapping_sides_turns_the_statistic_around_to_the_bit(
    losses: int, gains: int, rest: int, delta0: float
) -> None:
    n = losses + gains + rest + 1
    there = grids.tango_statistic(np.asarray(losses), np.asarray(gains), n, delta0)
    back = grids.tango_statistic(np.asarray(gains), np.asarray(losses), n, -delta0)
    assert there == -back


def _log_likelihood(loss_rate: float, losses: int, gains: int, n: int, delta0: float) -> float:
    rates = np.array([loss_rate, loss_rate + delta0, 1 - 2 * loss_rate - delta0])
    return float(np.array([losses, gains, n - losses - gains]) @ np.log(rates))


@pytest.mark.parametrize("delta0", [-0.3, -0.02, 0.02, 0.3])
@pytest.mark.parametrize(("losses", "gains"), [(3, 7), (40, 2), (25, 25)])
def test_the_variance_is_the_one_at_the_constrained_maximum_of_the_likelihood(
    losses: int, gains: int, delta0: float
) -> None:
    n = 100
    statistic = float(grids.tango_statistic(np.asarray(losses), np.asarray(gains), n, delta0))
    deviation = (gains - losses - n * delta0) / statistic
    loss_rate = (deviation**2 / n - delta0 * (1 - delta0)) / 2
    at_maximum = _log_likelihood(loss_rate, losses, gains, n, delta0)
    for step in (-1e-4, 1e-4):
        assert _log_likelihood(loss_rate + step, losses, gains, n, delta0) < at_maximum


@pytest.mark.parametrize(
    ("losses", "gains", "guarded"),
    [(4, 5, True), (5, 5, False), (9, 0, True), (10, 0, True), (11, 0, True), (9, 1, False), (0, 9, True)],
)
def test_the_exact_bound_counts_below_ten_flips_and_without_gains(losses: int, gains: int, guarded: bool) -> None:
    n, margin = 200, 0.02
    tango = norm.sf(grids.tango_statistic(np.asarray(losses), np.asarray(gains), n, -margin))
    exact = binom.cdf(losses, n, margin)
    p = float(grids.p_noninferior(np.asarray(losses), np.asarray(gains), n, margin))
    excuses = [exact, binom.cdf(losses, losses + gains, 0.5)]
    if gains:
        filled = np.asarray(max(losses, 10 - gains))
        excuses.append(norm.sf(grids.tango_statistic(filled, np.asarray(gains), n, -margin)))
    assert p == pytest.approx(max(tango, min(excuses)) if guarded else tango, rel=1e-9)
    assert exact > tango  # so that the guard shows


def test_the_guard_can_be_left_out_to_see_what_it_does() -> None:
    no_flips, n = np.asarray(0), 52
    assert float(grids.p_noninferior(no_flips, no_flips, n, 0.05, TANGO_ALONE)) < 0.05
    assert float(grids.p_noninferior(no_flips, no_flips, n, 0.05)) == pytest.approx(0.95**52)


@pytest.mark.parametrize("margin", [0.0, -0.01, 1.0, float("nan")])
def test_a_margin_for_a_share_lies_between_zero_and_one(margin: float) -> None:
    with pytest.raises(ValueError, match="lies between 0 and 1"):
        grids.p_noninferior(LOSSES, GAINS, 100, margin)


@pytest.mark.parametrize("n", [30, 59, 100, 400, 2000])
@pytest.mark.parametrize("margin", [0.005, 0.01, 0.05, 0.2])
def test_neither_one_more_gain_nor_one_loss_less_makes_a_candidate_look_worse(n: int, margin: float) -> None:
    p = grids.p_noninferior(LOSSES, GAINS, n, margin)
    assert (np.diff(p, axis=1) <= 1e-15).all()
    passes = p < 0.05
    assert (passes[:-1] | ~passes[1:]).all()


@pytest.mark.parametrize("n", [30, 59, 100, 400, 2000])
@pytest.mark.parametrize("margin", [0.005, 0.01, 0.05, 0.2])
def test_a_proven_gain_is_never_short_of_not_inferior(n: int, margin: float) -> None:
    gain = (GAINS > LOSSES) & (grids.mcnemar_mid_p(LOSSES, GAINS) < 0.05)
    assert (grids.p_noninferior(LOSSES, GAINS, n, margin)[gain] < 0.05).all()
