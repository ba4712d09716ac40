"""Change logs: the record of what cannot hold one. Lines add up, whatever their order.

A line holds `date`, `author`, `reason`, and one of: `added`, `changed`, `removed` and `delta` (rows); `sha256` (files
without rows); `deleted`. A deletion of rows may say both, so that the sum stays right when the file comes back.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.registry.formats import RECORD, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MODULUS = 1 << 256
MAX_NAME = 255
_COUNTS = ("added", "changed", "removed")
_KNOWN = frozenset((*RECORD, *_COUNTS, "delta", "sha256", "deleted"))
_HEX = re.compile(r"[0-9a-f]{64}")
_TODO = "let `modelrelease stamp` write it"


class Line:
    """One line of a change log: ``text`` as canonical JSON, its record, and what it says of the file."""

    __slots__ = ("number", "record", "text", "values")

    def __init__(self, values: dict[str, Any], number: int) -> None:
        self.values = values
        self.number = number
        self.record = Record({key: values[key] for key in RECORD if key in values}, {}, number)
        self.text = line_text(values)

    @property
    def delta(self) -> int | None:
        """The sum of the digests that came minus those that went; None where the line says nothing of rows."""
        return int(self.values["delta"], 16) if "delta" in self.values else None

    @property
    def balance(self) -> int:
        """Rows that came minus rows that went."""
        return int(self.values.get("added", 0)) - int(self.values.get("removed", 0))


def line_text(values: dict[str, Any]) -> str:
    """Return a line's canonical JSON."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_log(data: bytes | None, path: str) -> list[Line]:
    """Return the lines of a change log; empty for None. InvalidInput (MR107, exit 2) with every malformed line."""
    from modelrelease.records.strict_json import BadJson, parse_json_line
    from modelrelease.records.text import decode

    lines: list[Line] = []
    findings: list[Finding] = []
    for number, text in enumerate(decode(data or b"", path).split("\n"), 1):
        if not text.strip():
            continue
        try:
            values = parse_json_line(text)
        except BadJson as error:
            findings += error.at(path, number)
            continue
        problem = _problem(values)
        if problem is None:
            lines.append(Line(values, number))
        else:
            findings.append(Finding(path, Code.LOG_LINE, problem, _TODO, number))
    if findings:
        raise InvalidInput(findings)
    return lines


def _problem(values: Any) -> str | None:
    if not isinstance(values, dict):
        return "a line of a change log is no object"
    unknown = next((key for key in values if key not in _KNOWN), None)
    if unknown is not None:
        return f"a change log has no key `{unknown[:40]}`"
    if not {"delta", "sha256", "deleted"} & set(values):
        return "a line says nothing of the file: no `delta`, `sha256` or `deleted`"
    return _wrong_value(values)


def _wrong_value(values: dict[str, Any]) -> str | None:
    for key in ("delta", "sha256"):
        if key in values and not (isinstance(values[key], str) and _HEX.fullmatch(values[key])):
            return f"`{key}` is not 64 lowercase hex digits"
    for key in _COUNTS:
        count = values.get(key)
        if ("delta" in values) != (key in values):
            return f"`{key}` and `delta` stand together or not at all"
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            return f"`{key}` is no count"
    return None if values.get("deleted", True) is True else "`deleted` is not true"


def missing(lines: Iterable[Line], others: Iterable[Line]) -> list[Line]:
    """Return the lines that do not stand among ``others``; one that stands twice must stand twice there."""
    there = Counter(line.text for line in others)
    out = []
    for line in lines:
        if there[line.text] > 0:
            there[line.text] -= 1
        else:
            out.append(line)
    return out


def newest(lines: Iterable[Line]) -> Line | None:
    """Return the line of the latest date, the last of them in the file; None where there is none."""
    found: Line | None = None
    for line in lines:
        if found is None or str(line.values.get("date", "")) >= str(found.values.get("date", "")):
            found = line
    return found


def delta_of(lines: Iterable[Line]) -> int:
    """Return what ``lines`` add to a dataset's digest, modulo 2**256."""
    return sum(line.delta or 0 for line in lines) % MODULUS


def name_too_long(path: str) -> bool:
    """Return whether a change log's name exceeds what file systems take."""
    return len(path.rsplit("/", 1)[-1].encode("utf-8", "surrogateescape")) > MAX_NAME


class Log:
    """A file's change log in several versions.

    ``new``: as it is to be; ``base``: on the default branch where this one began; ``settled``: all that the default
    branch has by now and this branch has taken over, which nobody edits; ``held``: what a parent of the commit has.
    """

    __slots__ = ("base", "held", "new", "path", "settled")

    def __init__(
        self, path: str, new: list[Line], base: list[Line], held: list[Line], tips: list[Line] | None = None
    ) -> None:
        self.path = path
        self.new = new
        self.base = base
        self.held = held
        later = missing(tips or [], base)
        self.settled = base + [line for line in later if not missing([line], [*held, *new])]

    @property
    def pending(self) -> list[Line]:
        """The lines that the default branch did not have where this one began."""
        return missing(self.new, self.base)
