"""The suite that init writes, each of its tasks tried with the readers that scoring uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelrelease.errors import InvalidInput
from modelrelease.flows.place import existing
from modelrelease.flows.survey import bounded_bytes
from modelrelease.records.metric_types import METRICS
from modelrelease.records.suite import Task
from modelrelease.scaffold.file_plan import FilePlan, created, kept
from modelrelease.scaffold.found import Found
from modelrelease.scaffold.pairing import TaskPlan, Undecided, plan_tasks
from modelrelease.scaffold.suite_text import suite_text
from modelrelease.scoring.items import build_items
from modelrelease.scoring.suites import LoadedSuite, load_suite


@dataclass(frozen=True)
class AskedSuite:
    """What is asked of models: the suite's file, its tasks, and what is left to a person."""

    suite: FilePlan
    tasks: list[TaskPlan]
    undecided: list[Undecided]


def asked_suite(root: Path, path: str, found: Found, change: Mapping[str, str]) -> AskedSuite:
    """Return the suite at ``path``: the one that is there, or one of all that ``found`` tells, with ``change``."""
    before = existing(root, path)
    if before is not None:
        try:
            suite = load_suite(path, _Overlay(root, {}))
        except InvalidInput as error:
            return AskedSuite(kept(path, before, f"it is there already, and faulty: {error.findings[0]}"), [], [])
        return AskedSuite(kept(path, before, "it is there already"), _tasks_of(suite), [])
    planned, undecided = plan_tasks(found.datasets, found.prompts)
    tasks = []
    for task in planned:
        fault = _fault(root, path, [task], change)
        if fault is None:
            tasks.append(task)
        else:
            undecided.append(Undecided(task.dataset, fault, "mend it, and take the task out of its comment", task))
    text = suite_text(tasks, undecided, change)
    return AskedSuite(created(path, text, f"asks {len(tasks)} task{'' if len(tasks) == 1 else 's'}"), tasks, undecided)


class _Overlay:
    """Reads the repository as it would be with ``planned`` files in it, long ones only as far as survey does."""

    def __init__(self, root: Path, planned: Mapping[str, bytes]) -> None:
        self._root = root
        self._planned = planned

    def __call__(self, path: str) -> bytes:
        return self._planned[path] if path in self._planned else bounded_bytes(self._root, path)[0]


def _fault(root: Path, path: str, tasks: Sequence[TaskPlan], change: Mapping[str, str]) -> str | None:
    """What `score` would say of a suite with these tasks; None where it would score them."""
    text = suite_text(tasks, [], change)
    try:
        build_items(load_suite(path, _Overlay(root, {path: text.encode("utf-8")})).tasks)
    except InvalidInput as error:
        return str(error.findings[0])
    return None


def _tasks_of(suite: LoadedSuite) -> list[TaskPlan]:
    """The tasks of a suite that was there, each by the metric that can decide."""
    return [_task_of(task.spec, len(task.rows), f"{task.path} says so") for task in suite.tasks]


def _task_of(spec: Task, items: int, reason: str) -> TaskPlan:
    names = [metric.name for metric in spec.metrics]
    metric = next((name for name in names if METRICS[name].binary), names[0])
    return TaskPlan(spec.name, spec.kind, spec.dataset, spec.target, metric, items, reason, spec.prompt)
