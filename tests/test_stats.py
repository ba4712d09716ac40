from __future__ import annotations

import math
import statistics
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelrelease.stats import mean, normal_quantile, stderr, wilson

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def test_a_mean_is_rounded_once() -> None:
    assert mean([0.1] * 10) == 0.1
    assert mean([1e16, 1.0, -1e16]) == 1 / 3


def test_a_mean_near_the_largest_float_is_still_a_number() -> None:
    assert mean([1.7e308, 1.7e308]) == 1.7e308


def test_there_is_no_mean_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        mean([])


@given(NUMBERS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_values_changes_neither_mean_nor_standard_error(values: list[float], rng: Random) -> None:
    shuffled = rng.sample(values, len(values))
    assert mean(values) == mean(shuffled)
    assert stderr(values) == stderr(shuffled)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], 0.0), ([3.0], 0.0), ([2.0, 2.0, 2.0], 0.0), ([0.0, 1.0], 0.5), ([1.0, 2.0, 3.0, 4.0], math.sqrt(5 / 12))],
)
def test_the_standard_error_uses_n_minus_one_and_is_zero_for_fewer_than_two(
    values: list[float], expected: float
) -> None:
    assert stderr(values) == pytest.approx(expected, rel=1e-15, abs=0)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
@settings(deadline=None)
def test_the_standard_error_agrees_with_the_standard_library(values: list[float]) -> None:
    expected = statistics.stdev(values) / math.sqrt(len(values))
    assert stderr(values) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_standard_error_survives_values_whose_squares_leave_the_floats(scale: float) -> None:
    assert stderr([0.0, scale]) == pytest.approx(scale / 2, rel=1e-15)


@pytest.mark.parametrize(
    ("p", "z"), [(0.5, 0.0), (0.95, 1.6448536269514722), (0.975, 1.959963984540054), (0.8, 0.8416212335729143)]
)
def test_normal_quantiles(p: float, z: float) -> None:
    assert normal_quantile(p) == pytest.approx(z, abs=1e-14)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1])
def test_there_is_no_quantile_outside_the_open_interval(p: float) -> None:
    with pytest.raises(ValueError, match="p must be"):
        normal_quantile(p)


@pytest.mark.parametrize(
    ("successes", "n", "confidence", "low", "high"),
    [
        (0, 10, 0.95, 0.0, 0.27753279986288926),
        (10, 10, 0.95, 0.7224672001371109, 1.0),
        (3, 10, 0.95, 0.10779126740630102, 0.6032218525388546),
        (81, 263, 0.95, 0.2552885198782742, 0.36620957698280004),  # Newcombe 1998: .2553 to .3662
        (15, 148, 0.9, 0.06744326224687144, 0.14957293174640027),
        (1, 1, 0.95, 0.20654931437723745, 1.0),
        (500_000, 1_000_000, 0.99, 0.49871208962079455, 0.5012879103792054),
    ],
)
def test_wilsons_interval(successes: int, n: int, confidence: float, low: float, high: float) -> None:
    assert wilson(successes, n, confidence) == pytest.approx((low, high), abs=1e-14)


@given(st.integers(1, 10**6), st.floats(0, 1), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_wilsons_interval_holds_the_share_stays_within_zero_and_one_and_mirrors(
    n: int, share: float, confidence: float
) -> None:
    successes = round(share * n)
    low, high = wilson(successes, n, confidence)
    assert 0 <= low <= successes / n <= high <= 1
    assert wilson(n - successes, n, confidence) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_there_is_no_share_of_such_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes among"):
        wilson(successes, n, 0.95)
