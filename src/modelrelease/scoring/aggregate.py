"""From samples to a task's metrics: mean, standard error, interval, slices. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelrelease.records.evaluation import CONFIDENCE, Flags, MetricResult, SliceResult, method_of
from modelrelease.records.metric_types import METRICS, MetricType
from modelrelease.records.suite import Task
from modelrelease.scoring.samples import Sample
from modelrelease.stats import mean, mean_interval, stderr


def aggregate(task: Task, samples: Sequence[Sample]) -> list[MetricResult]:
    """Return one result a metric of ``task`` over its ``samples``; items with an error do not count.

    Interval: Wilson's for binary scores, the normal one for others (Miller, arXiv 2411.00640, eq. 1).
    """
    return [_metric(task, METRICS[spec.name], samples) for spec in task.metrics]


def _metric(task: Task, metric: MetricType, samples: Sequence[Sample]) -> MetricResult:
    scored = [sample for sample in samples if metric.name in sample["scores"]]
    values = [sample["scores"][metric.name] for sample in scored]
    low, high = mean_interval(values, CONFIDENCE, binary=metric.binary) or (None, None)
    return MetricResult(
        task=task.name,
        metric=metric.name,
        value=mean(values) if values else None,
        stderr=stderr(values) if len(values) > 1 else None,
        ci_low=low,
        ci_high=high,
        confidence=CONFIDENCE,
        method=method_of(binary=metric.binary),
        n=len(values),
        binary=metric.binary,
        range=(metric.low, metric.high),
        higher_is_better=metric.higher_is_better,
        version=metric.version,
        slices=tuple(_slices(task, metric, scored)),
    )


def _slices(task: Task, metric: MetricType, samples: Sequence[Sample]) -> Iterable[SliceResult]:
    for field in task.slices:
        groups: dict[str, list[float]] = {}
        for sample in samples:
            groups.setdefault(sample["slices"][field], []).append(sample["scores"][metric.name])
        for value, values in sorted(groups.items()):
            yield SliceResult(field=field, value=value, n=len(values), mean=mean(values))


def count_flags(samples: Iterable[Sample]) -> Flags:
    """Return how many samples are truncated, have a boundary inside a token, a tie, an error."""
    counts = dict.fromkeys(("truncated", "boundary_mismatch", "ties", "errors"), 0)
    for sample in samples:
        counts["truncated"] += sample["truncated"]
        counts["boundary_mismatch"] += sample["boundary_mismatch"]
        counts["ties"] += sample["tie"]
        counts["errors"] += sample["error"] is not None
    return Flags(**counts)
