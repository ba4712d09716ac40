"""The rows of one dataset, read from git, against what a valid row is."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, invalid
from modelrelease.flows.registry.hooks import Changes
from modelrelease.flows.registry.scope import SMALL
from modelrelease.git.trees import Entry
from modelrelease.records.datasets import read_dataset
from modelrelease.records.strict_json import BadJson, parse_json_line, read_json
from modelrelease.records.text import decode
from modelrelease.registry import formats
from modelrelease.registry.hooks.dataset import RowRules, find_ids
from modelrelease.registry.hooks.leakage import TestTexts
from modelrelease.registry.rows import RowChanges, diff_rows

_SEED_ROWS = 100


def check_dataset(changes: Changes, path: str) -> list[Finding]:
    """Return what is wrong with a dataset's rows: the new ones of JSONL, all of them elsewhere."""
    if path in changes.row_findings:  # the rows were looked at when they were counted
        return changes.row_findings[path]
    entry, old = changes.new[path], changes.old.get(path)
    scope = changes.scope
    sizes = scope.objects.sizes([side.oid for side in (entry, old) if side is not None])
    if sizes[entry.oid] <= SMALL and formats.lfs_oid(changes.read(path)) is not None:
        return []
    if not path.lower().endswith(".jsonl"):
        return _check_whole(changes, path)
    reader = RowReader(changes)
    rules = reader.begin(path, old, entry, sizes)
    before = scope.pieces(old.oid if old is not None else None, sizes)
    found = diff_rows(before, scope.pieces(entry.oid, sizes), path, rules.take)
    reader.end(rules, found, old, entry, sizes)
    return changes.row_findings[path]


class RowReader:
    """Judges the rows of JSONL while they are counted, so that a large dataset is read once for both."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def begin(self, path: str, old: Entry | None, new: Entry, sizes: dict[str, int]) -> RowRules:
        """Return the rules that take each new row; they know the types and line ends of the rows that stand there."""
        rules = RowRules(path)
        if old is not None:
            _learn(rules, self._changes.scope.pieces(new.oid, sizes))
        return rules

    def end(self, rules: RowRules, found: RowChanges, old: Entry | None, new: Entry, sizes: dict[str, int]) -> None:
        """Keep what was found. A new id may stand in a row that did not change: only then the file is searched."""
        if old is not None and found.added:
            for name, line in find_ids(self._changes.scope.pieces(new.oid, sizes), set(rules.ids)):
                if line not in rules.numbers:
                    rules.duplicate(name, line, rules.ids[name])
        self._changes.row_findings[rules.path] = sorted(rules.findings, key=lambda finding: finding.line or 0)


def _learn(rules: RowRules, pieces: Iterable[bytes]) -> None:
    """Take the types of a field from the first rows, so that a new row is held against what stands already."""
    for number, line in itertools.islice(_lines(pieces), _SEED_ROWS):
        try:
            rules.learn(parse_json_line(line.decode("utf-8")), number, crlf=line.endswith(b"\r"))
        except (BadJson, UnicodeDecodeError):
            continue


def _lines(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    rest, number = b"", 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            number += 1
            yield number, line
    if rest:
        yield number + 1, rest


def _check_whole(changes: Changes, path: str) -> list[Finding]:
    data = changes.read(path)
    if path.lower().endswith(".json") and not _holds_objects(read_json(decode(data, path), path).value):
        return []
    rules = RowRules(path)
    for row in read_dataset(data, path):
        rules.take(row.line, b"", row.fields, None)
    return rules.findings


def _holds_objects(value: object) -> bool:
    """Return whether a JSON document is a list of rows, and not a prompt, or a list of words or numbers."""
    return isinstance(value, list) and (not value or any(isinstance(item, dict) for item in value))


def find_leaks(changes: Changes, path: str, training: str) -> list[Finding]:
    """Return the rows of a dataset that also stand in the training set ``training``, a JSONL or text file."""
    data = changes.read(path)
    if path.lower().endswith(".jsonl"):
        rows: Iterable[tuple[int, object]] = ((number, _value(line)) for number, line in _lines([data]) if line.strip())
    else:
        rows = ((row.line, row.fields) for row in read_dataset(data, path))
    texts = TestTexts(path, rows)
    place = Path(training)
    if not place.is_file():
        raise invalid(training, Code.UNREADABLE, "does not exist", "name the training set, JSONL or text")
    with place.open("rb") as stream:
        for number, line in _lines(iter(lambda: stream.read(1 << 20), b"")):
            texts.meet(number, _value(line))
    return list(texts.findings(training))


def _value(line: bytes) -> object:
    """Return a line's JSON, or the line itself where it is none: training sets are also plain text."""
    text = line.decode("utf-8", "replace")
    try:
        return parse_json_line(text)
    except BadJson:
        return text
