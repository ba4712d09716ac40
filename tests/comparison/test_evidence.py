from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from builders import table
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import bdtr, stdtr
from scipy.stats import binom, binomtest, ttest_1samp

from modelrelease.comparison import paired_binary, power
from modelrelease.comparison.evidence import BinaryEvidence, ContinuousEvidence, finite, gather_evidence, interval
from modelrelease.comparison.grids import Counts, Floats
from modelrelease.comparison.paired_binary import PairedTable
from modelrelease.comparison.paired_continuous import sign_flip_p
from modelrelease.comparison.trinomial import probability
from modelrelease.records.evaluation import MetricResult

ALPHA = 0.05


def metric(
    low: float = 0.0, high: float | None = 1.0, *, higher_is_better: bool = True, binary: bool = False
) -> MetricResult:
    return MetricResult(
        task="qa",
        metric="m",
        value=None,
        stderr=None,
        ci_low=None,
        ci_high=None,
        confidence=0.95,
        method="normal",
        n=0,
        binary=binary,
        range=(low, high),
        higher_is_better=higher_is_better,
        version=1,
    )


def test_right_or_wrong_items_become_a_table() -> None:
    before, after = table(both=5, lost=3, gained=2, neither=4)
    assert gather_evidence(before, after, metric(binary=True)) == BinaryEvidence(PairedTable(5, 3, 2, 4))


def test_where_lower_is_better_a_zero_is_right() -> None:
    before, after = table(both=5, lost=3, gained=2, neither=4)
    errors = [1 - value for value in before], [1 - value for value in after]
    assert gather_evidence(*errors, metric(binary=True, higher_is_better=False)) == BinaryEvidence(
        PairedTable(5, 3, 2, 4)
    )


def test_shares_that_are_all_zero_or_one_are_right_or_wrong_and_one_half_makes_them_numbers() -> None:
    before, after = table(both=5, lost=3, gained=2, neither=4)
    assert gather_evidence(before, after, metric()) == BinaryEvidence(PairedTable(5, 3, 2, 4))
    for number in range(2):
        sides = [list(before), list(after)]
        sides[number][0] = 0.5
        assert isinstance(gather_evidence(*sides, metric()), ContinuousEvidence)
    assert isinstance(gather_evidence(before, after, metric(0.0, None)), ContinuousEvidence)


@pytest.mark.parametrize(
    ("of", "width", "differences"),
    [
        (metric(), 1.0, [0.25, -0.5]),
        (metric(-3.0, 5.0), 8.0, [0.25, -0.5]),
        (metric(0.0, None), None, [0.25, -0.5]),
        (metric(0.0, None, higher_is_better=False), None, [-0.25, 0.5]),
    ],
)
def test_numbers_keep_their_differences_turned_so_that_more_is_better(
    of: MetricResult, width: float | None, differences: list[float]
) -> None:
    found = gather_evidence([0.5, 0.75], [0.75, 0.25], of)
    assert isinstance(found, ContinuousEvidence)
    assert (found.differences, found.width, found.n) == (differences, width, 2)


def test_the_interval_of_the_change_is_turned_back_and_no_zero_has_a_sign() -> None:
    before, after = table(both=50, lost=5, gained=9, neither=36)
    right, wrong = (
        gather_evidence(before, after, metric()),
        gather_evidence(before, after, metric(higher_is_better=False)),
    )
    low, high = right.interval(0.95)
    assert interval(right, metric(), 0.95) == (low, high)
    assert interval(wrong, metric(higher_is_better=False), 0.95) == pytest.approx((low, high), abs=1e-15)
    same = gather_evidence([0.5, 0.5], [0.5, 0.5], metric(0.0, None, higher_is_better=False))
    assert str(interval(same, metric(0.0, None, higher_is_better=False), 0.95)) == "(0.0, 0.0)"


def test_an_interval_without_an_end_has_none() -> None:
    assert interval(gather_evidence([0.5], [0.7], metric()), metric(), 0.95) == (None, None)
    assert [finite(value) for value in (math.inf, -math.inf, math.nan, 0.5)] == [None, None, None, 0.5]


def test_a_table_answers_with_the_rules_of_paired_binary() -> None:
    found = BinaryEvidence(PairedTable(794, 150, 86, 570))
    assert found.n == 1600
    assert found.p_exact == pytest.approx(3.71594e-5, rel=1e-5)
    assert found.p_difference == pytest.approx(2.89339e-5, rel=1e-5)
    assert found.interval(0.95) == pytest.approx((-0.058998, -0.021362), abs=1e-6)
    assert found.variance == 236 / 1600
    assert found.variance_range() == power.discordance_range(236, 1600)
    assert found.p_noninferior(0.06) == paired_binary.p_noninferior(found.table, 0.06)
    assert (found.fewest_items(0.03, ALPHA), found.finest_margin(ALPHA)) == (99, power.finest_margin(1600))
    wilson = binomtest(880, 1600).proportion_ci(0.9, method="wilson")
    assert found.floor(ALPHA) == pytest.approx(wilson.low, rel=1e-12)


SAMPLE = [0.12, -0.05, 0.3, 0.0, 0.08, -0.2, 0.11, 0.07, -0.01, 0.02, 0.04, -0.03]


def test_numbers_answer_with_t_and_sign_flips() -> None:
    after = [0.5 + d for d in SAMPLE]
    found = ContinuousEvidence(SAMPLE, after, 1.0)
    expected = ttest_1samp(SAMPLE, 0).confidence_interval(0.9)
    assert found.interval(0.9) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert found.method == "paired t interval, sign-flip exact"
    assert found.p_difference == sign_flip_p(SAMPLE, 0)[0]
    assert found.p_exact is None
    assert found.variance == pytest.approx(float(np.var(SAMPLE, ddof=1)), rel=1e-12)
    assert found.variance_range() == power.variance_range(found.variance, 12)
    assert found.floor(ALPHA) == pytest.approx(ttest_1samp(after, 0).confidence_interval(0.9).low, rel=1e-9)
    t = ttest_1samp(SAMPLE, -0.05, alternative="greater").pvalue
    assert found.p_noninferior(0.05) == pytest.approx(t, rel=1e-9)


@pytest.mark.parametrize(
    ("d", "width", "fewest", "finest"),
    [
        ([0.0] * 100, 1.0, 99, power.finest_margin(100)),
        ([0.0] * 100, 2.0, power.fewest_items(0.015), 2 * power.finest_margin(100)),
        ([-0.001] * 50 + [0.0] * 50, 1.0, 99, power.finest_margin(100)),
        ([0.01] * 10 + [0.0] * 90, 1.0, 2, 0.0),
        ([0.0] * 100, None, 2, math.inf),
        ([0.0] * 100, 0.02, 2, 0.02 * power.finest_margin(100)),
    ],
)
def test_what_can_be_shown_at_all_follows_the_guard(
    d: list[float], width: float | None, fewest: int, finest: float
) -> None:
    found = ContinuousEvidence(d, d, width)
    assert found.fewest_items(0.03, ALPHA) == fewest
    assert found.finest_margin(ALPHA) == pytest.approx(finest)


def test_scores_too_far_apart_for_floats_have_an_infinite_variance() -> None:
    far = ContinuousEvidence([1.5e308, -1.5e308, -1e308], [1.0, 1.0, 1.0])
    assert far.variance == math.inf
    assert interval(far, metric(0.0, None), 0.95) == (None, None)
    assert far.p_noninferior(0.1) == 1.0


# The size of the rule where differences can only be losses and gains of the whole range: an exact sum over all tables.
# The closed form below is the rule itself; one test holds it against ContinuousEvidence.


def closed_form(losses: Counts, gains: Counts, n: int, margin: float, *, guard: bool = True) -> Floats:
    mean = (gains - losses) / n
    variance = (losses + gains - n * mean**2) / (n - 1)
    error = np.sqrt(np.maximum(variance, 0.0) / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 1e-12, stdtr(n - 1, -(mean + margin) / error), np.where(mean + margin > 1e-12, 0.0, 1.0))
    sparse = (losses + gains < 10) | (gains == 0)
    proven = np.where(gains > losses, bdtr(losses, losses + gains, 0.5), 1.0)
    bound = np.where(sparse, bdtr(losses, n, margin), 0.0) if guard else 0.0
    return np.minimum(proven, np.maximum(t, bound))


@pytest.mark.parametrize("n", [30, 59, 120])
@pytest.mark.parametrize("margin", [0.03, 0.2])
def test_the_closed_form_is_the_rule(n: int, margin: float) -> None:
    for losses in range(7):
        for gains in range(7):  # up to 13 changes the sign flips are exact, and the sign test is what they give
            d = [-1.0] * losses + [1.0] * gains + [0.0] * (n - losses - gains)
            found = ContinuousEvidence(d, d, 1.0).p_noninferior(margin)
            expected = closed_form(np.asarray(losses), np.asarray(gains), n, margin)
            assert found == pytest.approx(float(expected), rel=1e-9, abs=1e-12), (losses, gains)


NUMBERS = (30, 41, 52, 59, 80, 100, 150, 219, 300, 500, 1000, 2000)
MARGINS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2)
GAIN_RATES = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


def size(n: int, margin: float, gains: float, *, guard: bool = True) -> float:
    """Return how often a true loss of exactly the margin passes at alpha."""
    return probability(
        n, margin + gains, gains, lambda lost, won: closed_form(lost, won, n, margin, guard=guard) < ALPHA
    )


def test_a_true_loss_of_the_margin_seldom_passes() -> None:
    cells = [(n, m, g) for n in NUMBERS for m in MARGINS for g in GAIN_RATES if m + 2 * g <= 1]
    found = {cell: size(*cell) for cell in cells}
    worst = max(found, key=lambda cell: found[cell])
    assert worst == (500, 0.03, 0.005)
    assert found[worst] == pytest.approx(0.0732, abs=5e-5)
    assert max(share for (_, _, gains), share in found.items() if gains == 0) <= ALPHA  # losses alone: exact
    assert sum(share > 0.06 for share in found.values()) / len(found) < 0.05


def test_without_the_guard_a_loss_that_no_item_shows_would_pass() -> None:
    not_one_shows_it = 0.995**30
    assert size(30, 0.005, 0.0, guard=False) == pytest.approx(not_one_shows_it, abs=1e-4)
    assert not_one_shows_it > 0.86
    assert size(30, 0.005, 0.0) == 0.0


@pytest.mark.parametrize(("n", "margin"), [(60, 0.1), (60, 0.05), (100, 0.2)])
@pytest.mark.parametrize("part", [0.24, 0.26, 0.49, 0.51, 0.76])
def test_small_losses_everywhere_do_not_hide_large_ones(n: int, margin: float, part: float) -> None:
    """Every item loses a part of the margin, or all there is to lose, so that the mean falls by the margin."""
    small = part * margin
    rate = (margin - small) / (1 - small)
    passed = 0.0
    for large in range(int(3 * n * margin) + 5):
        d = [-1.0] * large + [-small] * (n - large)
        passed += binom.pmf(large, n, rate) * (ContinuousEvidence(d, d, 1.0).p_noninferior(margin) < ALPHA)
    assert passed <= ALPHA


def test_a_loss_of_half_the_margin_on_every_item_is_inside_it() -> None:
    d = [-0.015] * 500 + [-0.014] * 500
    assert ContinuousEvidence(d, d, 1.0).p_noninferior(0.03) < 0.001


def proves_a_gain(found: ContinuousEvidence) -> bool:
    return found.p_difference < ALPHA and math.fsum(found.differences) > 0


@pytest.mark.parametrize(
    "d",
    [
        [0.01] * 29 + [1.0],  # one item so far ahead that t sees nothing but spread
        [0.3] * 6 + [0.0] * 40,  # so few that the guard applies
        [0.0001] * 6,
        [1.0] * 60,
    ],
)
@pytest.mark.parametrize("width", [1.0, None])
@pytest.mark.parametrize("margin", [1e-6, 0.01, 0.3])
def test_a_proven_gain_is_not_inferior_under_every_margin(d: list[float], width: float | None, margin: float) -> None:
    found = ContinuousEvidence(d, d, width)
    assert proves_a_gain(found)
    assert found.p_noninferior(margin) < ALPHA


@given(
    st.lists(st.integers(-20, 100), min_size=2, max_size=30).map(lambda d: [value / 100 for value in d]),
    st.sampled_from([1e-4, 0.02, 0.2]),
    st.sampled_from([1.0, None]),
)
@settings(deadline=None, max_examples=200)
def test_no_gain_is_proven_and_short_of_not_inferior(d: list[float], margin: float, width: float | None) -> None:
    found = ContinuousEvidence(d, d, width)
    assert not proves_a_gain(found) or found.p_noninferior(margin) < ALPHA


scores = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=80)
numbers = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=40).map(
    lambda pairs: [(a / 50, b / 50) for a, b in pairs]
)
Pairs = list[tuple[float, float]]


def both_ways(pairs: Pairs, of: MetricResult) -> tuple[list[float], list[float], MetricResult]:
    before, after = (list(side) for side in zip(*pairs, strict=True))
    return before, after, of


@given(st.one_of(scores, numbers), st.booleans(), st.sampled_from([0.8, 0.95]))
@settings(deadline=None)
def test_swapping_sides_negates_the_interval_and_keeps_the_p_values(
    pairs: Pairs, higher_is_better: bool, confidence: float
) -> None:
    before, after, of = both_ways(pairs, metric(higher_is_better=higher_is_better))
    there, back = gather_evidence(before, after, of), gather_evidence(after, before, of)
    low, high = there.interval(confidence)
    assert back.interval(confidence) == (-high, -low)
    assert (there.p_difference, there.p_exact) == (back.p_difference, back.p_exact)
    assert (there.method, there.variance) == (back.method, back.variance)


@given(st.one_of(scores, numbers), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_items_does_not_change_a_bit(pairs: Pairs, rng: Random) -> None:
    shuffled = rng.sample(pairs, len(pairs))
    assert answers(*both_ways(pairs, metric())) == answers(*both_ways(shuffled, metric()))


def answers(before: Sequence[float], after: Sequence[float], of: MetricResult) -> tuple[object, ...]:
    found = gather_evidence(before, after, of)
    return (
        found.interval(0.95),
        found.p_difference,
        found.p_noninferior(0.1),
        found.floor(ALPHA),
        found.variance,
        found.variance_range(),
        found.method,
    )


@given(scores, st.integers(1, 50), st.sampled_from([0.0, 1.0]))
@settings(deadline=None)
def test_items_that_agree_narrow_the_interval_and_leave_mcnemar_alone(pairs: Pairs, more: int, value: float) -> None:
    before, after, of = both_ways(pairs, metric(binary=True))
    few = gather_evidence(before, after, of)
    many = gather_evidence([*before, *[value] * more], [*after, *[value] * more], of)
    assert (many.p_difference, many.p_exact) == (few.p_difference, few.p_exact)
    (low, high), (lower, higher) = many.interval(0.95), few.interval(0.95)
    assert high - low < higher - lower
