"""The same items, a number before and after: paired t, and the sign-flip permutation test.

``d`` is candidate minus baseline per item, turned so that more is better; ValueError when empty.
With one item nothing is known of the spread: the interval is all numbers and every p is 1.
With no spread at all (to 12 digits) the interval is the one point that all items share: a two-sided
p is 1 where that point is 0 and else 0, a one-sided p is 0 where it clears the margin and else 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, stdtr, stdtrit

from modelrelease.stats import mean, stderr

Floats = npt.NDArray[np.float64]

EXACT_ITEMS = 13
PERMUTED_ITEMS = 5000
PERMUTATIONS = 9999
_NOISE = 1e-12  # differences of decimals are off in the 16th digit; what is smaller than this is no difference
_ROWS = 256
_FEW_CHANGED = 10
_PARTS = (0.0, 0.25, 0.5, 0.75)  # of the margin: the sizes of loss that the guard counts apart


@dataclass(frozen=True)
class Spread:
    """What the t distribution needs to know of differences: how many, their mean, its standard error, the largest size.

    ``stderr`` is infinite where nothing is known of the spread, and 0 where all of it is rounding.
    """

    n: int
    mean: float
    stderr: float
    largest: float


def measure_spread(d: Sequence[float]) -> Spread:
    """Return mean and standard error of the differences; ValueError when there are none."""
    centre, spread = mean(d), stderr(d)
    largest = max(abs(value) for value in d)
    if len(d) == 1 or math.isnan(spread):  # or so far apart that floats cannot say
        spread = math.inf
    elif spread * math.sqrt(len(d)) <= _NOISE * largest:
        spread = 0.0
    return Spread(len(d), centre, spread, largest)


def t_interval(spread: Spread, confidence: float) -> tuple[float, float]:
    """Return the two-sided t interval for the mean difference; ``confidence`` such as 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence}; it lies between 0 and 1")
    if math.isinf(spread.stderr):
        return -math.inf, math.inf
    half = float(stdtrit(spread.n - 1, (1 + confidence) / 2)) * spread.stderr if spread.stderr else 0.0
    return spread.mean - half, spread.mean + half


def t_p(spread: Spread) -> float:
    """Return the two-sided p of the paired t test against no difference."""
    return min(1.0, 2 * _tail(spread, -abs(spread.mean)))


def t_p_noninferior(spread: Spread, margin: float) -> float:
    """Return the one-sided paired-t p against a true loss of ``margin`` (> 0, in d's unit) or more."""
    if margin <= 0:
        raise ValueError(f"a margin of {margin}; it is above 0")
    return _tail(spread, -(spread.mean + margin))


def paired_t_interval(d: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return :func:`t_interval` of the differences ``d``."""
    return t_interval(measure_spread(d), confidence)


def paired_t_p(d: Sequence[float]) -> float:
    """Return :func:`t_p` of the differences ``d``."""
    return t_p(measure_spread(d))


def p_noninferior_t(d: Sequence[float], margin: float) -> float:
    """Return :func:`t_p_noninferior` of the differences ``d``."""
    return t_p_noninferior(measure_spread(d), margin)


def non_inferior_t(d: Sequence[float], margin: float, alpha: float) -> bool:
    """Return whether ``p_noninferior_t`` is strictly below ``alpha``.

    That is: the lower end of the two-sided 1 - 2 alpha t interval is strictly above -margin.
    """
    return p_noninferior_t(d, margin) < alpha


def is_sparse(d: Sequence[float], width: float | None) -> bool:
    """Say whether so few items changed that t means little: fewer than ten, or none for the better.

    ``width``: how far one difference can reach (the metric's range), None where there is no end; there t is left to
    judge ten changes for the worse.
    """
    if width is not None and all(value <= 0 for value in d):
        return True
    return sum(value != 0 for value in d) < _FEW_CHANGED


def sparse_guard_p(d: Sequence[float], margin: float, width: float | None) -> float:
    """Return an exact p against a mean loss of ``margin`` where t means little (``is_sparse``), else 0.

    A mean falls by ``margin`` only if a share of at least (margin - s) / (width - s) of the items loses more than s,
    so P(Binomial(n, that share) <= items that lost more) bounds it, for s = 0 whatever the sizes. The smallest of
    the bounds counts: many small losses are no reason to expect large ones. Where the range has no end nothing bounds
    it: 1.
    """
    if not is_sparse(d, width):
        return 0.0
    return 1.0 if width is None else min(_loss_bound(d, margin, width, part * margin) for part in _PARTS)


def _loss_bound(d: Sequence[float], margin: float, width: float, size: float) -> float:
    share = (margin - size) / (width - size) if width > margin else 1.0
    return float(bdtr(sum(value < -size for value in d), len(d), share))


def sign_flip_p(d: Sequence[float], seed: int, spread: Spread | None = None) -> tuple[float, str]:
    """Return the two-sided p of the sign-flip permutation test on \\|sum of d\\|, and the method used.

    Zeros say nothing and are dropped. Up to 13 differences: all sign patterns; otherwise 9,999
    drawn by ``seed`` (0 or more), p = (1 + hits) / (1 + drawn); above 5,000 items the paired t p.
    Only sorted sizes and the sum's size enter, so neither order nor swapped sides change a bit. ``spread``: of d, where
    it is known already.
    """
    changed = [value for value in d if value != 0]
    if len(d) > PERMUTED_ITEMS and len(changed) > EXACT_ITEMS:
        return t_p(spread or measure_spread(d)), "paired t"
    largest = max((abs(value) for value in changed), default=0.0)
    scaled = [value / largest for value in changed]  # so that no sum leaves the floats
    sizes = np.sort(np.abs(np.asarray(scaled, dtype=np.float64)))
    total = math.fsum(sizes)
    # Permuted sums are rounded where the observed one is exact: a tie must count as one.
    observed = abs(math.fsum(scaled)) - _NOISE * total
    if len(sizes) <= EXACT_ITEMS:
        patterns = _every_pattern(len(sizes))
        return _hits(sizes, total, observed, patterns) / len(patterns), "sign-flip exact"
    drawn = _drawn_patterns(len(sizes), seed)
    hits = sum(_hits(sizes, total, observed, patterns) for patterns in drawn)
    return (1 + hits) / (1 + PERMUTATIONS), f"sign-flip, {PERMUTATIONS} permutations"


def _hits(sizes: Floats, total: float, observed: float, patterns: Floats) -> int:
    """Count the sign patterns (rows of 0 and 1) whose sum is at least as far from 0 as observed."""
    return int(np.count_nonzero(np.abs(total - 2 * (patterns @ sizes)) >= observed))


def _every_pattern(items: int) -> Floats:
    numbers = np.arange(1 << items, dtype=np.int64)[:, np.newaxis]
    return ((numbers >> np.arange(items, dtype=np.int64)) & 1).astype(np.float64)


def _drawn_patterns(items: int, seed: int) -> Iterator[Floats]:
    """Yield blocks of random sign patterns; PCG64's raw bits are the same in every numpy release."""
    bits = np.random.PCG64(seed)
    words = -(-items // 64)
    for start in range(0, PERMUTATIONS, _ROWS):
        rows = min(_ROWS, PERMUTATIONS - start)
        drawn = np.asarray(bits.random_raw(rows * words), dtype="<u8").reshape(rows, words)
        yield np.unpackbits(drawn.view(np.uint8), axis=1, count=items).astype(np.float64)


def _tail(spread: Spread, distance: float) -> float:
    """Return P(T <= distance / standard error) at n - 1 degrees of freedom; see the module for no spread."""
    if math.isinf(spread.stderr):
        return 1.0
    if spread.stderr:
        return float(stdtr(spread.n - 1, distance / spread.stderr))
    return 0.0 if distance < -_NOISE * spread.largest else 1.0
