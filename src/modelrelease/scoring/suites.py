"""A suite with everything it names: prompts compiled, rows read. Files come through a reader that is passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records.datasets import Row, read_dataset
from modelrelease.records.digests import dataset_digest
from modelrelease.records.located import Located
from modelrelease.records.metric_types import METRICS
from modelrelease.records.prompts import Prompt, read_prompt
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.suggestions import nearest
from modelrelease.records.suite import MetricSpec, Suite, Task
from modelrelease.records.templates import Template, compile_template
from modelrelease.records.text import decode
from modelrelease.records.validation import validate
from modelrelease.scoring.metrics import pattern_problem

ReadFile = Callable[[str], bytes]
"""Given a path relative to the repository's root, its bytes; raises InvalidInput where there are none."""

MAX_SUITES = 100


@dataclass(frozen=True)
class LoadedTask:
    """A task with its rows and its compiled prompt.

    ``templates`` are the prompt's texts with their lines: one for a text prompt, one a message for a chat
    prompt, whose roles are then in ``roles``; none for a perplexity task without a prompt.
    """

    spec: Task
    path: str
    line: int
    rows: tuple[Row, ...]
    dataset_digest: str
    prompt_digest: str | None
    templates: tuple[tuple[Template, int], ...]
    roles: tuple[str, ...] | None

    @property
    def delimiter(self) -> str:
        """What stands between prompt and choice: nothing after a chat template or without a prompt."""
        if self.spec.delimiter is not None:
            return self.spec.delimiter
        return "" if self.roles is not None or not self.templates else " "


@dataclass(frozen=True)
class LoadedSuite:
    """A suite, its includes folded in: included tasks first, then its own."""

    name: str
    tasks: tuple[LoadedTask, ...]


def read_tasks(path: str, read: ReadFile) -> list[Task]:
    """Read the suite at ``path`` and those it includes, but nothing that their tasks name.

    Raises InvalidInput as :func:`load_suite` does for the suites themselves.
    """
    return [task for task, _, _ in _read_tasks(path, read, seen=[])[1]]


def load_task(task: Task, path: str, read: ReadFile) -> LoadedTask:
    """Return one task of the suite at ``path`` with its rows and prompt."""
    return _load_task(task, path, 1, read, {})


def load_suite(path: str, read: ReadFile) -> LoadedSuite:
    """Read the suite at ``path`` and all that it names. Raises InvalidInput with every finding."""
    name, located_tasks = _read_tasks(path, read, seen=[])
    findings = [finding for task, where, line in located_tasks for finding in _task_findings(task, where, line)]
    findings += _same_names(located_tasks)
    if findings:
        raise InvalidInput(findings)
    if not located_tasks:
        raise invalid(path, Code.MISSING_FIELD, "the suite has no tasks", "add `tasks` or `include`", 1)
    datasets: dict[str, tuple[Row, ...]] = {}
    loaded = []
    for task, where, line in located_tasks:
        try:
            loaded.append(_load_task(task, where, line, read, datasets))
        except InvalidInput as error:
            findings += error.findings
    if findings:
        raise InvalidInput(findings)
    return LoadedSuite(name, tuple(loaded))


def _read_tasks(path: str, read: ReadFile, seen: list[str]) -> tuple[str, list[tuple[Task, str, int]]]:
    seen.append(path)
    located = read_yaml(decode(read(path), path), path)
    suite = validate(Suite, located)
    tasks: list[tuple[Task, str, int]] = []
    for number, written in enumerate(suite.include):
        included = str(PurePosixPath(written))  # ./a.yaml is a.yaml
        line = located.line_of(("include", number))
        if included in seen:
            todo = "include each suite once"
            raise invalid(path, Code.INCLUDE, f"`{included}` is included already", todo, line)
        if len(seen) >= MAX_SUITES:
            todo = "put tasks together in fewer files"
            raise invalid(path, Code.INCLUDE, f"includes more than {MAX_SUITES} suites", todo, line)
        tasks += _read_tasks(included, read, seen)[1]
    return suite.name, tasks + _own_tasks(suite, located, path)


def _own_tasks(suite: Suite, located: Located, path: str) -> list[tuple[Task, str, int]]:
    return [(task, path, located.line_of(("tasks", number))) for number, task in enumerate(suite.tasks)]


def _same_names(tasks: list[tuple[Task, str, int]]) -> list[Finding]:
    findings = []
    first: dict[str, str] = {}
    for task, path, line in tasks:
        if task.name in first:
            message = f"task `{task.name}` stands already at {first[task.name]}"
            findings.append(Finding(path, Code.INCLUDE, message, "give each task a name of its own", line))
        first.setdefault(task.name, f"{path}:{line}")
    return findings


def _task_findings(task: Task, path: str, line: int) -> list[Finding]:
    """What is wrong with a task in itself, before any file it names is read."""
    findings = []
    for key, asked in (("repeats", task.repeats > 1), ("cluster_by", task.cluster_by is not None)):
        if asked:
            message = f"task `{task.name}` asks for `{key}`, which this version does not do"
            findings.append(Finding(path, Code.NOT_YET, message, f"leave `{key}` out for now", line))
    if "" in task.stop:
        message = f"task `{task.name}`: `stop` holds an empty text, which would end every answer before it begins"
        findings.append(Finding(path, Code.INVALID_VALUE, message, "take it out", line))
    seen: set[str] = set()
    for spec in task.metrics:
        if problem := _metric_problem(task, spec, seen):
            findings.append(Finding(path, Code.METRIC, f"task `{task.name}`: {problem[0]}", problem[1], line))
        for key, pattern in (("extract", spec.extract), ("pattern", spec.pattern)):
            if pattern is not None and (fault := pattern_problem(pattern)):
                message = f"task `{task.name}`: `{key}` is no regular expression: {fault}"
                findings.append(Finding(path, Code.PATTERN, message, "mend the expression", line))
        seen.add(spec.name)
    return findings


def _metric_problem(task: Task, spec: MetricSpec, seen: set[str]) -> tuple[str, str] | None:
    known = METRICS.get(spec.name)
    fitting = sorted(name for name, metric in METRICS.items() if metric.kind == task.kind)
    todo = f"use one of {', '.join(fitting)}"
    if known is None:
        return f"there is no metric `{spec.name}`", nearest(spec.name, METRICS) or todo
    if known.kind != task.kind:
        return f"`{spec.name}` is a {known.kind} metric and this is a {task.kind} task", todo
    if spec.name in seen:
        return f"metric `{spec.name}` stands twice", "name it once"
    options = {"extract", "take", "normalize", "pattern"} & spec.model_fields_set
    if unused := sorted(options - known.options):
        return f"`{unused[0]}` does nothing for `{spec.name}`", "leave it out"
    return None


def _load_task(task: Task, path: str, line: int, read: ReadFile, datasets: dict[str, tuple[Row, ...]]) -> LoadedTask:
    if task.dataset not in datasets:
        datasets[task.dataset] = tuple(read_dataset(read(task.dataset), task.dataset))
    rows = datasets[task.dataset]
    return LoadedTask(
        spec=task,
        path=path,
        line=line,
        rows=rows,
        dataset_digest=dataset_digest(row.digest for row in rows),
        **_prompt_parts(task.prompt, read),
    )


def asked_as(task: LoadedTask, spec: Task) -> LoadedTask:
    """Return ``task`` with its rows and prompt, and the scoring part (kind, metrics, generation …) of ``spec``."""
    return replace(task, spec=spec.model_copy(update={"dataset": task.spec.dataset, "prompt": task.spec.prompt}))


def with_prompt(task: LoadedTask, path: str | None, read: ReadFile) -> LoadedTask:
    """Return ``task`` with the prompt at ``path`` instead of its own; None for no prompt."""
    spec = task.spec.model_copy(update={"prompt": path})
    return replace(task, spec=spec, **_prompt_parts(path, read))


def _prompt_parts(path: str | None, read: ReadFile) -> dict[str, Any]:
    prompt = read_prompt(read(path), path) if path is not None else None
    return {
        "prompt_digest": prompt.digest if prompt else None,
        "templates": _templates(prompt) if prompt else (),
        "roles": tuple(message.role for message in prompt.messages) if prompt and prompt.messages else None,
    }


def _templates(prompt: Prompt) -> tuple[tuple[Template, int], ...]:
    if prompt.messages is not None:
        texts = [(message.content, message.line, message.verbatim) for message in prompt.messages]
    else:
        texts = [(prompt.template or "", prompt.line, prompt.verbatim)]
    return tuple((compile_template(text, prompt.path, line, verbatim), line) for text, line, verbatim in texts)
