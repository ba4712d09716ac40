"""How many items a margin needs, what n items can prove, and how often the rule errs or promotes.

``variance`` is that of one item's difference: for right-or-wrong items without a true difference
it is the discordance, the share of items that flip. Margins are in the metric's unit.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from modelrelease.comparison.grids import GUARD, Counts, Guard, p_noninferior
from modelrelease.comparison.trinomial import Rule, probability
from modelrelease.stats import normal_quantile, wilson

ALPHA = 0.05
POWER = 0.8
MOST_ITEMS = 10**15
"""More than anybody has: larger answers are cut to this."""


def items_needed(margin: float, variance: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return the items that show non-inferiority with this power when nothing has changed.

    (z_{1-alpha} + z_power)^2 variance / margin^2, rounded up, at least 1 and at most ``MOST_ITEMS``.
    Right-or-wrong items need ``fewest_items`` besides, whatever their discordance. ValueError when margin <= 0.
    """
    if margin <= 0:
        raise ValueError(f"a margin of {margin}; it is above 0")
    if smallest_margin(MOST_ITEMS, variance, alpha, power) > margin:
        return MOST_ITEMS
    return max(1, math.ceil(_reach(alpha, power) ** 2 * variance / margin / margin))


def smallest_margin(n: int, variance: float, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the smallest margin that n items clear with this power when nothing has changed."""
    return _reach(alpha, power) * math.sqrt(variance / n)


def fewest_items(margin: float, alpha: float = ALPHA) -> int:
    """Return the fewest right-or-wrong items that clear ``margin`` (0 < margin < 1) without any flip."""
    return math.floor(min(math.log(alpha) / math.log1p(-margin), MOST_ITEMS - 1)) + 1


def finest_margin(n: int, alpha: float = ALPHA) -> float:
    """Return the margin that n right-or-wrong items without any flip just fail to clear."""
    return -math.expm1(math.log(alpha) / n)


def miller_items(variance: float, delta: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Return the items that find a true difference ``delta`` in a two-sided test (Miller, arXiv 2411.00640).

    (z_{1-alpha/2} + z_power)^2 variance / delta^2, rounded up, with unrounded quantiles.
    """
    return items_needed(delta, variance, alpha / 2, power)


def discordance_range(flips: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return what the share of items that flip may be, given that ``flips`` of n did (Wilson)."""
    return wilson(flips, n, confidence)


def variance_range(sample_variance: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return what a variance may be, given the sample's (n - 1) over n normal values (chi-square)."""
    if n < 2:
        return 0.0, math.inf
    squares, tail = (n - 1) * sample_variance, (1 - confidence) / 2
    return squares / float(chdtri(n - 1, tail)), squares / float(chdtri(n - 1, 1 - tail))


def promotion_probability(
    n: int, margin: float, discordance: float, loss: float = 0.0, alpha: float = ALPHA, guard: Guard = GUARD
) -> float:
    """Return how often n right-or-wrong items prove non-inferiority: exact, over all tables.

    ``discordance`` is the true share that flips, ``loss`` the true loss (0: nothing changed; below
    0: a gain), so losses and gains happen at (discordance +- loss) / 2. ValueError when these are no shares.
    """
    return probability(n, (discordance + loss) / 2, (discordance - loss) / 2, _rule(n, margin, alpha, guard))


def rule_size(n: int, margin: float, gain_rate: float, alpha: float = ALPHA, guard: Guard = GUARD) -> float:
    """Return how often the rule passes a true loss of exactly the margin: at most alpha if it were exact.

    Losses happen at margin + gain_rate, gains at gain_rate.
    """
    return probability(n, margin + gain_rate, gain_rate, _rule(n, margin, alpha, guard))


def _rule(n: int, margin: float, alpha: float, guard: Guard) -> Rule:
    def passes(losses: Counts, gains: Counts) -> npt.NDArray[np.bool_]:
        return p_noninferior(losses, gains, n, margin, guard) < alpha

    return passes


def _reach(alpha: float, power: float) -> float:
    return normal_quantile(1 - alpha) + normal_quantile(power)
