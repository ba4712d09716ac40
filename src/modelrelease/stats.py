"""Means, standard errors and Wilson's interval, with the standard library only: scoring needs no more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist


def mean(values: Sequence[float]) -> float:
    """Return the mean of at least one finite value; ValueError when there is none.

    ``math.fsum`` rounds once, so the order of the values cannot change the result.
    """
    if not values:
        raise ValueError("the mean of no values")
    try:
        return math.fsum(values) / len(values)
    except OverflowError:  # values near the largest float: their sum is none
        return math.fsum(value / len(values) for value in values)


def stderr(values: Sequence[float]) -> float:
    """Return the standard error of the mean: sample standard deviation (n - 1) over the root of n.

    It is 0.0 for fewer than two values, which show no spread; it is not a claim of certainty, and
    every interval in this package treats a single value as unbounded or exact by its own rule.
    """
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    deviations = [value - centre for value in values]
    scale = max(abs(deviation) for deviation in deviations)
    if scale == 0.0:
        return 0.0
    # Divided by the largest first: squares of very large or very small deviations leave the floats.
    squares = math.fsum((deviation / scale) ** 2 for deviation in deviations)
    return scale * math.sqrt(squares / (len(values) - 1) / len(values))


def normal_quantile(p: float) -> float:
    """Return z with P(Z <= z) = ``p`` for a standard normal Z; ValueError unless 0 < p < 1."""
    return NormalDist().inv_cdf(p)


def mean_interval(values: Sequence[float], confidence: float, *, binary: bool) -> tuple[float, float] | None:
    """Return the two-sided interval of a mean: Wilson's for values of 0 and 1, else the normal one.

    Source of the latter: Miller, arXiv 2411.00640, eq. 1. None where the values show no spread to take it from.
    """
    if binary and values:
        return wilson(round(sum(values)), len(values), confidence)
    if len(values) < 2:
        return None
    half = normal_quantile(0.5 + confidence / 2) * stderr(values)
    return mean(values) - half, mean(values) + half


def wilson(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Return Wilson's two-sided score interval (JASA 1927) for a proportion, within [0, 1].

    ``confidence`` is the coverage, such as 0.95. ValueError unless 0 <= successes <= n, n >= 1
    and 0 < confidence < 1.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes among {n} items")
    z2 = normal_quantile((1 + confidence) / 2) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) + z2 / (4 * n)) / n) / (1 + z2 / n)
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high
