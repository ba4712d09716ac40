"""JSON as RFC 8259 has it, and nothing that Python's reader lets through beyond it."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records import faults, json_places
from modelrelease.records.canonical import canonical_bytes
from modelrelease.records.files import read_bytes, refuse_too_large
from modelrelease.records.located import MAX_DEPTH, Located
from modelrelease.records.text import decode, refuse_lfs_pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Above what a comparison of 150 metrics takes with fifty slices and twenty examples each, their texts at their longest
# in any script. Values count more than bytes: each takes some hundred bytes once it is read, and one that is wrong a
# kilobyte more before it is told. Samples and datasets, which grow with their items, are no documents.
MAX_DOCUMENT = 24 << 20
MAX_VALUES = 300_000

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


class BadJson(ValueError):
    """A text that is not strict JSON; ``findings`` name no path, and lines of the text itself."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("\n".join(finding.message for finding in findings))

    def at(self, path: str, first_line: int = 1) -> list[Finding]:
        """Return the findings for a text that begins on ``first_line`` of ``path``."""
        return [finding.at(path, (finding.line or 1) + first_line - 1) for finding in self.findings]


class _Suspect(ValueError):
    """Something is wrong that the scanner of json_places will name."""


def read_json(text: str, path: str) -> Located:
    """Return the document in ``text`` (as ``decode`` gives it), its lines found only when asked for.

    Raises InvalidInput: MR201 (syntax, half characters, nesting), MR203 (duplicate keys), MR204 (NaN,
    Infinity, numbers that are too large), each with its line.
    """
    try:
        return Located(_parse(text), path, partial(json_places.locate, text))
    except BadJson as error:
        raise InvalidInput(error.at(path)) from error


def read_json_file(path: Path) -> Located:
    """Return the document in a file, as ``read_json`` does.

    Raises InvalidInput besides: MR209 (none to read, or larger than ``MAX_DOCUMENT``), MR202 (not UTF-8), MR403 (a
    Git LFS pointer in its place).
    """
    return read_document(read_bytes(path, limit=MAX_DOCUMENT), str(path))


def read_document(data: bytes, path: str) -> Located:
    """Return the document in ``data``, as it stands in ``path`` or in git; raises as ``read_json_file`` does."""
    refuse_too_large(len(data), MAX_DOCUMENT, path)
    if data.count(b",") > MAX_VALUES:  # every value but the first of its list or mapping has one before it
        message = f"holds more than the {MAX_VALUES:,} values that a document may have"
        raise invalid(path, Code.UNREADABLE, message, "take the file that was written, or ask for less in one suite")
    refuse_lfs_pointer(data, path)
    return read_json(decode(data, path), path)


def parse_json_line(line: str) -> Any:
    """Return the value of one line of JSONL; raises BadJson, as strictly as ``read_json``."""
    return _parse(line)


def parse_row(line: str) -> tuple[Any, bytes]:
    """Return the value of one line of JSONL and its canonical JSON; raises BadJson like ``parse_json_line``.

    The plain parser is twice as fast as one that watches for duplicate keys. What it lets through shows
    afterwards: NaN and Infinity cannot be encoded, and a key that was dropped takes its two quotes with it. Only an
    escaped quote, U+0022, would change the count by itself: such lines go the slow way.
    """
    if line.count("[") + line.count("{") <= MAX_DEPTH and r"\u0022" not in line:
        try:
            value, end = _PLAIN.raw_decode(line)
            canonical = canonical_bytes(value)
        except ValueError:
            pass  # the slow way says what it is
        else:
            if end == len(line) and canonical.count(b'"') == line.count('"'):
                return value, canonical
    value = _parse(line)
    return value, canonical_bytes(value)


def _parse(text: str) -> Any:
    line = json_places.line_too_deep(text)
    if line is not None:
        raise BadJson([faults.too_deep("", line)])
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = f"is not valid JSON: {error.msg}"
        raise BadJson([Finding("", Code.SYNTAX, message, "correct it here", error.lineno, error.colno)]) from error
    except ValueError as error:  # _Suspect, or int() that refuses thousands of digits
        raise _diagnosed(text) from error
    if _SURROGATE_ESCAPE.search(text) and _holds_surrogates(value):
        raise _diagnosed(text)
    return value


def _diagnosed(text: str) -> BadJson:
    unknown = Finding("", Code.SYNTAX, "is not valid JSON", "correct it", 1)
    return BadJson(json_places.problems(text, "") or [unknown])


def _holds_surrogates(value: Any) -> bool:
    return faults.SURROGATE.search(json.dumps(value, ensure_ascii=False)) is not None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise _Suspect
    return mapping


def _finite(number: str) -> float:
    if faults.too_large(number):
        raise _Suspect
    return float(number)


def _refuse(constant: str) -> Any:
    raise _Suspect(constant)


_PLAIN = json.JSONDecoder()
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse)
