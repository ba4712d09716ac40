"""Datasets of JSONL, CSV or JSON as rows with ids, lines and digests; all that is wrong with one at once."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records.canonical import canonical_bytes
from modelrelease.records.faults import quoted
from modelrelease.records.shown import kind_of, shown
from modelrelease.records.strict_json import BadJson, parse_row, read_json
from modelrelease.records.text import decode, refuse_lfs_pointer

_ID_TODO = "give every row a unique `id`"


@dataclass(frozen=True, slots=True)
class Row:
    """One test case: its id as text, the line on which it begins, its fields, and the digest of all of them."""

    id: str
    line: int
    fields: dict[str, Any]
    digest: str


def read_dataset(data: bytes, path: str) -> list[Row]:
    """Return the rows of a .jsonl, .csv or .json file in order.

    Raises InvalidInput with every finding: MR201-MR204 (see ``read_json`` and ``decode``), MR208 (a row that is no
    object, cells that do not fit the header), MR303 and MR304 (ids), MR305 (no rows), MR403 (a Git LFS pointer).
    """
    suffix = PurePosixPath(path).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        message = f"a dataset cannot have the extension {quoted(suffix)}" if suffix else "a dataset needs an extension"
        raise invalid(path, Code.INVALID_VALUE, message, "use .jsonl, .csv or .json")
    refuse_lfs_pointer(data, path)
    rows = _Rows(path)
    reader(decode(data, path), rows)
    if not rows.rows and not rows.findings:
        rows.note(None, Code.EMPTY_DATASET, "has no rows", "add at least one row")
    if rows.findings:
        raise InvalidInput(rows.findings)
    return rows.rows


def row_id(value: Any) -> str | None:
    """Return a row's id as text, whole numbers in decimal; None where ``value`` cannot be an id."""
    if isinstance(value, str):
        return value if value.strip() else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(slots=True)
class _Rows:
    """Collects rows and findings."""

    path: str
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def note(self, line: int | None, code: Code, message: str, todo: str) -> None:
        self.findings.append(Finding(self.path, code, message, todo, line))

    def add(self, value: Any, canonical: bytes, line: int) -> None:
        """Add the row ``value``, or say why it is none."""
        name = row_id(value.get("id")) if isinstance(value, dict) else None
        if name is None:
            self._refuse(value, line)
        elif name in self.lines:
            message = f"the id {quoted(name)} stands in line {self.lines[name]} and line {line}"
            self.note(line, Code.DUPLICATE_ID, message, _ID_TODO)
        else:
            self.lines[name] = line
            self.rows.append(Row(name, line, value, hashlib.sha256(canonical).hexdigest()))

    def _refuse(self, value: Any, line: int) -> None:
        if isinstance(value, dict):
            found = f"the row's `id` is {shown(value['id'])}" if "id" in value else "the row has no `id`"
            self.note(line, Code.INVALID_ID, found, f"{_ID_TODO}, text or a whole number")
        else:
            self.note(line, Code.INVALID_VALUE, f"a row is {shown(value)}", "make every row an object")


def _read_jsonl(text: str, rows: _Rows) -> None:
    """A row ends at a line feed and nowhere else: U+2028 may stand inside a text."""
    blank = None
    for number, line in enumerate(_lines(text), 1):
        if blank is not None:
            rows.note(blank, Code.SYNTAX, "is a blank line between rows", "remove it")
        blank = None if line.strip() else number  # one at the end of the file is an editor's
        if blank is None:
            try:
                value, canonical = parse_row(line)
            except BadJson as error:
                rows.findings.extend(error.at(rows.path, number))
            else:
                rows.add(value, canonical, number)


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of ``text`` one by one; a list of them, or a StringIO, is a second copy of a large file."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    if start < len(text):
        yield text[start:]


def _read_json_list(text: str, rows: _Rows) -> None:
    located = read_json(text, rows.path)
    if not isinstance(located.value, list):
        message = f"the document is {kind_of(located.value)}"
        raise invalid(rows.path, Code.INVALID_VALUE, message, "make it a list of objects", located.line_of(()))
    for index, value in enumerate(located.value):
        rows.add(value, canonical_bytes(value), located.line_of((index,)))


def _read_csv(text: str, rows: _Rows) -> None:
    with _unlimited_fields(len(text)):
        records = _csv_records(text, rows)
        start, header = next(records, (1, None))
        if header is None or not _check_header(header, start, rows):
            return
        for line, cells in records:
            if len(cells) != len(header):
                message = f"the row has {len(cells)} cells where the header has {len(header)}"
                rows.note(line, Code.INVALID_VALUE, message, "give every row a cell for every column")
            else:
                value = dict(zip(header, cells, strict=True))
                rows.add(value, canonical_bytes(value), line)


def _csv_records(text: str, rows: _Rows) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it starts, up to the first that is not valid CSV."""
    reader = csv.reader(io.StringIO(text, newline="\n"), strict=True)
    blank = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            rows.note(line, Code.SYNTAX, f"is not valid CSV: {error}", "correct the record that starts here")
            return
        if blank is not None:
            rows.note(blank, Code.SYNTAX, "is a blank line between rows", "remove it")
        blank = None if cells else line
        if cells:
            yield line, cells


def _check_header(header: list[str], line: int, rows: _Rows) -> bool:
    """Say what is wrong with the names of the columns; return whether reading on makes sense."""
    before = len(rows.findings)
    for number, name in enumerate(header, 1):
        if not name.strip():
            rows.note(line, Code.INVALID_VALUE, f"column {number} of the header has no name", "name every column")
    for name, count in Counter(header).items():
        if count > 1 and name.strip():
            rows.note(line, Code.DUPLICATE_KEY, f"the header names {quoted(name)} twice", "keep one of them")
    if "id" not in header:
        rows.note(line, Code.INVALID_ID, "the header names no column `id`", _ID_TODO)
    return len(rows.findings) == before


@contextlib.contextmanager
def _unlimited_fields(limit: int) -> Iterator[None]:
    """The csv module refuses cells over 131,072 characters unless told; its limit is the process's."""
    before = csv.field_size_limit()
    csv.field_size_limit(max(before, limit))
    try:
        yield
    finally:
        csv.field_size_limit(before)


_READERS: dict[str, Callable[[str, _Rows], None]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".json": _read_json_list,
}

DATASET_SUFFIXES = frozenset(_READERS)
"""The extensions, in small letters, of files that can be datasets."""
