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
from modelrelease.stats import stderr

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
        """Return the margin below which these items show nothing, whatever the variance."""


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
    def _test(self) -> tuple[float, str]:
        return continuous.sign_flip_p(self.differences, PERMUTATION_SEED)

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

    @cached_property
    def variance(self) -> float:
        """The sample variance of the differences."""
        return stderr(self.differences) ** 2 * self.n

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the paired t interval."""
        return continuous.paired_t_interval(self.differences, confidence)

    def p_noninferior(self, margin: float) -> float:
        """Return the one-sided paired t p, with the exact guard where few items changed.

        A gain that is proven without t is no loss, whatever the guard says.
        """
        p = continuous.p_noninferior_t(self.differences, margin)
        guard = continuous.sparse_guard_p(self.differences, margin, self.width)
        proven = self.p_difference / 2 if math.fsum(self.differences) > 0 else 1.0
        return max(p, min(guard, proven))

    def floor(self, alpha: float) -> float:
        """Return the t lower bound of the candidate's mean."""
        return lower_bound_mean(self.candidate, alpha)

    def variance_range(self) -> tuple[float, float]:
        """Return the chi-square interval of the variance."""
        return power.variance_range(self.variance, self.n)

    def fewest_items(self, margin: float, alpha: float) -> int:
        """Return 2: a spread needs two values."""
        return 2

    def finest_margin(self, alpha: float) -> float:
        """Return 0: there is no such margin."""
        return 0.0


def gather_evidence(before: Sequence[float], after: Sequence[float], metric: MetricResult) -> Evidence:
    """Return what paired scores say; ``before[i]`` and ``after[i]`` are one item's, at least one of them."""
    low, high = metric.range
    higher_is_better = metric.higher_is_better
    if not higher_is_better:
        differences = [a - b for b, a in zip(after, before, strict=True)]
    else:
        differences = [b - a for a, b in zip(before, after, strict=True)]
    if not metric.binary:
        return ContinuousEvidence(differences, after, None if high is None else high - low)
    gains = sum(d > 0 for d in differences)
    losses = sum(d < 0 for d in differences)
    right = round(math.fsum(after)) if higher_is_better else len(after) - round(math.fsum(after))
    both = right - gains
    return BinaryEvidence(PairedTable(both, losses, gains, len(differences) - both - losses - gains))
