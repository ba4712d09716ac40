"""The same items, a number before and after: paired t, and the sign-flip permutation test.

``d`` is candidate minus baseline per item, turned so that more is better; ValueError when empty.
With one item nothing is known of the spread: the interval is all numbers and every p is 1.
With no spread at all (to 12 digits) the interval is the one point that all items share: a two-sided
p is 1 where that point is 0 and else 0, a one-sided p is 0 where it clears the margin and else 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

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


def paired_t_interval(d: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return the two-sided t interval for the mean difference; ``confidence`` such as 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence}; it lies between 0 and 1")
    centre, spread = _centre_and_spread(d)
    if math.isinf(spread):
        return -math.inf, math.inf
    half = float(stdtrit(len(d) - 1, (1 + confidence) / 2)) * spread if spread else 0.0
    return centre - half, centre + half


def paired_t_p(d: Sequence[float]) -> float:
    """Return the two-sided p of the paired t test against no difference."""
    return min(1.0, 2 * _tail(d, -abs(mean(d))))


def p_noninferior_t(d: Sequence[float], margin: float) -> float:
    """Return the one-sided paired-t p against a true loss of ``margin`` (> 0, in d's unit) or more."""
    if margin <= 0:
        raise ValueError(f"a margin of {margin}; it is above 0")
    return _tail(d, -(mean(d) + margin))


def non_inferior_t(d: Sequence[float], margin: float, alpha: float) -> bool:
    """Return whether ``p_noninferior_t`` is strictly below ``alpha``.

    That is: the lower end of the two-sided 1 - 2 alpha t interval is strictly above -margin.
    """
    return p_noninferior_t(d, margin) < alpha


def sparse_guard_p(d: Sequence[float], margin: float, width: float | None) -> float:
    """Return an exact p against a mean loss of ``margin`` where so few items changed that t means little.

    ``width``: how far one difference can reach (the metric's range), None where there is no end. A mean can fall
    by ``margin`` only if a share of at least margin / width of the items gets worse, so P(Binomial(n, margin / width)
    <= items that got worse) bounds it, whatever the sizes. 0 where ten items or more changed and some got better;
    1 where the range has no end and the guard applies.
    """
    worse, changed = sum(value < 0 for value in d), sum(value != 0 for value in d)
    if changed >= _FEW_CHANGED and (width is None or any(value > 0 for value in d)):
        return 0.0
    return 1.0 if width is None else float(bdtr(worse, len(d), min(1.0, margin / width)))


def sign_flip_p(d: Sequence[float], seed: int) -> tuple[float, str]:
    """Return the two-sided p of the sign-flip permutation test on \\|sum of d\\|, and the method used.

    Zeros say nothing and are dropped. Up to 13 differences: all sign patterns; otherwise 9,999
    drawn by ``seed`` (0 or more), p = (1 + hits) / (1 + drawn); above 5,000 items the paired t p.
    Only sorted sizes and the sum's size enter, so neither order nor swapped sides change a bit.
    """
    largest = max((abs(value) for value in d), default=0.0)
    scaled = [value / largest for value in d if value != 0]  # so that no sum leaves the floats
    sizes = np.sort(np.abs(np.asarray(scaled, dtype=np.float64)))
    total = math.fsum(sizes)
    # Permuted sums are rounded where the observed one is exact: a tie must count as one.
    observed = abs(math.fsum(scaled)) - _NOISE * total
    if len(sizes) <= EXACT_ITEMS:
        patterns = _every_pattern(len(sizes))
        return _hits(sizes, total, observed, patterns) / len(patterns), "sign-flip exact"
    if len(d) > PERMUTED_ITEMS:
        return paired_t_p(d), "paired t"
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


def _centre_and_spread(d: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard error; infinite for one item, 0 where all spread is rounding."""
    centre, spread = mean(d), stderr(d)
    if len(d) == 1:
        return centre, math.inf
    largest = max(abs(value) for value in d)
    return centre, spread if spread * math.sqrt(len(d)) > _NOISE * largest else 0.0


def _tail(d: Sequence[float], distance: float) -> float:
    """Return P(T <= distance / standard error) at n - 1 degrees of freedom; see the module for no spread."""
    _, spread = _centre_and_spread(d)
    if math.isinf(spread):
        return 1.0
    if spread:
        return float(stdtr(len(d) - 1, distance / spread))
    return 0.0 if distance < -_NOISE * max(abs(value) for value in d) else 1.0
