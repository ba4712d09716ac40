"""What differs between two trees in what a suite reaches, by content: a new change record alone is no change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelrelease.config import policy_digest
from modelrelease.errors import InvalidInput, shorten
from modelrelease.flows.trees import Tree
from modelrelease.git import Entry
from modelrelease.numbers import show_few
from modelrelease.records.config import Config
from modelrelease.records.datasets import read_dataset
from modelrelease.records.prompts import read_prompt
from modelrelease.records.resolution import ChangedInput
from modelrelease.records.suite import Task, task_digest
from modelrelease.scoring.suites import read_tasks

_SHOWN = 4
_SHOWN_TEXT = 60


def changed_inputs(before: Tree, after: Tree) -> tuple[ChangedInput, ...]:
    """Return the policy, the suite, the prompts and the datasets of ``after`` whose content is not that of ``before``.

    What cannot be read at the head counts as changed: scoring will say what is wrong with it.
    """
    old, new = _tasks(before) or {}, _tasks(after)
    if new is None:
        suite = ChangedInput(path=_suite_path(after), what="suite", detail="cannot be read")
        return (*_policy(before, after), suite)
    changes = [*_policy(before, after), *_suite(old, new, after), *_files(old, new, before, after)]
    return tuple(dict.fromkeys(changes))


def _tasks(tree: Tree) -> dict[str, Task] | None:
    """The suite's tasks by name, None where it cannot be read."""
    suite = tree.config.suite if tree.config else None
    try:
        return {task.name: task for task in read_tasks(suite, tree.read)} if suite else {}
    except InvalidInput:
        return None


def _suite_path(tree: Tree) -> str:
    """The suite, or the config that names none."""
    return (tree.config.suite if tree.config else None) or tree.config_path


def _policy(before: Tree, after: Tree) -> Iterator[ChangedInput]:
    old, new = before.config, after.config
    if old is None or new is None or policy_digest(old) == policy_digest(new):
        return
    yield ChangedInput(path=after.config_path, what="policy", detail=_policy_detail(old, new))


def _policy_detail(old: Config, new: Config) -> str:
    """Return the settings that differ, as they stand in the file: ``choose/acc.margin 0.05 → 0.08``."""
    before, after = (dict(_flat(config.gate.model_dump(mode="json"))) for config in (old, new))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    words = [
        f"{name.removeprefix('metrics.')} {_shown(before.get(name))} → {_shown(after.get(name))}" for name in names
    ]
    rest = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else key)
    else:
        yield name, value


def _shown(value: Any) -> str:
    return "none" if value is None else shorten(str(value), _SHOWN_TEXT)


def _suite(old: dict[str, Task], new: dict[str, Task], after: Tree) -> Iterator[ChangedInput]:
    added = [f"task {name} added" for name in new if name not in old]
    removed = [f"task {name} removed" for name in old if name not in new]
    common = [name for name in new if name in old]
    other = [f"task {name} asks otherwise" for name in common if task_digest(old[name]) != task_digest(new[name])]
    found = added + removed + other
    if found:
        yield ChangedInput(path=_suite_path(after), what="suite", detail=show_few(found, _SHOWN))


def _files(old: dict[str, Task], new: dict[str, Task], before: Tree, after: Tree) -> Iterator[ChangedInput]:
    entries = before.entries(_paths(old)), after.entries(_paths(new))
    for name, task in new.items():
        was = old.get(name)
        if was is None:
            continue
        if task.prompt is None and was.prompt is not None:
            yield ChangedInput(path=was.prompt, what="prompt", detail=f"task {name} has none any more")
        if task.prompt and (was.prompt is None or _differ(was.prompt, task.prompt, entries)):
            detail = _prompt_detail(before, after, was.prompt, task.prompt)
            if detail is not None:
                yield ChangedInput(path=task.prompt, what="prompt", detail=detail or None)
        if _differ(was.dataset, task.dataset, entries):
            detail = _dataset_detail(before, after, was.dataset, task.dataset)
            if detail is not None:
                yield ChangedInput(path=task.dataset, what="dataset", detail=detail or None)


def _paths(tasks: dict[str, Task]) -> list[str]:
    return [path for task in tasks.values() for path in (task.dataset, task.prompt) if path]


def _differ(was: str, now: str, entries: tuple[dict[str, Entry], dict[str, Entry]]) -> bool:
    """Say whether two files may differ; a link's own content says nothing of what lies behind it."""
    before, after = entries[0].get(was), entries[1].get(now)
    return before is None or before.link or before != after


def _prompt_detail(before: Tree, after: Tree, was: str | None, now: str) -> str | None:
    """Return None where both say the same, else a detail, which may be empty."""
    if was is None:
        return "new for its task"
    try:
        same = read_prompt(before.read(was), was).digest == read_prompt(after.read(now), now).digest
    except InvalidInput:
        return ""
    return None if same else "" if was == now else f"instead of {was}"


def _dataset_detail(before: Tree, after: Tree, was: str, now: str) -> str | None:
    try:
        old = {row.id: row.digest for row in read_dataset(before.read(was), was)}
        new = {row.id: row.digest for row in read_dataset(after.read(now), now)}
    except InvalidInput:
        return ""
    counts = (
        ("changed", sum(name in old and old[name] != digest for name, digest in new.items())),
        ("added", sum(name not in old for name in new)),
        ("removed", sum(name not in new for name in old)),
    )
    words = [f"{count:,} {'row' if count == 1 else 'rows'} {what}" for what, count in counts if count]
    return ", ".join(words) if words else None
