"""The rule: from evidence and policy to one of four verdicts. Pure.

Source: design of the gate. Not inferior (NI): the lower end of the two-sided 1−2α interval of the improvement is above
−margin, with an exact guard for few flips. GAIN, LOSS: the difference points that way and its Holm-adjusted
two-sided p is below α.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelrelease.comparison.evidence import Evidence
from modelrelease.comparison.power import items_needed, smallest_margin
from modelrelease.records.comparison import Power, Verdict
from modelrelease.records.config import GatePolicy, MetricPolicy

POWER = 0.8


@dataclass(frozen=True)
class Judged:
    """A verdict with the facts it rests on; ``why`` names the branch of the rule that was taken."""

    verdict: Verdict
    why: str
    p_noninferior: float | None = None
    loss_within_margin: bool = False


def judge(
    evidence: Evidence, improvement: float, p: float, identical: bool, policy: MetricPolicy | None, gate: GatePolicy
) -> Judged:
    """Return the verdict on one metric.

    ``improvement``: the mean of the turned differences; ``p``: its two-sided p, Holm-adjusted for gate metrics;
    ``identical``: inputs and outputs are equal on all items; ``policy`` None: nothing is asked of the metric.
    """
    margin = policy.margin if policy else None
    p_ni = evidence.p_noninferior(margin) if margin is not None else None
    gain, loss = (improvement > 0 and p < gate.alpha), (improvement < 0 and p < gate.alpha)
    # Without a margin only a proven gain is known to be no loss; it is so under every margin.
    not_inferior = p_ni < gate.alpha if p_ni is not None else gain
    if identical:
        return Judged("equivalent", "identical", p_ni)
    if evidence.n < gate.min_items:
        return Judged("regressed", "loss", p_ni) if loss else Judged("inconclusive", "too_few", p_ni)
    if loss and not (not_inferior and (policy is None or policy.allow_proven_loss)):
        return Judged("regressed", "loss" if not_inferior or margin is None else "loss_in_doubt", p_ni)
    if gain and not_inferior:
        return Judged("better", "gain", p_ni)
    if not_inferior:
        return Judged("equivalent", "loss_within_margin" if loss else "not_inferior", p_ni, loss)
    return Judged("inconclusive", "no_margin" if margin is None else "uncertain", p_ni)


def describe_power(evidence: Evidence, margin: float | None, alpha: float) -> Power:
    """Return what these items can show if nothing changed, and how many items ``margin`` would need.

    A range, since the variance is itself uncertain: both ends of its 95 % interval. All None where no margin can be
    shown: with one item, or where the scores have no end and few of them changed.
    """
    mde = max(smallest_margin(evidence.n, evidence.variance, alpha, POWER), evidence.finest_margin(alpha))
    if evidence.n < 2 or not math.isfinite(mde):
        return Power(mde=None, items_needed_low=None, items_needed_high=None)
    if margin is None:
        return Power(mde=mde, items_needed_low=None, items_needed_high=None)
    fewest = evidence.fewest_items(margin, alpha)
    low, high = (max(fewest, items_needed(margin, v, alpha, POWER)) for v in evidence.variance_range())
    return Power(mde=mde, items_needed_low=low, items_needed_high=high)
