"""Items: the rows of a suite with their prompt rendered, their choices and targets checked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.datasets import Row
from modelrelease.records.templates import MissingField, Template
from modelrelease.scoring.metrics import PatternTimeoutError, TextScorer
from modelrelease.scoring.suites import LoadedTask

Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """One row, ready to be asked. ``prompt`` is text, or messages for a chat template.

    ``choices`` is empty unless the task is multiple choice; ``target`` is then the index of the right one.
    ``text`` is what a perplexity task scores.
    """

    task: int
    row: Row
    prompt: str | tuple[Message, ...]
    choices: tuple[str, ...]
    target: int | str | tuple[str, ...] | None
    text: str
    slices: dict[str, str]


class _BadRow(Exception):
    """A row that cannot become an item; carries the code, what is wrong and what to do."""


def build_items(tasks: tuple[LoadedTask, ...]) -> list[Item]:
    """Return the items of all tasks, in the suite's task order and the dataset's row order.

    Raises InvalidInput with every row that has no rendered prompt, no valid choices or no valid target.
    """
    items: list[Item] = []
    findings: list[Finding] = []
    for index, task in enumerate(tasks):
        unknown = list(_unknown_fields(task))
        findings += unknown
        builder = _Builder(index, task)
        for row in () if unknown else task.rows:
            try:
                items.append(builder.item(row))
            except _BadRow as bad:
                code, message, todo = bad.args
                findings.append(Finding(task.spec.dataset, code, message, todo, row.line))
                if code is Code.PATTERN:  # every other row could take as long
                    break
    if findings:
        raise InvalidInput(findings)
    return items


def _unknown_fields(task: LoadedTask) -> Iterator[Finding]:
    """A field that no row has is the prompt's or the suite's fault, and said once, not once a row."""
    known = {name for row in task.rows for name in row.fields}
    for template, line in task.templates:
        for name in template.fields:
            if name not in known:
                todo = f"use one of {', '.join(sorted(known)[:12])}"
                message = f"names the field `{name}`, which no row of {task.spec.dataset} has"
                yield Finding(str(task.spec.prompt), Code.TEMPLATE_FIELD, message, todo, line)
    asked = [(key, getattr(task.spec, key)) for key in ("choices", "target")]
    for key, name in [*asked, *(("slices", name) for name in task.spec.slices)]:
        if name is not None and name not in known:
            message = f"`{key}: {name}` names a field that no row of {task.spec.dataset} has"
            yield Finding(task.path, Code.ROW_FIELD, message, f"use one of {', '.join(sorted(known)[:12])}", task.line)
    generated = task.spec.metrics if task.spec.kind == "generate" else ()
    needing = [spec.name for spec in generated if TextScorer(spec).needs_target]
    if needing and task.spec.target is None:
        message = f"task `{task.spec.name}` has no `target`, which `{needing[0]}` compares with"
        yield Finding(task.path, Code.MISSING_FIELD, message, "add `target` to the task", task.line)


class _Builder:
    """Builds the items of one task."""

    def __init__(self, index: int, task: LoadedTask) -> None:
        self._index = index
        self._task = task
        self._spec = task.spec
        self._scorers = [TextScorer(spec) for spec in task.spec.metrics] if task.spec.kind == "generate" else []

    def item(self, row: Row) -> Item:
        kind = self._spec.kind
        choices = self._choices(row) if kind == "multiple_choice" else ()
        return Item(
            task=self._index,
            row=row,
            prompt=self._prompt(row),
            choices=choices,
            target=self._choice_target(row, choices) if choices else self._text_target(row),
            text=self._text(row) if kind == "perplexity" else "",
            slices={name: _slice_value(row, name) for name in self._spec.slices},
        )

    def _prompt(self, row: Row) -> str | tuple[Message, ...]:
        def render(template: Template) -> str:
            try:
                return template.render(row.fields)
            except MissingField as error:
                todo = "fill it in, or take the field out of the prompt"
                raise _BadRow(Code.ROW_FIELD, f"has no `{error.name}`, which the prompt names", todo) from error

        if self._task.roles is None:
            return "".join(render(template) for template, _ in self._task.templates)
        pairs = zip(self._task.roles, self._task.templates, strict=True)
        return tuple({"role": role, "content": render(template)} for role, (template, _) in pairs)

    def _choices(self, row: Row) -> tuple[str, ...]:
        name = str(self._spec.choices)
        value = row.fields.get(name)
        valid = isinstance(value, list) and len(value) >= 2 and all(isinstance(c, str) and c for c in value)
        if not valid:
            found = f"{len(value)} of them" if isinstance(value, list) else f"found {_kind(value)}"
            message = f"`{name}` must be a list of two or more non-empty texts ({found})"
            raise _BadRow(Code.CHOICES, message, "give the row its choices")
        assert isinstance(value, list)
        return tuple(value)

    def _choice_target(self, row: Row, choices: tuple[str, ...]) -> int:
        name = str(self._spec.target)
        value = row.fields.get(name)
        if isinstance(value, str) and value in choices:
            return choices.index(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)  # a CSV cell is always text
        if type(value) is int and 0 <= value < len(choices):
            return value
        message = f"`{name}` is {_kind(value)}; it must be an index from 0 to {len(choices) - 1} or one of the choices"
        raise _BadRow(Code.TARGET, message, "name the right choice")

    def _text_target(self, row: Row) -> str | tuple[str, ...] | None:
        name = self._spec.target
        if self._spec.kind == "perplexity" or not any(scorer.needs_target for scorer in self._scorers):
            return None
        value = row.fields.get(str(name))
        values = value if isinstance(value, list) else [value]
        texts: list[Any] = [str(one) if type(one) in {int, float} else one for one in values]
        if not texts or not all(isinstance(text, str) and text for text in texts):
            todo = "give the row its reference text, or a list of them"
            raise _BadRow(Code.TARGET, f"`{name}` is {_kind(value)}, no reference text", todo)
        for scorer in self._scorers:
            try:
                problem = scorer.reference_problem(texts)
            except PatternTimeoutError as error:
                raise _BadRow(Code.PATTERN, str(error), "mend the expression, or shorten the target") from error
            if problem is not None:
                raise _BadRow(Code.TARGET, problem, "mend the row, or the metric's extract and normalize")
        return tuple(texts) if isinstance(value, list) else texts[0]

    def _text(self, row: Row) -> str:
        value = row.fields.get(str(self._spec.target))
        if not isinstance(value, str) or not value:
            raise _BadRow(Code.TARGET, f"`{self._spec.target}` is {_kind(value)}, no text to score", "fill it in")
        return value


def _slice_value(row: Row, name: str) -> str:
    value = row.fields.get(name)
    if value is None or isinstance(value, list | dict):
        raise _BadRow(Code.ROW_FIELD, f"`{name}` is {_kind(value)}, no value to slice by", "fill it in")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    if value is None:
        return "missing or null"
    return names.get(type(value), repr(value))
