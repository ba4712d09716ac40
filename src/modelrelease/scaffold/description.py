"""What was found and planned, in the words of a document. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelrelease.errors import escape_controls
from modelrelease.numbers import show_count, show_few
from modelrelease.records import setup
from modelrelease.scaffold.file_plan import FilePlan
from modelrelease.scaffold.found import Dataset, Found
from modelrelease.scaffold.margins import MetricPlan
from modelrelease.scaffold.pairing import TaskPlan, Undecided
from modelrelease.scaffold.steps import Releasing, Situation, next_steps


@dataclass(frozen=True)
class Facts:
    """What git says of the repository, and which kit it is set up with."""

    repository: str
    remote: bool
    github: str | None
    default_branch: str | None
    author: str
    kit: str


def describe(
    facts: Facts,
    found: Found,
    tasks: Sequence[TaskPlan],
    undecided: Sequence[Undecided],
    metrics: Sequence[MetricPlan],
    files: Sequence[FilePlan],
    offered: bool,
    releasing: Releasing | None = None,
) -> setup.Setup:
    """Return all of it as a document; names that hold control characters are shown with escapes.

    ``offered`` and ``releasing`` are as for :class:`Situation`.
    """
    return setup.Setup(
        repository=escape_controls(facts.repository),
        github=facts.github,
        default_branch=facts.default_branch,
        author=escape_controls(facts.author),
        kit=facts.kit,
        dry_run=False,
        found=tuple(_found(found)),
        left_out=tuple(setup.LeftOut(path=one.path, reason=escape_controls(one.reason)) for one in found.left_out),
        tasks=tuple(_task(task, metric) for task, metric in zip(tasks, metrics, strict=True)),
        undecided=tuple(_undecided(one) for one in undecided),
        files=tuple(map(_file, files)),
        next=next_steps(
            Situation(
                files[0].path, _inputs(tasks), tuple(found.versions), tuple(files), facts.remote, offered, releasing
            )
        ),
    )


def _inputs(tasks: Sequence[TaskPlan]) -> tuple[str, ...]:
    paths = [path for task in tasks for path in (task.dataset, task.prompt) if path is not None]
    return tuple(dict.fromkeys(paths))


def _found(found: Found) -> list[setup.FoundFile]:
    datasets = [
        setup.FoundFile(what="dataset", path=escape_controls(one.path), reading=_rows(one)) for one in found.datasets
    ]
    prompts = [
        setup.FoundFile(what="prompt", path=escape_controls(one.path), reading=f"asks {show_few(one.fields, 8)}")
        for one in found.prompts
    ]
    versions = [setup.FoundFile(what="version", path=path, reading="a checkpoint to score") for path in found.versions]
    return [*datasets, *prompts, *versions]


def _rows(dataset: Dataset) -> str:
    count = f"{show_count(dataset.items)} row{'' if dataset.items == 1 else 's'}"
    least = count if dataset.whole else f"at least {count}, of which these were read"
    return escape_controls(f"{least}; {dataset.shape.reason}")


def _task(task: TaskPlan, metric: MetricPlan) -> setup.PlannedTask:
    return setup.PlannedTask(
        name=task.name,
        dataset=escape_controls(task.dataset),
        prompt=None if task.prompt is None else escape_controls(task.prompt),
        metric=task.metric,
        items=task.items,
        margin=metric.margin,
        role=metric.role,
        reason=escape_controls(task.reason),
        asked=escape_controls(task.asked),
        proves=metric.note,
    )


def _file(plan: FilePlan) -> setup.SetupFile:
    path, reason = escape_controls(plan.path), escape_controls(plan.reason)
    return setup.SetupFile(path=path, action=plan.action, reason=reason, text=plan.text)


def _undecided(one: Undecided) -> setup.UndecidedTask:
    return setup.UndecidedTask(
        dataset=escape_controls(one.dataset), reason=escape_controls(one.reason), todo=escape_controls(one.todo)
    )
