"""The whole language of prompts: ``{{field}}`` is a row's field, ``{{{{`` is a literal ``{{``, all else is text.

Templates come from pull requests: nothing in them runs, and every step is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, shorten
from modelrelease.records.canonical import canonical_json

_OPENING = re.compile(r"\{\{(?:(?P<escaped>\{\{)|[ \t]*(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*\}\})?")
_TODO = "write `{{name}}` with the name of a row's field, or `{{{{` for a literal `{{`"
_SHOWN = 24


class MissingField(KeyError):
    """A row lacks the field ``name``, or has null there; callers make a finding of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


@dataclass(frozen=True)
class Template:
    """A compiled template; ``fields`` are the names it uses, in order of appearance, each once.

    ``parts`` are pairs of literal text and the field that follows it, None after the last.
    """

    parts: tuple[tuple[str, str | None], ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the names of the fields in order, each once."""
        return tuple(dict.fromkeys(name for _, name in self.parts if name is not None))

    def render(self, fields: Mapping[str, Any]) -> str:
        """Return the text with each field's value in its place; raises MissingField.

        A text stands as it is and is never expanded again; every other value is written as canonical JSON, so that
        rows with the same digest give the same text.
        """
        pieces = []
        for literal, name in self.parts:
            pieces.append(literal)
            if name is not None:
                pieces.append(_written(name, fields.get(name)))
        return "".join(pieces)


def _written(name: str, value: Any) -> str:
    if value is None:
        raise MissingField(name)
    return value if isinstance(value, str) else canonical_json(value)


def compile_template(text: str, path: str, line: int, verbatim: bool = True) -> Template:
    """Return the template in ``text``, whose first character stands on ``line`` of ``path``.

    ``verbatim`` says whether the text's lines are the file's (``records.located.Place``); where they are not, findings
    name ``line``. Raises InvalidInput (MR302) with one finding for each ``{{`` that opens no field.
    """
    parts: list[tuple[str, str | None]] = []
    literal: list[str] = []
    findings: list[Finding] = []
    end = 0
    for match in _OPENING.finditer(text):
        literal.append(text[end : match.start()])
        if verbatim:
            line += text.count("\n", end, match.start())
        end = match.end()
        if match["name"] is not None:
            parts.append(("".join(literal), match["name"]))
            literal = []
        elif match["escaped"] is not None:
            literal.append("{{")
        else:
            findings.append(_opens_nothing(text, match.start(), path, line))
    if findings:
        raise InvalidInput(findings)
    literal.append(text[end:])
    return Template((*parts, ("".join(literal), None)))


def _opens_nothing(text: str, start: int, path: str, line: int) -> Finding:
    rest = text[start : start + _SHOWN + 1].partition("\n")[0]
    return Finding(path, Code.TEMPLATE_SYNTAX, f"`{shorten(rest, _SHOWN)}` opens no field", _TODO, line)
