"""The same items, right or wrong before and after: Tango's interval, McNemar's test, non-inferiority.

The rules themselves stand in ``grids``; here they answer for one table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelrelease.comparison import grids
from modelrelease.stats import normal_quantile

_HALVINGS = 80


@dataclass(frozen=True)
class PairedTable:
    """Counts of items by who had them right. ValueError when one is negative or all are 0."""

    both: int
    base_only: int
    candidate_only: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.base_only, self.candidate_only, self.neither) < 0 or self.n == 0:
            raise ValueError("a paired table needs counts of 0 or more and at least one item")

    @property
    def n(self) -> int:
        """All items."""
        return self.both + self.base_only + self.candidate_only + self.neither

    @property
    def losses(self) -> int:
        """Items that only the baseline had right."""
        return self.base_only

    @property
    def gains(self) -> int:
        """Items that only the candidate had right."""
        return self.candidate_only

    @property
    def flips(self) -> int:
        """Items that changed."""
        return self.base_only + self.candidate_only

    @property
    def delta(self) -> float:
        """Candidate minus baseline, as a share of the items."""
        return (self.candidate_only - self.base_only) / self.n


def tango_statistic(table: PairedTable, delta0: float) -> float:
    """Return Tango's score statistic of one table against a true difference ``delta0`` in [-1, 1]."""
    return float(grids.tango_statistic(_one(table.losses), _one(table.gains), table.n, delta0))


def tango_interval(table: PairedTable, confidence: float) -> tuple[float, float]:
    """Return Tango's two-sided score interval for candidate minus baseline, within [-1, 1].

    ``confidence`` is the coverage, such as 0.95; ValueError unless it lies between 0 and 1.
    """
    z = normal_quantile((1 + confidence) / 2)
    swapped = PairedTable(table.both, table.candidate_only, table.base_only, table.neither)
    return _lower_end(table, z), -_lower_end(swapped, z)


def _lower_end(table: PairedTable, z: float) -> float:
    """Bisect for the smallest difference that the data do not reject: the statistic falls with it."""
    low, high = -1.0, table.delta
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if tango_statistic(table, middle) > z:
            low = middle
        else:
            high = middle
    return low


def mcnemar_exact(losses: int, gains: int) -> float:
    """Return McNemar's exact two-sided p of one table."""
    return float(grids.mcnemar_exact(_one(losses), _one(gains)))


def mcnemar_mid_p(losses: int, gains: int) -> float:
    """Return McNemar's two-sided mid-p of one table; what GAIN and LOSS are decided by."""
    return float(grids.mcnemar_mid_p(_one(losses), _one(gains)))


def p_noninferior(table: PairedTable, margin: float) -> float:
    """Return the one-sided p of one table against a true loss of ``margin`` or more."""
    return float(grids.p_noninferior(_one(table.losses), _one(table.gains), table.n, margin))


def non_inferior(table: PairedTable, margin: float, alpha: float) -> bool:
    """Return whether ``p_noninferior`` is strictly below ``alpha``.

    That is: the lower end of the two-sided 1 - 2 alpha Tango interval is strictly above -margin
    (touching it does not clear it), and so is the exact bound where the guard applies.
    """
    return p_noninferior(table, margin) < alpha


def _one(count: int) -> grids.Counts:
    return np.asarray(count, dtype=np.int64)
