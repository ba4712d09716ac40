"""McNemar, Tango and non-inferiority for every table of losses and gains at once.

The difference is candidate minus baseline, (gains - losses) / n. Each rule is written here once, for
arrays that broadcast: ``paired_binary`` calls it with a single table, and exact size and power
(``trinomial``, ``power``) with every table there can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, ndtr

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Guard:
    """Where non-inferiority also asks for an exact binomial bound on the losses alone.

    Tango's statistic is asymptotic: by itself it lets a loss of the whole margin through in up to
    6.9 % of cases (n = 52, margin .05, no gains) at a nominal 5 %. Guarding tables with fewer than
    10 flips leaves 5.7 % (n = 219, margin .075, no gains); guarding those without gains as well
    leaves 5.5 % (n = 41, margin .1, gains .4). ``power.rule_size`` computes these numbers exactly.
    """

    few_flips: int = 10
    without_gains: bool = True


GUARD = Guard()


def tango_statistic(losses: Counts, gains: Counts, n: int, delta0: float) -> Floats:
    """Return Tango's score statistic against a true difference ``delta0`` in [-1, 1], cell by cell.

    The losses' probability is its maximum-likelihood estimate under ``delta0`` (Tango, Statistics
    in Medicine 17, 1998). ``losses`` and ``gains`` broadcast. Where the variance is 0 the result
    is 0 if the difference is ``delta0`` and infinite otherwise.
    """
    if delta0 < 0:  # the other way around nothing below cancels, and swapped sides agree to the bit
        return -tango_statistic(gains, losses, n, -delta0)
    linear = (2 * n - gains + losses) * delta0 - (losses + gains)
    product = losses * (delta0 * (1 - delta0))
    root = np.sqrt(linear * linear + 8.0 * n * product)
    difference = gains - losses - n * delta0
    with np.errstate(divide="ignore", invalid="ignore"):
        loss_rate = np.where(linear > 0, 2 * product / (linear + root), (root - linear) / (4 * n))
        ratio = difference / np.sqrt(n * (2 * loss_rate + delta0 * (1 - delta0)))
    return np.where(difference == 0, 0.0, ratio)


def p_noninferior(losses: Counts, gains: Counts, n: int, margin: float, guard: Guard = GUARD) -> Floats:
    """Return one-sided p values against a true loss of ``margin`` (a share, 0 < margin < 1) or more.

    The larger of Tango's p and, where ``guard`` applies, the smallest of: the exact
    P(Binomial(n, margin) <= losses); the exact one-sided sign test for more gains than losses; and,
    with gains, Tango's p were the flips that are missing to ``few_flips`` all losses. The last two
    keep a proven gain from failing, and one more loss from helping.
    ``losses`` and ``gains`` broadcast. ValueError when ``margin`` is out of its range.
    """
    if not 0 < margin < 1:
        raise ValueError(f"a margin of {margin} for a share; it lies between 0 and 1")
    p: Floats = _tango_p(losses, gains, n, margin)
    guarded = losses + gains < guard.few_flips
    if guard.without_gains:
        guarded = guarded | (gains == 0)
    filled = np.maximum(losses, min(guard.few_flips, n) - gains)
    excused = np.where(gains > 0, _tango_p(filled, gains, n, margin), 1.0)
    exact = np.minimum(bdtr(losses, n, margin), bdtr(losses, losses + gains, 0.5))
    return np.maximum(p, np.where(guarded, np.minimum(exact, excused), 0.0))


def _tango_p(losses: Counts, gains: Counts, n: int, margin: float) -> Floats:
    p: Floats = ndtr(-tango_statistic(losses, gains, n, -margin))
    return p


def mcnemar_exact(losses: Counts, gains: Counts) -> Floats:
    """Return McNemar's exact two-sided p (binomial, probability 1/2); 1 without flips."""
    p: Floats = 2 * bdtr(np.minimum(losses, gains), losses + gains, 0.5)
    return np.minimum(1.0, p)


def mcnemar_mid_p(losses: Counts, gains: Counts) -> Floats:
    """Return McNemar's two-sided mid-p (Fagerland, Lydersen and Laake 2013); 1 without flips."""
    fewer, flips = np.minimum(losses, gains), losses + gains
    # 2 P(X <= k) - P(X = k) as a sum: nothing cancels in the far tail.
    below: Floats = np.where(fewer > 0, bdtr(np.maximum(fewer - 1, 0), flips, 0.5), 0.0)
    return np.where(losses == gains, 1.0, np.minimum(1.0, bdtr(fewer, flips, 0.5) + below))
