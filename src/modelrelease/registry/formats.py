"""Governed files as content and change record, whatever the format."""

from __future__ import annotations

import re

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.change_record import without_record
from modelrelease.records.text import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from modelrelease.records.located import Located

KEYS, ROWS, BYTES = "keys", "rows", "bytes"
LOG_SUFFIX = ".changes.jsonl"
RECORD = ("author", "reason", "date")
# Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_LFS = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:[a-z0-9.-]+ [^\n]+\n)*?oid sha256:([0-9a-f]{64})\n"
)
_FRONT_MATTER = (".prompty", ".prompt", ".md", ".markdown")
_DATA_SUFFIXES = (".jsonl", ".csv")


class Record:
    """A change record as it stands in a file: any value of each key, and the line of each; None where it is missing."""

    __slots__ = ("line", "lines", "values")

    def __init__(self, values: dict[str, Any], lines: dict[str, int], line: int) -> None:
        self.values = values
        self.lines = lines
        self.line = line

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.values == other.values

    __hash__ = None  # type: ignore[assignment]

    def text(self, key: str) -> str | None:
        """Return a value where it is text."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None


class Governed:
    """One version of a governed file.

    ``kind`` says where its record stands: KEYS in the file; ROWS and BYTES in its change log. ``content`` is what
    counts as its content, in canonical form (None for rows, which are compared row by row); ``record`` is KEYS's.
    """

    __slots__ = ("content", "kind", "line", "record")

    def __init__(self, kind: str, content: bytes | None, record: Record | None = None, line: int = 1) -> None:
        self.kind = kind
        self.content = content
        self.record = record
        self.line = line


def log_of(path: str) -> str:
    """Return the path of a file's change log."""
    return path + LOG_SUFFIX


def is_log(path: str) -> bool:
    """Return whether ``path`` is a change log's."""
    return path.endswith(LOG_SUFFIX) and not path.endswith("/" + LOG_SUFFIX)


def holds_rows(path: str) -> bool:
    """Return whether a file of this name is read row by row: JSONL and CSV (a JSON list shows in its content)."""
    return path.lower().endswith(_DATA_SUFFIXES)


def lfs_oid(data: bytes) -> str | None:
    """Return the sha256 that a Git LFS pointer names; None for any other file."""
    found = _LFS.match(data[:1024])
    return found[1].decode("ascii") if found else None


def read_governed(data: bytes, path: str) -> Governed:
    """Return a version of the governed file ``path``.

    Raises InvalidInput (MR201-MR205) where a YAML or JSON file, or front matter, cannot be read, and (MR110) where its
    record stands at two places.
    """
    if lfs_oid(data) is not None:
        return Governed(BYTES, data)
    name = path.lower()
    if name.endswith(_DATA_SUFFIXES):
        return Governed(ROWS, None)
    if name.endswith((".yml", ".yaml")):
        return _from_mapping(_yaml(decode(data, path), path))
    if name.endswith(".json"):
        from modelrelease.records.strict_json import read_json

        located = read_json(decode(data, path), path)
        return Governed(ROWS, None) if isinstance(located.value, list) else _from_mapping(located)
    if name.endswith(_FRONT_MATTER):
        return _from_text(decode(data, path), path)
    return Governed(BYTES, _canonical_text(data, path))


def _yaml(text: str, path: str, first_line: int = 1) -> Located:
    from modelrelease.records.strict_yaml import read_yaml

    return read_yaml(text, path, first_line, opaque_tags=True)


def _canonical_text(data: bytes, path: str) -> bytes:
    """Text without BOM and with plain line ends; what is no text, as it is."""
    try:
        return decode(data, path).encode("utf-8")
    except InvalidInput:
        return data


def _from_mapping(located: Located) -> Governed:
    from modelrelease.records.canonical import canonical_bytes

    value = {} if located.value is None else located.value  # a file that is empty so far can hold a record
    content = canonical_bytes(without_record(value))
    if not isinstance(value, dict):
        return Governed(BYTES, content)
    return Governed(KEYS, content, _record(located), located.line_of(()))


def _from_text(text: str, path: str) -> Governed:
    """Front matter and body; front matter that holds nothing but a record is no content, as in ``read_prompt``."""
    from modelrelease.records.prompt_text import split_front_matter

    front, body, _ = split_front_matter(text, path)
    located = None if front is None else _yaml(front, path, 2)
    if located is None or not (located.value is None or isinstance(located.value, dict)):
        return Governed(BYTES, text.removesuffix("\n").encode("utf-8"))
    from modelrelease.records.canonical import canonical_bytes

    said, plain = without_record(located.value or {}), body.removesuffix("\n")
    content = canonical_bytes({"front_matter": said, "body": plain}) if said else plain.encode("utf-8")
    return Governed(KEYS, content, _record(located), 1)


def _record(located: Located) -> Record | None:
    """Return the record at the top level or under `change`; None where there is no key of one."""
    value = located.value or {}
    top = {key: value[key] for key in RECORD if key in value}
    change = value.get("change")
    if "change" not in value:
        if not top:
            return None
        lines = {key: located.line_of((key,)) for key in top}
        return Record(top, lines, min(lines.values()))
    line = located.line_of(("change",))
    if top:
        raise _misplaced(located, "the change record stands twice, at the top level and under `change`", line)
    if not isinstance(change, dict):
        raise _misplaced(located, "`change` is no mapping of `author`, `reason` and `date`", line)
    unknown = next((key for key in change if key not in RECORD), None)
    if unknown is not None:
        message = f"`change` holds the key `{unknown[:40]}`"
        raise _misplaced(located, message, located.line_of(("change", unknown)))
    return Record(dict(change), {key: located.line_of(("change", key)) for key in change}, line)


def _misplaced(located: Located, message: str, line: int) -> InvalidInput:
    todo = "keep one record: `author`, `reason`, `date`"
    return InvalidInput(Finding(located.path, Code.RECORD_FORM, message, todo, line))
