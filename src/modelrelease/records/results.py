"""An evaluation and its samples, read back and held against each other.

Samples are kept as columns: 100,000 of them take some 50 MB, and a whole one is read again where it is shown.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records.evaluation import EVAL_FILE, Evaluation, MetricResult
from modelrelease.records.files import read_bytes
from modelrelease.records.sample_lines import SampleReader
from modelrelease.records.strict_json import parse_json_line, read_json
from modelrelease.records.text import decode
from modelrelease.records.validation import validate

_AGREEMENT = 1e-9


@dataclass
class TaskSamples:
    """One task's samples, column by column, in file order.

    ``scores[metric][i]`` is NaN where item i has an error. ``outcomes[i]`` is equal on two sides exactly when
    the whole sample is: inputs, outputs, log-likelihoods and scores. ``slices[i]`` pairs field and value.
    """

    ids: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    scores: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    truncated: set[str] = field(default_factory=set)
    slices: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    outcomes: list[bytes] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Results:
    """An evaluation with its samples by task. ``path`` is eval.json as it was named."""

    path: str
    evaluation: Evaluation
    tasks: dict[str, TaskSamples]
    samples_path: Path

    def sample(self, task: str, number: int) -> dict[str, Any]:
        """Return one whole sample, read again from the file."""
        begin, length = self.tasks[task].places[number]
        with self.samples_path.open("rb") as stream:
            stream.seek(begin)
            value = parse_json_line(stream.read(length).decode("utf-8"))
        assert isinstance(value, dict)
        return value


def read_results(path: Path) -> Results:
    """Read an eval.json, or the one in a folder, with its samples beside it.

    Raises InvalidInput: malformed documents (MR2xx), samples with another digest (MR501) or count (MR502),
    scores that are no numbers in range (MR503), metrics that are not what the samples give (MR506).
    """
    document = path / EVAL_FILE if path.is_dir() else path
    shown = str(document)
    evaluation = validate(Evaluation, read_json(decode(read_bytes(document), shown), shown))
    samples_path = document.parent / evaluation.samples.path
    data = read_bytes(samples_path)
    _check_file(evaluation, data, samples_path)
    tasks = _read_samples(evaluation, data, str(samples_path))
    findings = list(_disagreements(evaluation, tasks, shown))
    if findings:
        raise InvalidInput(findings)
    return Results(shown, evaluation, tasks, samples_path)


def _check_file(evaluation: Evaluation, data: bytes, path: Path) -> None:
    todo = "take both files from the same run, or score again"
    if hashlib.sha256(data).hexdigest() != evaluation.samples.sha256:
        raise invalid(path, Code.SAMPLES_DIGEST, "is not the file that eval.json names (other sha256)", todo)
    count = data.count(b"\n")
    if count != evaluation.samples.count:
        message = f"has {count} lines and eval.json says {evaluation.samples.count}"
        raise invalid(path, Code.SAMPLES_COUNT, message, todo)


def _read_samples(evaluation: Evaluation, data: bytes, path: str) -> dict[str, TaskSamples]:
    metrics: dict[str, list[MetricResult]] = {}
    for metric in evaluation.metrics:
        metrics.setdefault(metric.task, []).append(metric)
    tasks = {task.name: TaskSamples() for task in evaluation.suite.tasks}
    reader = SampleReader(path, {name: metrics.get(name, []) for name in tasks})
    begin = 0
    for number, raw in enumerate(io.BytesIO(data), start=1):
        sample = reader.read(raw, number)
        if sample is not None:
            _append(tasks[sample["task"]], sample, raw, begin)
        begin += len(raw)
    if reader.findings:
        raise InvalidInput(reader.findings)
    return tasks


def _append(task: TaskSamples, sample: dict[str, Any], raw: bytes, begin: int) -> None:
    item_id = sample["item_id"]
    task.ids.append(item_id)
    task.digests.append(sample["item_digest"])
    for name, value in sample["scores"].items():
        task.scores.setdefault(name, []).append(value)
    if sample["error"] is not None:
        task.errors[item_id] = sample["error"]
    if sample["truncated"]:
        task.truncated.add(item_id)
    task.slices.append(sample["slices"])
    task.outcomes.append(hashlib.blake2b(raw, digest_size=16).digest())
    task.places.append((begin, len(raw)))


def _disagreements(evaluation: Evaluation, tasks: dict[str, TaskSamples], path: str) -> Iterator[Finding]:
    todo = "take both files from the same run, or score again"
    for task in evaluation.suite.tasks:
        count = len(tasks[task.name].ids)
        if count != task.items:
            message = f"task `{task.name}` has {task.items} items here and {count} samples"
            yield Finding(path, Code.SAMPLES_COUNT, message, todo)
    for metric in evaluation.metrics:
        if metric.task not in tasks:
            message = f"a metric names the task {metric.task!r}, which the suite does not have"
            yield Finding(path, Code.SAMPLES_METRIC, message, todo)
            continue
        scores = tasks[metric.task].scores.get(metric.metric, [])
        values = [value for value in scores if not math.isnan(value)]
        found = math.fsum(values) / len(values) if values else None
        if len(values) != metric.n or not _agree(found, metric.value):
            message = f"{metric.task}/{metric.metric} is {metric.value} here and {found} in the samples"
            yield Finding(path, Code.SAMPLES_METRIC, message, todo)


def _agree(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_AGREEMENT, abs_tol=_AGREEMENT)
