"""Exact probabilities over every table of losses and gains that n items can give: no simulation."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc, gammaln, xlog1py, xlogy

from modelrelease.comparison.grids import Counts, Floats

# Takes losses (a column) and gains (a row); returns what happens there: True/False or a share.
Rule = Callable[[Counts, Counts], npt.NDArray[np.bool_] | Floats]

_TAIL = 2.5e-13  # four tails are cut: less than 1e-12 of all probability is neglected
_CELLS = 1 << 19


def probability(n: int, loss_rate: float, gain_rate: float, rule: Rule) -> float:
    """Return how often ``rule`` holds for n items with these true rates of losses and gains.

    ``rule`` is called with blocks of tables, in bounded memory; what it answers where losses and
    gains together exceed n is ignored. ValueError unless the rates are shares that leave room for
    each other.
    """
    if n < 1 or min(loss_rate, gain_rate) < 0 or loss_rate + gain_rate > 1 + 1e-12:
        raise ValueError(f"{n} items with rates {loss_rate} and {gain_rate}")
    parts = []
    for losses, gains in _blocks(_likely(n, loss_rate), _likely(n, gain_rate)):
        weights = _probabilities(n, losses, gains, loss_rate, gain_rate)
        parts.append(float(np.where(weights > 0, weights * rule(losses, gains), 0.0).sum()))
    return min(1.0, math.fsum(parts))


def _likely(n: int, rate: float) -> Counts:
    """Return the counts of Binomial(n, rate), in order, without what lies in the outermost tails."""
    counts = range(n + 1)
    first = bisect_right(counts, _TAIL, key=lambda count: float(bdtr(count, n, rate)))
    last = bisect_left(counts, -_TAIL, key=lambda count: -float(bdtrc(count, n, rate)))
    return np.arange(min(first, last), last + 1, dtype=np.int64)


def _blocks(losses: Counts, gains: Counts) -> Iterator[tuple[Counts, Counts]]:
    rows = max(1, _CELLS // len(gains))
    for start in range(0, len(losses), rows):
        yield losses[start : start + rows, np.newaxis], gains[np.newaxis, :]


def _probabilities(n: int, losses: Counts, gains: Counts, loss_rate: float, gain_rate: float) -> Floats:
    rest = n - losses - gains
    kept = np.maximum(rest, 0)
    by_loss = xlogy(losses, loss_rate) - gammaln(losses + 1)
    by_gain = xlogy(gains, gain_rate) - gammaln(gains + 1)
    by_rest = xlog1py(kept, -min(1.0, loss_rate + gain_rate)) - gammaln(kept + 1)
    return np.where(rest >= 0, np.exp(gammaln(n + 1) + by_loss + by_gain + by_rest), 0.0)
