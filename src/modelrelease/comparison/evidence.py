"""What the paired items of one metric say, whatever the policy: one class a row of the gate's table.

All of it is about the *improvement*, candidate minus baseline with the sign turned where lower is better.
Clustered items will be a third class beside these two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from modelrelease.comparison import paired_binary as binary
from modelrelease.comparison import paired_continuous as continuous
from modelrelease.comparison import power
from modelrelease.comparison.floors import lower_bound_binary, lower_bound_mean
from modelrelease.comparison.paired_binary import PairedTable
from modelrelease.records.evaluation import MetricResult

PERMUTATION_SEED = 0


class Evidence(Protocol):
    """What a verdict needs to know. Intervals and bounds are in the metric's unit."""

    @property
    def n(self) -> int:
        """How many items were paired."""

    @property
    def method(self) -> str:
        """The interval's and the test's names."""

    @property
    def p_difference(self) -> float:
        """The two-sided p against no difference."""

    @property
    def p_exact(self) -> float | None:
        """The exact counterpart, where there is one."""

    @property
    def variance(self) -> float:
        """The variance of one item's difference, were there no true difference."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the two-sided interval of the improvement."""

    def p_noninferior(self, margin: float) -> float:
        """Return the one-sided p against a loss of ``margin`` or more."""

    def floor(self, alpha: float) -> float:
        """Return the one-sided 1−α lower bound of the candidate's own mean."""

    def variance_range(self) -> tuple[float, float]:
        """Return where the variance may lie, with 95 % confidence."""

    def fewest_items(self, margin: float, alpha: float) -> int:
        """Return the items below which nothing can be shown, whatever the variance."""

    def finest_margin(self, alpha: float) -> float:
        """Return the margin below which these items show nothing, whatever the variance; infinite where at none."""


@dataclass(frozen=True)
class BinaryEvidence:
    """Right-or-wrong items: Tango's interval, McNemar's mid-p, the exact guard."""

    table: PairedTable
    method: str = "Tango interval, McNemar mid-p"

    @property
    def n(self) -> int:
        """How many items were paired."""
        return self.table.n

    @cached_property
    def p_difference(self) -> float:
        """McNemar's mid-p."""
        return binary.mcnemar_mid_p(self.table.losses, self.table.gains)

    @cached_property
    def p_exact(self) -> float:
        """McNemar's exact p."""
        return binary.mcnemar_exact(self.table.losses, self.table.gains)

    @property
    def variance(self) -> float:
        """The share of items that flipped."""
        return self.table.flips / self.n

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return Tango's interval."""
        return binary.tango_interval(self.table, confidence)

    def p_noninferior(self, margin: float) -> float:
        """Return Tango's p, with the exact guard where it applies."""
        return binary.p_noninferior(self.table, margin)

    def floor(self, alpha: float) -> float:
        """Return Wilson's lower bound of the candidate's accuracy."""
        return lower_bound_binary(self.table.both + self.table.gains, self.n, alpha)

    def variance_range(self) -> tuple[float, float]:
        """Return Wilson's interval of the share that flips."""
        return power.discordance_range(self.table.flips, self.n)

    def fewest_items(self, margin: float, alpha: float) -> int:
        """Return how many items without a flip would do."""
        return power.fewest_items(margin, alpha)

    def finest_margin(self, alpha: float) -> float:
        """Return what n items without a flip would show."""
        return power.finest_margin(self.n, alpha)


@dataclass(frozen=True)
class ContinuousEvidence:
    """Items with real-valued scores: paired t interval, sign-flip permutation.

    ``width``: how far one difference can reach, None where the metric's range has no end.
    """

    differences: Sequence[float]
    candidate: Sequence[float]
    width: float | None = None

    @property
    def n(self) -> int:
        """How many items were paired."""
        return len(self.differences)

    @cached_property
    def _spread(self) -> continuous.Spread:
        return continuous.measure_spread(self.differences)

    @cached_property
    def _test(self) -> tuple[float, str]:
        return continuous.sign_flip_p(self.differences, PERMUTATION_SEED, self._spread)

    @property
    def method(self) -> str:
        """The interval's and the test's names."""
        return f"paired t interval, {self._test[1]}"

    @property
    def p_difference(self) -> float:
        """The permutation's p."""
        return self._test[0]

    @property
    def p_exact(self) -> None:
        """There is none."""
        return None

    @property
    def variance(self) -> float:
        """The sample variance of the differences; infinite where floats cannot hold it."""
        deviation = self._spread.stderr * math.sqrt(self.n)
        return deviation * deviation

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the paired t interval."""
        return continuous.t_interval(self._spread, confidence)

    def p_noninferior(self, margin: float) -> float:
        """Return the one-sided paired t p, with the exact guard where few items changed.

        A gain that the sign flips prove is no loss, whatever t and the guard say. Where differences can only be
        -1, 0 and 1, a true loss of the margin passes in at most 7.4 % of cases (n = 500, margin .03, gains .005) at
        a nominal 5 %; t alone would let it pass in up to 86 %.
        """
        t = continuous.t_p_noninferior(self._spread, margin)
        guard = continuous.sparse_guard_p(self.differences, margin, self.width)
        proven = self.p_difference / 2 if self._spread.mean > 0 else 1.0
        return min(proven, max(t, guard))

    def floor(self, alpha: float) -> float:
        """Return the t lower bound of the candidate's mean."""
        return lower_bound_mean(self.candidate, alpha)

    def variance_range(self) -> tuple[float, float]:
        """Return the chi-square interval of the variance."""
        return power.variance_range(self.variance, self.n)

    def fewest_items(self, margin: float, alpha: float) -> int:
        """Return what the guard needs if none of the items got worse; 2 without it: a spread needs two values."""
        if self.width is None or margin >= self.width or not self._sparse:
            return 2
        return power.fewest_items(margin / self.width, alpha)

    def finest_margin(self, alpha: float) -> float:
        """Return what the guard would show if none of the items got worse; 0 without it."""
        if not self._sparse:
            return 0.0
        return math.inf if self.width is None else self.width * power.finest_margin(self.n, alpha)

    @cached_property
    def _sparse(self) -> bool:
        return continuous.is_sparse(self.differences, self.width)


def gather_evidence(before: Sequence[float], after: Sequence[float], metric: MetricResult) -> Evidence:
    """Return what paired scores say; ``before[i]`` and ``after[i]`` are one item's, at least one of them.

    Shares that are all 0 or 1 are right or wrong, whatever the metric could have given.
    """
    worse, better = (before, after) if metric.higher_is_better else (after, before)
    differences = [b - a for a, b in zip(worse, better, strict=True)]
    low, high = metric.range
    right_or_wrong = {0.0, 1.0}
    if (low, high) != (0.0, 1.0) or not (right_or_wrong.issuperset(before) and right_or_wrong.issuperset(after)):
        return ContinuousEvidence(differences, after, None if high is None else high - low)
    gains, losses = differences.count(1.0), differences.count(-1.0)
    right = sum(after) if metric.higher_is_better else len(after) - sum(after)
    both = round(right) - gains
    return BinaryEvidence(PairedTable(both, losses, gains, len(differences) - both - losses - gains))


def interval(evidence: Evidence, metric: MetricResult, confidence: float) -> tuple[float | None, float | None]:
    """Return the interval of candidate minus baseline in the metric's own direction; None where it has no end."""
    low, high = evidence.interval(confidence)
    if not metric.higher_is_better:
        low, high = 0.0 - high, 0.0 - low  # so that no zero has a sign
    return finite(low), finite(high)


def finite(value: float) -> float | None:
    """Return ``value``, or None where it is infinite or no number: JSON has neither."""
    return value if math.isfinite(value) else None
