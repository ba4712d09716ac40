"""evals/release.yaml as init writes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import indent

from modelrelease.scaffold.pairing import EXAMPLE, TaskPlan, Undecided
from modelrelease.scaffold.yaml_text import change_record, commented, flow_list, scalar

SUITE = "evals/release.yaml"
_HEAD = """# What a version is asked: one task for each dataset. Written by `modelrelease init`; yours to edit.
schema_version: 1
name: release
"""
_NO_TASKS = """# Nothing is scored until a task stands here. Take the `# ` away, and name your own files and fields:
"""


def suite_text(tasks: Sequence[TaskPlan], undecided: Sequence[Undecided], change: Mapping[str, str]) -> str:
    """Return a suite of ``tasks``; what a person has to decide stands in it as comments."""
    drafts = [one for one in undecided if one.draft is not None]
    text = _HEAD
    if tasks:
        text += "tasks:\n" + "".join(task_text(task, why=True) for task in tasks)
        text += "".join(_draft(one) for one in drafts)
    else:
        shown = [one.draft for one in drafts if one.draft is not None] or [EXAMPLE]
        text += _NO_TASKS + commented("tasks:\n" + "".join(task_text(task, why=bool(drafts)) for task in shown))
    return text + change_record(change)


def task_text(task: TaskPlan, why: bool) -> str:
    """Return a task as an item of the list under ``tasks``; ``why`` adds the reason for it as a comment."""
    lines = [f"name: {scalar(task.name)}", f"dataset: {scalar(task.dataset)}"]
    if task.prompt is not None:
        lines.append(f"prompt: {scalar(task.prompt)}")
    lines.append(f"kind: {task.kind}")
    if task.choices is not None:
        lines.append(f"choices: {scalar(task.choices)}")
    if task.target is not None:
        lines.append(f"target: {scalar(task.target)}")
    if task.max_new_tokens is not None:
        lines.append(f"max_new_tokens: {task.max_new_tokens}   # room for the longest target")
    if task.stop:
        lines.append(f"stop: {flow_list(task.stop)}")
    lines.append(f"metrics: [{task.metric}]")
    if task.slices:
        lines.append(f"slices: {flow_list(task.slices)}")
    reasons = [reason for reason in (task.reason, task.asked) if reason]
    reason = "".join(f"  # {one_line(text)}\n" for text in reasons) if why else ""
    return f"{reason}  - " + indent("\n".join(lines), "    ").lstrip() + "\n"


def _draft(undecided: Undecided) -> str:
    assert undecided.draft is not None
    why = f"# {one_line(undecided.dataset)}: {one_line(undecided.reason)}; {one_line(undecided.todo)}\n"
    return why + commented(task_text(undecided.draft, why=False))


def one_line(text: str) -> str:
    """Return ``text`` as a comment can hold it: YAML has no escapes there."""
    return scalar(text)[1:-1] if not text.isprintable() else text
