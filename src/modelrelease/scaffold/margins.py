"""The margin of each task's metric, and what its number of items says about it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelrelease.numbers import show_count, show_items
from modelrelease.records.config import GatePolicy
from modelrelease.records.metric_types import METRICS
from modelrelease.scaffold.pairing import TaskPlan

DISCORDANCE = 0.10
"""The share of items assumed to flip from one version to the next where nothing got worse; see `modelrelease power`."""

SPREAD_MARGIN = 0.02
"""In the metric's own unit, for metrics that are not right or wrong; 0.02 nats per token is 2 % more perplexity."""

SmallestMargin = Callable[[int], float]
"""Given a number of items, the smallest margin in whole points that they prove with 80 % power at ``DISCORDANCE``."""


@dataclass(frozen=True)
class MetricPlan:
    """A metric's line under ``gate.metrics``; ``note``, what its items can prove, is the comment beside it."""

    name: str
    margin: float
    role: str
    note: str


def plan_metrics(tasks: Sequence[TaskPlan], smallest: SmallestMargin) -> list[MetricPlan]:
    """Return the gate's line for the metric of each task, which decides unless others decide better."""
    shares = any(METRICS[task.metric].binary for task in tasks)
    return [_share(task, smallest) if METRICS[task.metric].binary else _spread(task, not shares) for task in tasks]


def _share(task: TaskPlan, smallest: SmallestMargin) -> MetricPlan:
    least = GatePolicy().min_items
    name = f"{task.name}/{task.metric}"
    margin = smallest(max(task.items, least))
    count = show_items(task.items) if task.whole else f"at least {show_items(task.items)}"
    if task.items >= least:
        return MetricPlan(name, margin, "gate", f"{count}: a loss of {margin * 100:.0f} points can be ruled out")
    note = f"{count} prove nothing: with {show_count(least)} this margin could be met"
    return MetricPlan(name, margin, "gate", note)


def _spread(task: TaskPlan, decides: bool) -> MetricPlan:
    """A metric of values that are not right or wrong: how far they spread is known once they are scored."""
    unit = METRICS[task.metric].unit
    note = f"{unit}; what the items can prove shows after the first comparison"
    return MetricPlan(f"{task.name}/{task.metric}", SPREAD_MARGIN, "gate" if decides else "info", note)
