"""What eval.json says beside the means: that its intervals, slices and flags are what its samples give too.

A card and a comment show them, so a record in which somebody edited one of them is no record. The arithmetic is that of
scoring (scoring/aggregate.py); what another version of it has counted otherwise is left to that version.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.records.evaluation import CONFIDENCE, SCORER_VERSION, Evaluation, MetricResult, method_of
from modelrelease.records.faults import quoted
from modelrelease.records.located import Located
from modelrelease.records.task_samples import TaskSamples
from modelrelease.stats import mean, mean_interval, stderr

AGREEMENT = 1e-9
_TODO = "take both files from the same run, or score again"


def wrong_figures(evaluation: Evaluation, tasks: Mapping[str, TaskSamples], located: Located) -> Iterator[Finding]:
    """Yield a finding (MR506) for each figure that is not what the samples give; ``tasks`` by name."""
    if evaluation.scorer_version != SCORER_VERSION:
        return
    for number, metric in enumerate(evaluation.metrics):
        for key, here, there in (*_spread(metric, tasks[metric.task]), *_slices(metric, tasks[metric.task])):
            name = quoted(f"{metric.task}/{metric.metric}")
            message = f"the metric {name} has the {key} {_shown(here)} here and {_shown(there)} in the samples"
            line = located.line_of(("metrics", number, key.partition(" ")[0].removesuffix(",")))
            yield Finding(located.path, Code.SAMPLES_METRIC, message, _TODO, line)
    for key, here, there in _flags(evaluation, tasks):
        message = f"`flags.{key}` is {here} here and {there} in the samples"
        yield Finding(located.path, Code.SAMPLES_METRIC, message, _TODO, located.line_of(("flags", key)))


Difference = tuple[str, object, object]


def _spread(metric: MetricResult, samples: TaskSamples) -> Iterator[Difference]:
    values = samples.values(metric.metric)
    low, high = mean_interval(values, CONFIDENCE, binary=metric.binary) or (None, None)
    found = {
        "stderr": stderr(values) if len(values) > 1 else None,
        "ci_low": low,
        "ci_high": high,
        "confidence": CONFIDENCE,
    }
    for key, there in found.items():
        if not agree(getattr(metric, key), there):
            yield key, getattr(metric, key), there
    method = method_of(binary=metric.binary)
    if metric.method != method:
        yield "method", metric.method, method


def _slices(metric: MetricResult, samples: TaskSamples) -> Iterator[Difference]:
    """The slices, one by one; by which fields there are any is the suite's to say."""
    fields = {part.field for part in metric.slices}
    groups: dict[tuple[str, str], list[float]] = {}
    for pairs, score in zip(samples.slices, samples.scores[metric.metric], strict=True) if fields else ():
        if not math.isnan(score):
            for pair in pairs:
                if pair[0] in fields:
                    groups.setdefault(pair, []).append(score)
    here = {(part.field, part.value): part for part in metric.slices}
    if len(here) != len(metric.slices):
        yield "slices,", len(metric.slices), len(here)
    for pair in sorted(here.keys() | groups.keys()):
        part, values = here.get(pair), groups.get(pair, [])
        there = (len(values), mean(values) if values else None)
        if part is None or part.n != there[0] or not agree(part.mean, there[1]):
            yield f"slices, of {quoted('='.join(pair))}", None if part is None else (part.n, part.mean), there


def _flags(evaluation: Evaluation, tasks: Mapping[str, TaskSamples]) -> Iterator[tuple[str, int, int]]:
    found = {
        "truncated": sum(len(task.truncated) for task in tasks.values()),
        "boundary_mismatch": sum(task.boundary_mismatches for task in tasks.values()),
        "ties": sum(task.ties for task in tasks.values()),
        "errors": sum(len(task.errors) for task in tasks.values()),
    }
    for key, there in found.items():
        if getattr(evaluation.flags, key) != there:
            yield key, getattr(evaluation.flags, key), there


def agree(one: float | None, other: float | None) -> bool:
    """Say whether two figures are one, as far as floats of two machines go."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=AGREEMENT, abs_tol=AGREEMENT)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
