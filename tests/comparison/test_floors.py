from __future__ import annotations

import math

import pytest
from scipy.stats import binomtest, ttest_1samp

from modelrelease.comparison.floors import lower_bound_binary, lower_bound_mean


@pytest.mark.parametrize(
    ("successes", "n", "alpha"), [(80, 100, 0.05), (1, 30, 0.01), (30, 30, 0.05), (450, 1319, 0.1)]
)
def test_the_bound_of_a_share_is_wilsons_one_sided_end(successes: int, n: int, alpha: float) -> None:
    expected = binomtest(successes, n).proportion_ci(1 - 2 * alpha, "wilson").low
    assert lower_bound_binary(successes, n, alpha) == pytest.approx(expected, abs=1e-14)


def test_the_bound_of_no_successes_is_zero() -> None:
    assert lower_bound_binary(0, 50, 0.05) == 0.0


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_the_bound_of_a_mean_is_the_one_sided_t_end(alpha: float) -> None:
    values = [0.2, 0.9, 0.4, 0.55, 0.61, 0.3]
    expected = ttest_1samp(values, 0, alternative="greater").confidence_interval(1 - alpha).low
    assert lower_bound_mean(values, alpha) == pytest.approx(expected, rel=1e-12)


def test_one_value_bounds_nothing_and_equal_values_bound_themselves() -> None:
    assert lower_bound_mean([0.7], 0.05) == -math.inf
    assert lower_bound_mean([0.75, 0.75, 0.75], 0.05) == 0.75
