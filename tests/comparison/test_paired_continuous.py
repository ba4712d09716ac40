from __future__ import annotations

import math
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, permutation_test, ttest_1samp

from modelrelease.comparison import paired_continuous
from modelrelease.comparison.paired_continuous import (
    is_sparse,
    measure_spread,
    non_inferior_t,
    p_noninferior_t,
    paired_t_interval,
    paired_t_p,
    sign_flip_p,
    sparse_guard_p,
    t_interval,
    t_p,
)

SAMPLE = [0.12, -0.05, 0.3, 0.0, 0.08, -0.2, 0.11, 0.07, -0.01, 0.02]
differences = st.lists(st.integers(-100, 100).map(lambda v: v / 100), min_size=1, max_size=40)


def drawn(n: int, seed: int, shift: float = 0.0) -> list[float]:
    rng = Random(seed)
    return [rng.gauss(shift, 1) for _ in range(n)]


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("d", [SAMPLE, drawn(300, 1), [0.0, 1.0]], ids=["ten", "three hundred", "two"])
def test_the_t_interval_and_p_values_agree_with_scipy(d: list[float], confidence: float) -> None:
    expected = ttest_1samp(d, 0)
    interval = expected.confidence_interval(confidence)
    assert paired_t_interval(d, confidence) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert paired_t_p(d) == pytest.approx(expected.pvalue, rel=1e-10)
    one_sided = ttest_1samp(d, -0.05, alternative="greater").pvalue
    assert p_noninferior_t(d, 0.05) == pytest.approx(one_sided, rel=1e-10)


def test_one_item_bounds_nothing() -> None:
    assert paired_t_interval([0.4], 0.95) == (-math.inf, math.inf)
    assert paired_t_p([0.4]) == 1.0
    assert p_noninferior_t([0.4], 0.05) == 1.0
    assert sign_flip_p([0.4], 0) == (1.0, "sign-flip exact")


@pytest.mark.parametrize(
    ("d", "p_noninferior", "p_difference"),
    [
        ([0.0] * 30, 0.0, 1.0),
        ([-0.05] * 30, 0.0, 0.0),
        ([-0.1] * 30, 1.0, 0.0),  # just touches
        ([0.9 - 1.0, 0.3 - 0.4, 0.7 - 0.8] * 10, 1.0, 0.0),  # touches too, as decimals
        ([-0.2] * 30, 1.0, 0.0),
    ],
)
def test_without_spread_the_interval_is_the_point(d: list[float], p_noninferior: float, p_difference: float) -> None:
    low, high = paired_t_interval(d, 0.95)
    assert low == high == pytest.approx(d[0], abs=1e-15)
    assert p_noninferior_t(d, 0.1) == p_noninferior
    assert paired_t_p(d) == p_difference


def test_no_items_and_no_margin_are_refused() -> None:
    for call in (lambda: paired_t_interval([], 0.95), lambda: p_noninferior_t([], 0.1)):
        with pytest.raises(ValueError, match="no values"):
            call()
    with pytest.raises(ValueError, match="above 0"):
        p_noninferior_t(SAMPLE, 0.0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        paired_t_interval(SAMPLE, 1.0)


@given(differences, st.sampled_from([0.01, 0.1, 0.5]), st.sampled_from([0.01, 0.05, 0.1]))
@settings(deadline=None)
def test_the_verdict_is_the_p_value_and_the_intervals_lower_end(d: list[float], margin: float, alpha: float) -> None:
    low, high = paired_t_interval(d, 1 - 2 * alpha)
    p = p_noninferior_t(d, margin)
    assert 0 <= p <= 1
    assert low <= sum(d) / len(d) + 1e-12
    assert high >= sum(d) / len(d) - 1e-12
    assert non_inferior_t(d, margin, alpha) == (p < alpha)
    assume(abs(low + margin) > 1e-9)
    assert non_inferior_t(d, margin, alpha) == (low > -margin)


@given(differences)
@settings(deadline=None)
def test_swapping_sides_negates_the_interval_and_a_wider_confidence_holds_a_narrower_one(d: list[float]) -> None:
    low, high = paired_t_interval(d, 0.9)
    assert paired_t_interval([-v for v in d], 0.9) == (-high, -low)
    wide_low, wide_high = paired_t_interval(d, 0.99)
    assert wide_low <= low <= high <= wide_high


def _by_hand(d: list[float]) -> float:
    whole = [round(v * 100) for v in d if v]
    sums = [abs(sum(s * v for s, v in zip(signs, whole, strict=True))) for signs in product((1, -1), repeat=len(whole))]
    return sum(total >= abs(sum(whole)) for total in sums) / len(sums)


@given(st.lists(st.integers(-100, 100).map(lambda v: v / 100), max_size=9))
@settings(deadline=None)
def test_few_differences_are_enumerated_and_ties_of_decimals_count_as_ties(d: list[float]) -> None:
    assert sign_flip_p(d, 0) == (_by_hand(d), "sign-flip exact")


def test_the_exact_p_agrees_with_scipys_permutation_test() -> None:
    expected = permutation_test((np.array(SAMPLE),), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(SAMPLE, 0)[0] == pytest.approx(expected.pvalue, rel=1e-12)


@pytest.mark.parametrize(
    ("d", "p", "method"),
    [
        ([], 1.0, "sign-flip exact"),
        ([0.0] * 50, 1.0, "sign-flip exact"),
        ([0.1] * 5, 2 / 2**5, "sign-flip exact"),
        ([0.1] * 13 + [0.0] * 9000, 2 / 2**13, "sign-flip exact"),
        ([0.1] * 40, 1 / 10_000, "sign-flip, 9999 permutations"),
        ([0.1] * 3000 + [-0.1] * 3001, paired_t_p([0.1] * 3000 + [-0.1] * 3001), "paired t"),
    ],
)
def test_the_method_follows_the_number_of_differences(d: list[float], p: float, method: str) -> None:
    assert sign_flip_p(d, 7) == (p, method)


def test_the_drawn_p_is_the_same_in_every_release() -> None:
    d = [(i * 7919 % 101 - 45) / 100 for i in range(100)]
    assert sign_flip_p(d, 20260101) == (0.102, "sign-flip, 9999 permutations")
    assert paired_t_p(d) == pytest.approx(0.0991, abs=5e-5)


@pytest.mark.parametrize("n", [14, 65, 700])
def test_the_drawn_p_comes_close_to_the_t_test_on_normal_differences(n: int) -> None:
    d = drawn(n, n, 1.5 / math.sqrt(n))
    assert sign_flip_p(d, 1)[0] == pytest.approx(paired_t_p(d), abs=0.02)


@given(st.lists(st.floats(-1, 1), min_size=14, max_size=30), st.integers(0, 2**63), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_neither_order_nor_swapped_sides_nor_items_without_difference_change_a_bit(
    d: list[float], seed: int, rng: Random
) -> None:
    p = sign_flip_p(d, seed)
    assert 0 < p[0] <= 1
    assert sign_flip_p(rng.sample(d, len(d)), seed) == p
    assert sign_flip_p([-v for v in d], seed) == p
    assert sign_flip_p([*d, 0.0, 0.0], seed) == p


def test_another_seed_draws_other_permutations() -> None:
    d = drawn(50, 2, 0.2)
    assert len({sign_flip_p(d, seed)[0] for seed in range(5)}) > 1


def test_differences_at_the_edge_of_the_floats_are_compared_all_the_same() -> None:
    assert sign_flip_p([1.5e308] * 8, 0) == (2 / 2**8, "sign-flip exact")
    assert sign_flip_p([5e-324] * 8, 0) == (2 / 2**8, "sign-flip exact")


def test_five_thousand_items_are_drawn_in_small_blocks() -> None:
    blocks = [patterns.shape for patterns in paired_continuous._drawn_patterns(5000, 0)]
    assert sum(rows for rows, _ in blocks) == paired_continuous.PERMUTATIONS
    assert max(rows for rows, _ in blocks) * 5000 * 8 < 16_000_000


@pytest.mark.parametrize(
    ("d", "width", "sparse"),
    [
        ([0.0] * 50, 1.0, True),
        ([0.1] * 9 + [0.0] * 50, 1.0, True),
        ([0.1] * 9 + [0.0] * 50, None, True),
        ([0.1] * 10, 1.0, False),
        ([-0.1] * 10, 1.0, True),  # none for the better
        ([-0.1] * 10, None, False),  # t judges: nothing bounds what an item can lose
        ([-0.1] * 9 + [0.1], 1.0, False),
    ],
)
def test_the_guard_is_for_few_changes_and_for_losses_alone(d: list[float], width: float | None, sparse: bool) -> None:
    assert is_sparse(d, width) is sparse
    assert (sparse_guard_p(d, 0.05, width) > 0) is sparse


@pytest.mark.parametrize(
    ("d", "margin", "width", "p"),
    [
        ([0.0] * 59, 0.05, 1.0, 0.95**59),
        ([0.0] * 59, 0.5, 10.0, 0.95**59),
        ([-1.0] + [0.0] * 58, 0.05, 1.0, 0.95**59 + 59 * 0.05 * 0.95**58),
        ([-0.001] + [0.0] * 58, 0.05, 1.0, (1 - 0.0375 / 0.9875) ** 59),  # none lost more than a quarter of the margin
        ([-0.03] * 59, 0.05, 1.0, (1 - 0.0125 / 0.9625) ** 59),  # none lost more than three quarters
        ([-0.04] * 59, 0.05, 1.0, 1.0),
        ([0.5] * 9 + [0.0] * 50, 0.05, 1.0, 0.95**59),
        ([0.5] * 10 + [0.0] * 50, 0.05, 1.0, 0.0),
        ([-0.2] * 12 + [0.0] * 100, 0.1, 2.0, float(binom.cdf(12, 112, 0.05))),
        ([-0.06] * 12 + [0.0] * 100, 0.1, 2.0, float(binom.cdf(0, 112, 0.025 / 1.925))),
        ([0.0] * 59, 0.05, None, 1.0),
        ([0.0] * 59, 2.0, 1.0, 0.0),  # no mean can fall that far
        ([-1.0] * 59, 2.0, 1.0, 0.0),
    ],
)
def test_the_guard_is_the_binomial_bound_on_how_many_got_worse(
    d: list[float], margin: float, width: float | None, p: float
) -> None:
    assert sparse_guard_p(d, margin, width) == pytest.approx(p, rel=1e-12)


@given(st.lists(st.sampled_from([-1.0, -0.3, 0.0, 0.2, 1.0]), min_size=1, max_size=60), st.sampled_from([0.01, 0.1]))
@settings(deadline=None)
def test_one_more_item_that_got_worse_never_helps_past_the_guard(d: list[float], margin: float) -> None:
    if is_sparse(d, 1.0) and 0.0 in d:
        worse = list(d)
        worse[worse.index(0.0)] = -0.01
        assert not is_sparse(worse, 1.0) or sparse_guard_p(worse, margin, 1.0) >= sparse_guard_p(d, margin, 1.0)


def test_a_spread_that_is_known_is_not_computed_again() -> None:
    d = drawn(6000, 3)
    other = measure_spread([1.0, 2.0])
    assert sign_flip_p(d, 0) == (paired_t_p(d), "paired t")
    assert sign_flip_p(d, 0, other) == (t_p(other), "paired t")


def test_differences_too_far_apart_for_floats_bound_nothing() -> None:
    spread = measure_spread([1.7e308, -1.7e308, -1.7e308])
    assert math.isinf(spread.stderr)
    assert t_interval(spread, 0.95) == (-math.inf, math.inf)
    assert t_p(spread) == 1.0
