"""Samples as columns: 100,000 of them take some 50 MB, and a whole one is read again where it is shown."""

from __future__ import annotations

import io
import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.evaluation import Evaluation, MetricResult
from modelrelease.records.sample_lines import NO_SCORE, TODO, Sample, SampleReader, wrong_score


@dataclass
class TaskSamples:
    """One task's samples, column by column, in file order.

    ``scores[metric][i]`` is NaN where item i has an error. ``outcomes[i]`` stands for the whole line (inputs, outputs,
    log-likelihoods, scores): a 64-bit hash under this process's own key, equal on two sides when the lines are;
    ``answers[i]`` likewise for what was answered: the output and what was taken from it, or the choice.
    ``slices[i]`` pairs field and value. ``begins`` and ``lengths`` say where in the file a sample stands, in bytes.
    """

    ids: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    scores: dict[str, list[float]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    truncated: set[str] = field(default_factory=set)
    ties: int = 0
    boundary_mismatches: int = 0
    slices: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    outcomes: array[int] = field(default_factory=lambda: array("q"))
    answers: array[int] = field(default_factory=lambda: array("q"))
    begins: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("q"))

    def values(self, metric: str) -> list[float]:
        """Return the scores of the items that have one."""
        column = self.scores[metric]
        return [value for value in column if not math.isnan(value)] if self.errors else column


def read_samples(evaluation: Evaluation, data: bytes, path: str) -> dict[str, TaskSamples]:
    """Return the samples by task; ``data`` is what stands in ``path``.

    Raises InvalidInput with every line that is no sample (MR2xx, MR303, MR311) or whose scores are not those that
    eval.json announces (MR503).
    """
    metrics: dict[str, list[MetricResult]] = {task.name: [] for task in evaluation.suite.tasks}
    for metric in evaluation.metrics:
        metrics[metric.task].append(metric)
    tasks = {name: TaskSamples(scores={metric.metric: [] for metric in own}) for name, own in metrics.items()}
    reader, adders = SampleReader(path, metrics), {name: _adder(task) for name, task in tasks.items()}
    begin = 0
    for number, raw in enumerate(io.BytesIO(data), start=1):
        sample = reader.read(raw, number)
        if sample is not None:
            adders[sample.task](sample, raw, begin)
        begin += len(raw)
    findings = reader.findings or [
        finding for metric in evaluation.metrics for finding in _wrong_scores(metric, tasks[metric.task], data, path)
    ]
    if findings:
        raise InvalidInput(sorted(findings, key=lambda finding: finding.line or 0))
    return tasks


def _adder(task: TaskSamples) -> Callable[[Sample, bytes, int], None]:
    """Return what adds a sample to the columns; it is called for every line, and so finds them at hand."""
    ids, digests, scores, slices = task.ids, task.digests, list(task.scores.items()), task.slices
    outcomes, answers, begins, lengths = task.outcomes, task.answers, task.begins, task.lengths
    equal: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}

    def add(sample: Sample, raw: bytes, begin: int) -> None:
        ids.append(sample.item_id)
        digests.append(sample.item_digest)
        found = sample.scores
        for name, column in scores:
            column.append(found.get(name, NO_SCORE))
        pairs = tuple(sample.slices.items())
        slices.append(equal.setdefault(pairs, pairs))
        outcomes.append(hash(raw))
        answers.append(hash((sample.output, sample.prediction)))
        begins.append(begin)
        lengths.append(len(raw))
        if sample.error is not None:
            task.errors.add(sample.item_id)
        if sample.truncated:
            task.truncated.add(sample.item_id)
        task.ties += sample.tie
        task.boundary_mismatches += sample.boundary_mismatch

    return add


def _wrong_scores(metric: MetricResult, task: TaskSamples, data: bytes, path: str) -> Iterator[Finding]:
    values = task.values(metric.metric)
    if not values:
        return
    telling = set(values) if metric.binary else {min(values), max(values)}
    if not any(wrong_score(value, metric) for value in telling):
        return
    line, end = 1, 0
    for begin, value in zip(task.begins, task.scores[metric.metric], strict=True):
        message = None if math.isnan(value) else wrong_score(value, metric)
        if message is not None:
            line, end = line + data.count(b"\n", end, begin), begin
            yield Finding(path, Code.SCORE, message, TODO, line)
