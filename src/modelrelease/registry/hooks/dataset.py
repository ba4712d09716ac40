"""Whether the rows of a dataset are valid: strict JSON, ids, the same types from row to row, answers, line ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.records.datasets import row_id
from modelrelease.records.faults import quoted
from modelrelease.records.shown import kind_of, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from modelrelease.records.strict_json import BadJson

MAX_FINDINGS = 1000
TARGETS = ("target", "answer", "expected", "expected_output", "reference", "label", "completion")
_ID = re.compile(rb'"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9]+)')
_ID_TODO = "give every row a unique `id`"
_NUMBERS = {"a whole number": "a number"}


class RowRules:
    """Takes the rows of a dataset one by one, all or only the new ones; ``findings`` is what came of it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.findings: list[Finding] = []
        self.ids: dict[str, int] = {}
        self.numbers: set[int] = set()
        self._kinds: dict[str, tuple[str, int]] = {}
        self._crlf: bool | None = None

    def learn(self, value: Any, number: int, *, crlf: bool) -> None:
        """Take the types and line ends of a row that is not to be judged."""
        self._crlf = crlf if self._crlf is None else self._crlf
        for name, item in value.items() if isinstance(value, dict) else ():
            if item is not None:
                self._kinds.setdefault(name, (_kind(item), number))

    def take(self, number: int, line: bytes, value: Any, error: BadJson | None) -> None:
        """Judge the row on line ``number``; ``error`` is why it is no JSON."""
        if len(self.findings) >= MAX_FINDINGS:
            return
        self.numbers.add(number)
        self._line_end(number, line)
        if error is not None:
            self.findings += error.at(self.path, number)
        elif not isinstance(value, dict):
            self._note(number, Code.INVALID_VALUE, f"a row is {shown(value)}", "make every row an object")
        else:
            self._id(number, value)
            self._types(number, value)
            self._targets(number, value)

    def _note(self, line: int, code: Code, message: str, todo: str) -> None:
        self.findings.append(Finding(self.path, code, message, todo, line))

    def _line_end(self, number: int, line: bytes) -> None:
        crlf = line.endswith(b"\r")
        if self._crlf is None:
            self._crlf = crlf
        elif crlf != self._crlf:
            self._crlf = crlf  # said once for each change, not for each row
            self._note(number, Code.LINE_ENDS, "the line ends change here between LF and CRLF", "save it with LF alone")

    def _id(self, number: int, value: dict[str, Any]) -> None:
        name = row_id(value.get("id"))
        if name is None:
            found = f"the row's `id` is {shown(value['id'])}" if "id" in value else "the row has no `id`"
            self._note(number, Code.INVALID_ID, found, f"{_ID_TODO}, text or a whole number")
        elif name in self.ids:
            self.duplicate(name, self.ids[name], number)
        else:
            self.ids[name] = number

    def duplicate(self, name: str, first: int, second: int) -> None:
        """Note that two rows have the same id."""
        message = f"the id {quoted(name)} stands in line {first} and line {second}"
        self._note(second, Code.DUPLICATE_ID, message, _ID_TODO)

    def _types(self, number: int, value: dict[str, Any]) -> None:
        for name, item in value.items():
            if item is None or name == "id":
                continue
            kind = _kind(item)
            known, first = self._kinds.setdefault(name, (kind, number))
            if kind != known:
                message = f"{quoted(name)} is {kind} here and {known} in line {first}"
                self._note(number, Code.SCHEMA_DRIFT, message, "give a field the same type in every row")

    def _targets(self, number: int, value: dict[str, Any]) -> None:
        for name in TARGETS:
            if name in value and _is_empty(value[name]):
                message = f"`{name}` is {shown(value[name])}"
                self._note(number, Code.EMPTY_TARGET, message, "write the expected answer, or drop the row")


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def _kind(value: Any) -> str:
    kind = kind_of(value)
    return _NUMBERS.get(kind, kind)


def find_ids(pieces: Iterable[bytes], wanted: set[str]) -> list[tuple[str, int]]:
    """Return where rows of a JSONL file have one of the ids ``wanted``: (id, line). Memory is that of a piece.

    Lines are searched for an `id`, and only those where one is found are parsed.
    """
    found: list[tuple[str, int]] = []
    rest, number = b"", 1
    for piece in pieces:
        data = rest + piece
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        _search(data[:end], number, wanted, found)
        number += data.count(b"\n", 0, end)
    _search(rest, number, wanted, found)
    return found


def _search(data: bytes, number: int, wanted: set[str], found: list[tuple[str, int]]) -> None:
    counted = 0
    for match in _ID.finditer(data):
        text = match[1]
        name = text.decode("utf-8", "replace") if not text.startswith(b'"') else _unquoted(text)
        if name not in wanted:
            continue
        start = data.rfind(b"\n", 0, match.start()) + 1
        end = data.find(b"\n", match.start())
        number += data.count(b"\n", counted, start)
        counted = start
        try:
            value = json.loads(data[start : end if end >= 0 else len(data)])
        except ValueError:
            continue
        if isinstance(value, dict) and row_id(value.get("id")) == name and (name, number) not in found[-1:]:
            found.append((name, number))


def _unquoted(text: bytes) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return ""
