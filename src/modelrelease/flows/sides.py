"""The suites of a pull request's two sides.

The candidate is asked with the pull request's prompts and rows, the baseline with the merge-base's prompts and the
pull request's rows. What decides how an answer is scored is policy, so under the merge-base's policy both get the
merge-base's scoring part; a task that the pull request removed is still asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.trees import Tree
from modelrelease.records.suite import Task, task_digest
from modelrelease.scoring.items import build_items
from modelrelease.scoring.suites import LoadedSuite, LoadedTask, asked_as, load_task, read_tasks, with_prompt


@dataclass(frozen=True)
class SuitePair:
    """What candidate and baseline are asked."""

    candidate: LoadedSuite
    baseline: LoadedSuite


@dataclass(frozen=True)
class Asked:
    """Both pairs: ``deciding`` under the merge-base's policy, ``own`` under the pull request's; often the same.

    ``suite_before`` is False where the merge-base has no suite that can be read: then both are the pull request's.
    """

    deciding: SuitePair
    own: SuitePair
    new_metrics: tuple[str, ...]
    suite_before: bool

    @property
    def edited(self) -> bool:
        """Whether the pull request changes how answers are scored."""
        return _parts(self.deciding.candidate) != _parts(self.own.candidate)


def suites_of_sides(own: LoadedSuite, before: Tree) -> Asked:
    """Return what the two sides are asked, given the pull request's suite and the merge-base.

    Raises InvalidInput where the merge-base's prompts or scoring parts cannot be applied to the pull request's rows.
    """
    path = before.config.suite if before.config else None
    old = _tasks_before(path, before)
    kept = [asked_as(task, old[task.spec.name]) if task.spec.name in old else task for task in own.tasks]
    present = {task.spec.name for task in own.tasks}
    removed = [load_task(task, str(path), before.read) for name, task in old.items() if name not in present]
    deciding = LoadedSuite(own.name, (*kept, *removed))
    asked = Asked(
        deciding=SuitePair(deciding, _as_before(deciding, old, before)),
        own=SuitePair(own, _as_before(own, old, before)),
        new_metrics=tuple(sorted(_metrics(task.spec for task in own.tasks) - _metrics(old.values()))) if old else (),
        suite_before=bool(old),
    )
    _check(asked)
    return asked


def suites_of_release(own: LoadedSuite, policy: Tree, live: Tree | None) -> SuitePair:
    """Return what a version that is to be released, and the live one, are asked.

    Both get the version's own rows and are scored as the suite at ``policy`` says, its removed tasks included. What is
    live is a checkpoint with its prompts: the baseline gets those of ``live``, the commit that it was released from.
    """
    scored = suites_of_sides(own, policy).deciding.candidate
    old = _tasks_before(live.config.suite if live.config else None, live) if live is not None else {}
    pair = SuitePair(scored, _as_before(scored, old, live) if live is not None else scored)
    build_items(pair.baseline.tasks)
    return pair


def _tasks_before(path: str | None, before: Tree) -> dict[str, Task]:
    """A malformed suite on the target branch must not stop the pull request that mends it."""
    try:
        return {task.name: task for task in read_tasks(path, before.read)} if path else {}
    except InvalidInput:
        return {}


def _as_before(suite: LoadedSuite, old: dict[str, Task], before: Tree) -> LoadedSuite:
    def task_before(task: LoadedTask) -> LoadedTask:
        was = old.get(task.spec.name)
        return with_prompt(task, was.prompt, before.read) if was is not None else task

    return LoadedSuite(suite.name, tuple(task_before(task) for task in suite.tasks))


def _check(asked: Asked) -> None:
    """Say at once, and in the words of a pull request, what would fail in the middle of scoring."""
    build_items(asked.own.candidate.tasks)
    todo = "keep the old field beside the new one until this is merged, then take it out"
    for suite in (asked.deciding.candidate, asked.deciding.baseline, asked.own.baseline):
        try:
            build_items(suite.tasks)
        except InvalidInput as error:
            raise InvalidInput(
                Finding(f.path, Code.RESOLUTION, f"as on the target branch, {f.message}", todo, f.line)
                for f in error.findings
            ) from error


def _metrics(specs: Iterable[Task]) -> set[str]:
    return {f"{spec.name}/{metric.name}" for spec in specs for metric in spec.metrics}


def _parts(suite: LoadedSuite) -> dict[str, str]:
    return {task.spec.name: task_digest(task.spec) for task in suite.tasks}
