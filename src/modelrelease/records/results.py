"""An evaluation and its samples, read back and held against each other."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records.evaluation import EVAL_FILE, VERSION_PREFIX, Evaluation, MetricResult
from modelrelease.records.faults import quoted
from modelrelease.records.files import read_bytes, resolved
from modelrelease.records.located import Located
from modelrelease.records.metric_types import METRICS
from modelrelease.records.own_figures import agree, wrong_figures
from modelrelease.records.strict_json import parse_json_line, read_json_file
from modelrelease.records.task_samples import TaskSamples, read_samples
from modelrelease.records.text import refuse_lfs_pointer
from modelrelease.records.validation import validate

_TODO = "take both files from the same run, or score again"
_BY_HAND = "score again; eval.json is not edited by hand"


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

    def all_samples(self) -> Iterator[dict[str, Any]]:
        """Yield every whole sample in file order, read again from the file."""
        with self.samples_path.open("rb") as stream:
            for line in stream:
                value = parse_json_line(line.decode("utf-8").removesuffix("\n"))
                assert isinstance(value, dict)
                yield value


def read_results(path: Path) -> Results:
    """Read an eval.json, or the one in a folder, with its samples beside it.

    Raises InvalidInput: malformed documents (MR2xx), tasks or metrics that stand twice (MR310, MR308), samples with
    another digest (MR501) or count (MR502), scores that are no numbers in range (MR503), metrics that are not what
    the samples give (MR506), a record in another version's folder (MR507).
    """
    document = path / EVAL_FILE if path.is_dir() else path
    located = read_json_file(document)
    evaluation = read_evaluation(located)
    _check_place(evaluation, document)
    samples_path = document.parent / evaluation.samples.path
    tasks = check_samples(evaluation, located, read_bytes(samples_path), samples_path)
    return Results(located.path, evaluation, tasks, samples_path)


def read_evaluation(located: Located) -> Evaluation:
    """Return an eval.json that says nothing that no run can have written; InvalidInput as :func:`read_results`."""
    evaluation = validate(Evaluation, located)
    _raise(_contradictions(evaluation, located))
    return evaluation


def check_samples(evaluation: Evaluation, located: Located, data: bytes, path: Path) -> dict[str, TaskSamples]:
    """Return the samples in ``data``, which stands at ``path``, by task: those that the evaluation is of.

    Raises InvalidInput as :func:`read_results`.
    """
    _check_file(evaluation, data, path)
    tasks = read_samples(evaluation, data, str(path))
    _raise([*_wrong_counts(evaluation, tasks, located), *_wrong_values(evaluation, tasks, located)])
    _raise(wrong_figures(evaluation, tasks, located))
    return tasks


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


def _problem(metric: MetricResult, tasks: Counter[str], names: Counter[tuple[str, str]]) -> tuple[Code, str] | None:
    if metric.task not in tasks:
        return Code.SAMPLES_METRIC, "is of a task that the suite does not have"
    if names[metric.task, metric.metric] > 1:
        return Code.METRIC, "stands twice"
    low, high = metric.range
    if metric.binary and (low, high) != (0, 1):
        return Code.INVALID_VALUE, "is binary, and its range is not 0 to 1"
    if high is not None and not low < high:
        return Code.INVALID_VALUE, f"has the empty range {low:g} to {high:g}"
    if not _as_defined(metric):
        return Code.INVALID_VALUE, "is not described as that metric is"
    return None


def _as_defined(metric: MetricResult) -> bool:
    """Say whether a metric of ours keeps its direction and range: turned around, a loss would pass for a gain."""
    known = METRICS.get(metric.metric)
    if known is None or known.version != metric.version:
        return True
    described = (metric.binary, metric.range, metric.higher_is_better)
    return described == (known.binary, (known.low, known.high), known.higher_is_better)


def _name(metric: MetricResult) -> str:
    return quoted(f"{metric.task}/{metric.metric}")


def _check_place(evaluation: Evaluation, document: Path) -> None:
    folder, version = resolved(document).parent.name, evaluation.model.version
    if folder.startswith(VERSION_PREFIX) and version is not None and version != folder:
        message = f"is the record of {quoted(version)}, in the folder of {quoted(folder)}"
        raise invalid(document, Code.RECORD_PLACE, message, "score this version")


def _check_file(evaluation: Evaluation, data: bytes, path: Path) -> None:
    refuse_lfs_pointer(data, str(path))
    if hashlib.sha256(data).hexdigest() != evaluation.samples.sha256:
        raise invalid(path, Code.SAMPLES_DIGEST, "is not the file that eval.json names (other sha256)", _TODO)
    count = data.count(b"\n") + (data[-1:] not in {b"", b"\n"})
    if count != evaluation.samples.count:
        message = f"has {count} lines and eval.json says {evaluation.samples.count}"
        raise invalid(path, Code.SAMPLES_COUNT, message, _TODO)


def _wrong_counts(evaluation: Evaluation, tasks: dict[str, TaskSamples], located: Located) -> Iterator[Finding]:
    for number, task in enumerate(evaluation.suite.tasks):
        count = len(tasks[task.name].ids)
        if count != task.items:
            message = f"the task {quoted(task.name)} has {task.items} items here and {count} in the samples"
            line = located.line_of(("suite", "tasks", number, "items"))
            yield Finding(located.path, Code.SAMPLES_COUNT, message, _TODO, line)


def _wrong_values(evaluation: Evaluation, tasks: dict[str, TaskSamples], located: Located) -> Iterator[Finding]:
    for number, metric in enumerate(evaluation.metrics):
        values = tasks[metric.task].values(metric.metric)
        mean = _mean(values)
        key, here, there = ("n", metric.n, len(values)) if len(values) != metric.n else ("value", metric.value, mean)
        if not agree(here, there):
            both = f"{json.dumps(here)} here and {json.dumps(there)} in the samples"
            line = located.line_of(("metrics", number, key))
            yield Finding(
                located.path, Code.SAMPLES_METRIC, f"the metric {_name(metric)} has the {key} {both}", _TODO, line
            )


def _mean(values: list[float]) -> float | None:
    # Divided first: a sum of perplexities can leave the floats.
    return math.fsum(value / len(values) for value in values) if values else None
