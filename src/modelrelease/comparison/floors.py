"""What the candidate's own mean is at least, for a hard floor.

Both are lower bounds: for a metric where lower is better, pass its values with the sign turned.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelrelease.comparison.paired_continuous import paired_t_interval
from modelrelease.stats import wilson


def lower_bound_binary(successes: int, n: int, alpha: float) -> float:
    """Return Wilson's one-sided 1 - alpha lower bound of a share; alpha below .5."""
    return wilson(successes, n, 1 - 2 * alpha)[0]


def lower_bound_mean(values: Sequence[float], alpha: float) -> float:
    """Return the one-sided 1 - alpha lower t bound of a mean; minus infinity for a single value."""
    return paired_t_interval(values, 1 - 2 * alpha)[0]
