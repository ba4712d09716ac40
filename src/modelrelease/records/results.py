"""An evaluation and its samples, read back and held against each other.

Samples are kept as columns: 100,000 of them take some 50 MB, and a whole one is read again where it is shown.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records.evaluation import EVAL_FILE, Evaluation, MetricResult
from modelrelease.records.faults import quoted
from modelrelease.records.files import read_bytes
from modelrelease.records.located import Located
from modelrelease.records.sample_lines import NO_SCORE, Sample, SampleReader
from modelrelease.records.strict_json import parse_json_line, read_json
from modelrelease.records.text import decode, refuse_lfs_pointer
from modelrelease.records.validation import validate

_AGREEMENT = 1e-9
_TODO = "take both files from the same run, or score again"
_BY_HAND = "score again; eval.json is not edited by hand"


@dataclass
class TaskSamples:
    """One task's samples, column by column, in file order.

    ``scores[metric][i]`` is NaN where item i has an error. ``outcomes[i]`` is equal on two sides exactly when
    the whole sample is: inputs, outputs, log-likelihoods and scores. ``slices[i]`` pairs field and value.
    ``begins`` and ``lengths`` say where in the file a sample stands, in bytes.
    """

    ids: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    scores: dict[str, list[float]] = field(default_factory=dict)
    errors: set[str] = field(default_factory=set)
    truncated: set[str] = field(default_factory=set)
    slices: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    outcomes: array[int] = field(default_factory=lambda: array("q"))
    begins: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("q"))


@dataclass(frozen=True)
class Results:
    """An evaluation with its samples by task. ``path`` is eval.json as it was named."""

    path: str
    evaluation: Evaluation
    tasks: dict[str, TaskSamples]
    samples_path: Path

    def sample(self, task: str, number: int) -> dict[str, Any]:
        """Return one whole sample, read again from the file."""
        samples = self.tasks[task]
        with self.samples_path.open("rb") as stream:
            stream.seek(samples.begins[number])
            value = parse_json_line(stream.read(samples.lengths[number]).decode("utf-8"))
        assert isinstance(value, dict)
        return value


def read_results(path: Path) -> Results:
    """Read an eval.json, or the one in a folder, with its samples beside it.

    Raises InvalidInput: malformed documents (MR2xx), tasks or metrics that stand twice (MR310, MR308), samples with
    another digest (MR501) or count (MR502), scores that are no numbers in range (MR503), metrics that are not what
    the samples give (MR506).
    """
    document = path / EVAL_FILE if path.is_dir() else path
    located = _read_document(document)
    evaluation = validate(Evaluation, located)
    _raise(_contradictions(evaluation, located))
    samples_path = document.parent / evaluation.samples.path
    data = read_bytes(samples_path)
    _check_file(evaluation, data, samples_path)
    tasks = _read_samples(evaluation, data, str(samples_path))
    _raise([*_wrong_counts(evaluation, tasks, located), *_wrong_values(evaluation, tasks, located)])
    return Results(located.path, evaluation, tasks, samples_path)


def _read_document(path: Path) -> Located:
    shown, data = str(path), read_bytes(path)
    refuse_lfs_pointer(data, shown)
    return read_json(decode(data, shown), shown)


def _raise(findings: Iterable[Finding]) -> None:
    found = list(findings)
    if found:
        raise InvalidInput(found)


def _contradictions(evaluation: Evaluation, located: Located) -> Iterator[Finding]:
    """What no run can have written, and no reader below is prepared for."""
    tasks = Counter(task.name for task in evaluation.suite.tasks)
    names = Counter((metric.task, metric.metric) for metric in evaluation.metrics)
    for task, times in tasks.items():
        if times > 1:
            line = located.line_of(("suite", "tasks"))
            yield Finding(located.path, Code.INCLUDE, f"the task {quoted(task)} stands twice", _BY_HAND, line)
    for number, metric in enumerate(evaluation.metrics):
        problem = _problem(metric, tasks, names)
        if problem is not None:
            code, message = problem
            line = located.line_of(("metrics", number))
            yield Finding(located.path, code, f"the metric {_name(metric)} {message}", _BY_HAND, line)


def _problem(
    metric: MetricResult, tasks: Counter[str], names: Counter[tuple[str, str]]
) -> tuple[Code, str] | None:
    if metric.task not in tasks:
        return Code.SAMPLES_METRIC, "is of a task that the suite does not have"
    if names[metric.task, metric.metric] > 1:
        return Code.METRIC, "stands twice"
    low, high = metric.range
    if metric.binary and (low, high) != (0, 1):
        return Code.INVALID_VALUE, "is binary, and its range is not 0 to 1"
    if high is not None and not low < high:
        return Code.INVALID_VALUE, f"has the empty range {low:g} to {high:g}"
    return None


def _name(metric: MetricResult) -> str:
    return quoted(f"{metric.task}/{metric.metric}")


def _check_file(evaluation: Evaluation, data: bytes, path: Path) -> None:
    refuse_lfs_pointer(data, str(path))
    if hashlib.sha256(data).hexdigest() != evaluation.samples.sha256:
        raise invalid(path, Code.SAMPLES_DIGEST, "is not the file that eval.json names (other sha256)", _TODO)
    count = data.count(b"\n") + (not data.endswith(b"\n"))
    if count != evaluation.samples.count:
        message = f"has {count} lines and eval.json says {evaluation.samples.count}"
        raise invalid(path, Code.SAMPLES_COUNT, message, _TODO)


def _read_samples(evaluation: Evaluation, data: bytes, path: str) -> dict[str, TaskSamples]:
    metrics: dict[str, list[MetricResult]] = {task.name: [] for task in evaluation.suite.tasks}
    for metric in evaluation.metrics:
        metrics[metric.task].append(metric)
    tasks = {name: TaskSamples(scores={metric.metric: [] for metric in own}) for name, own in metrics.items()}
    reader = SampleReader(path, metrics)
    begin = 0
    for number, raw in enumerate(io.BytesIO(data), start=1):
        sample = reader.read(raw, number)
        if sample is not None:
            _append(tasks[sample.task], sample, raw, begin)
        begin += len(raw)
    _raise(reader.findings)
    return tasks


def _append(task: TaskSamples, sample: Sample, raw: bytes, begin: int) -> None:
    task.ids.append(sample.item_id)
    task.digests.append(sample.item_digest)
    for name, column in task.scores.items():
        column.append(sample.scores.get(name, NO_SCORE))
    if sample.error is not None:
        task.errors.add(sample.item_id)
    if sample.truncated:
        task.truncated.add(sample.item_id)
    task.slices.append(tuple(sample.slices.items()))
    task.outcomes.append(hash(raw))
    task.begins.append(begin)
    task.lengths.append(len(raw))


def _wrong_counts(evaluation: Evaluation, tasks: dict[str, TaskSamples], located: Located) -> Iterator[Finding]:
    for number, task in enumerate(evaluation.suite.tasks):
        count = len(tasks[task.name].ids)
        if count != task.items:
            message = f"the task {quoted(task.name)} has {task.items} items here and {count} in the samples"
            line = located.line_of(("suite", "tasks", number, "items"))
            yield Finding(located.path, Code.SAMPLES_COUNT, message, _TODO, line)


def _wrong_values(evaluation: Evaluation, tasks: dict[str, TaskSamples], located: Located) -> Iterator[Finding]:
    for number, metric in enumerate(evaluation.metrics):
        values = [value for value in tasks[metric.task].scores[metric.metric] if not math.isnan(value)]
        key, here, there = ("n", metric.n, len(values)) if len(values) != metric.n else ("value", metric.value, _mean(values))
        if not _agree(here, there):
            message = f"the metric {_name(metric)} has the {key} {json.dumps(here)} here and {json.dumps(there)} in the samples"
            yield Finding(located.path, Code.SAMPLES_METRIC, message, _TODO, located.line_of(("metrics", number, key)))


def _mean(values: list[float]) -> float | None:
    # Divided first: a sum of perplexities can leave the floats.
    return math.fsum(value / len(values) for value in values) if values else None


def _agree(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_AGREEMENT, abs_tol=_AGREEMENT)
