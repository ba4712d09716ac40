"""From paired results to evidence, metric by metric; no policy enters here, so two policies can judge one measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from modelrelease.comparison.evidence import Evidence, gather_evidence
from modelrelease.comparison.pairing import SAME_SUITE, SCORE_AGAIN, PairedTask, Problem, pair, same_outcome
from modelrelease.records.evaluation import MetricResult
from modelrelease.records.results import Results
from modelrelease.records.task_samples import TaskSamples
from modelrelease.stats import mean

_Metrics = dict[str, MetricResult]


@dataclass(frozen=True)
class Measure:
    """One metric of one task on both sides.

    ``info`` is the candidate's description of it, the baseline's where the candidate has none. ``before[i]`` and
    ``after[i]`` are the scores of ``paired``'s i-th item; empty where there is a ``problem``.
    """

    info: MetricResult
    paired: PairedTask
    problem: Problem | None
    baseline: float | None
    candidate: float | None
    before: Sequence[float] = ()
    after: Sequence[float] = ()
    identical: bool = False

    @property
    def name(self) -> str:
        """``task/metric``."""
        return f"{self.info.task}/{self.info.metric}"

    @cached_property
    def rises(self) -> list[float]:
        """Candidate minus baseline, item by item."""
        return [after - before for before, after in zip(self.before, self.after, strict=True)]

    @cached_property
    def delta(self) -> float:
        """Candidate minus baseline: the mean over the paired items, in the metric's unit."""
        return mean(self.rises)

    @cached_property
    def broken(self) -> list[int]:
        """The places of the items that got worse."""
        sign = 1 if self.info.higher_is_better else -1
        return [place for place, rise in enumerate(self.rises) if rise * sign < 0]

    @cached_property
    def fixed(self) -> list[int]:
        """The places of the items that got better."""
        sign = 1 if self.info.higher_is_better else -1
        return [place for place, rise in enumerate(self.rises) if rise * sign > 0]

    @property
    def improvement(self) -> float:
        """``delta`` with its sign turned where lower is better."""
        return self.delta if self.info.higher_is_better else -self.delta

    @cached_property
    def evidence(self) -> Evidence:
        """What the paired scores say; only where there is no problem."""
        return gather_evidence(self.before, self.after, self.info)


def measure(baseline: Results, candidate: Results, *, intersect: bool = False) -> list[Measure]:
    """Return every metric of either side, paired, in the suite's order; see :func:`pairing.pair`."""
    measures = []
    old, new = _by_task(baseline), _by_task(candidate)
    for task in pair(baseline, candidate, intersect=intersect):
        identical = task.problem is None and same_outcome(task, baseline.tasks[task.name], candidate.tasks[task.name])
        for before, after in _aligned(old.get(task.name, {}), new.get(task.name, {})):
            measures.append(_measure(task, before, after, baseline, candidate, identical))
    return measures


def _by_task(results: Results) -> dict[str, _Metrics]:
    found: dict[str, _Metrics] = {}
    for metric in results.evaluation.metrics:
        found.setdefault(metric.task, {})[metric.metric] = metric
    return found


def _aligned(before: _Metrics, after: _Metrics) -> list[tuple[MetricResult | None, MetricResult | None]]:
    return [(before.get(name), after.get(name)) for name in [*after, *(name for name in before if name not in after)]]


def _measure(
    task: PairedTask,
    before: MetricResult | None,
    after: MetricResult | None,
    baseline: Results,
    candidate: Results,
    identical: bool,
) -> Measure:
    info = after or before
    assert info is not None
    problem = task.problem or _metric_problem(before, after)
    values = (before.value if before else None, after.value if after else None)
    if problem is not None:
        return Measure(info, task, problem, *values)
    old = _scores(baseline.tasks[task.name], info.metric, task.baseline)
    new = _scores(candidate.tasks[task.name], info.metric, task.candidate)
    return Measure(info, task, None, mean(old), mean(new), old, new, identical)


def _metric_problem(before: MetricResult | None, after: MetricResult | None) -> Problem | None:
    if before is None or after is None:
        side = "the baseline" if before is None else "the candidate"
        return Problem("missing", f"{side} does not have this metric", SAME_SUITE)
    if (before.version, before.binary, before.range, before.higher_is_better) != (
        after.version,
        after.binary,
        after.range,
        after.higher_is_better,
    ):
        if before.version != after.version:
            reason = f"the metric's versions differ ({before.version} and {after.version})"
            return Problem("incomparable", reason, SCORE_AGAIN)
        reason = "the two sides describe the metric differently (range or direction)"
        return Problem("incomparable", reason, SCORE_AGAIN)
    return None


def _scores(samples: TaskSamples, metric: str, numbers: Sequence[int]) -> list[float]:
    column = samples.scores[metric]
    return column if numbers == range(len(column)) else [column[number] for number in numbers]
