"""What changed between two versions of a dataset, row by row: counts, the delta of its digest, and some of the rows."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator

from modelrelease.records.canonical import canonical_bytes
from modelrelease.records.strict_json import BadJson, parse_row, read_json
from modelrelease.records.text import decode
from modelrelease.registry.lines import NEW, differing_lines
from modelrelease.registry.logs import MODULUS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Waiting = tuple[int, Any, int]  # a row whose counterpart has not come yet: digest, value, line

MAX_SHOWN = 50
_BOM = b"\xef\xbb\xbf"

Watch = Callable[[int, bytes, "Any", "BadJson | None"], None]
"""Called with every row that came: its line, its text, its value, and what is wrong with it."""


class RowPair:
    """A row that came, went or changed: its fields before and after, None on the side where it is not."""

    __slots__ = ("after", "before", "id")

    def __init__(self, row_id: str, before: Any, after: Any) -> None:
        self.id = row_id
        self.before = before
        self.after = after


class RowChanges:
    """What changed: counts of rows, the ``delta`` modulo 2**256, and at most ``MAX_SHOWN`` of the rows.

    ``line``: the first line with a row that came or changed; None where there is none, or lines are not rows.
    """

    __slots__ = ("added", "changed", "delta", "line", "pairs", "removed")

    def __init__(
        self, added: int, changed: int, removed: int, delta: int, pairs: list[RowPair], line: int | None = None
    ) -> None:
        self.added = added
        self.changed = changed
        self.removed = removed
        self.delta = delta
        self.pairs = pairs
        self.line = line

    def as_line(self) -> dict[str, Any]:
        """Return the part of a change log's line that says it."""
        counts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        return {**counts, "delta": f"{self.delta:064x}"}


class _Tally:
    """Adds up rows that came and went; a row that only moved cancels out."""

    def __init__(self, keep: str | None = None) -> None:
        self.delta = 0
        self.wanted = keep
        self.changed = 0
        self.line: int | None = None
        self.open: tuple[dict[str, Waiting], dict[str, Waiting]] = {}, {}
        self.pairs: list[RowPair] = []

    def take(self, side: int, value: Any, canonical: bytes, number: int) -> None:
        """Count one row of a side, in line ``number``."""
        digest = int.from_bytes(hashlib.sha256(canonical).digest(), "big")
        self.delta += digest if side == NEW else -digest
        key = _key(value, digest)
        other = self.open[1 - side].pop(key, None)
        if other is None:
            self._keep(side, key, digest, value, number)
        elif other[0] != digest:
            self.changed += 1
            self._mark(number if side == NEW else other[2])
            if key == self.wanted if self.wanted else len(self.pairs) < MAX_SHOWN:
                before, after = (other[1], value) if side == NEW else (value, other[1])
                self.pairs.append(RowPair(key, before, after))

    def _mark(self, number: int) -> None:
        if self.line is None or number < self.line:
            self.line = number

    def _keep(self, side: int, key: str, digest: int, value: Any, number: int) -> None:
        """Wait for the counterpart. Fields are kept of the first rows only; ids that stand twice are told apart."""
        own = self.open[side]
        while key in own:
            key += "\0"
        kept = key == self.wanted or (not self.wanted and len(own) < MAX_SHOWN)
        own[key] = digest, (value if kept else None), number

    def result(self) -> RowChanges:
        went, came = self.open
        counts = len(came), self.changed, len(went)
        if came:
            self._mark(min(row[2] for row in came.values()))
        if self.wanted is not None:
            came, went = ({self.wanted: side[self.wanted]} if self.wanted in side else {} for side in (came, went))
        left = MAX_SHOWN - len(self.pairs)
        pairs = [RowPair(key.rstrip("\0"), None, row[1]) for key, row in _first(came, left)]
        pairs += [RowPair(key.rstrip("\0"), row[1], None) for key, row in _first(went, left - len(pairs))]
        return RowChanges(*counts, self.delta % MODULUS, self.pairs + pairs, self.line)


def _first(rows: dict[str, Waiting], count: int) -> list[tuple[str, Waiting]]:
    return [item for _, item in zip(range(count), rows.items(), strict=False)]


def _key(value: Any, digest: int) -> str:
    found = value.get("id") if isinstance(value, dict) else None
    if isinstance(found, str) and found.strip():
        return found
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else f"#{digest:016x}"[:17]


def diff_rows(
    old: Iterable[bytes], new: Iterable[bytes], path: str, watch: Watch | None = None, keep: str | None = None
) -> RowChanges:
    """Return what changed from ``old`` to ``new``, each a file in pieces, empty where there is none.

    JSONL is compared line by line and only lines that differ are parsed; CSV and JSON lists are read whole. A line
    that is no JSON counts with the digest of its bytes. ``watch`` is told of every row that came; ``keep`` is
    the id of the only row that is wanted among the ``pairs``.
    """
    tally = _Tally(keep)
    for side, number, line in _differing(old, new, path):
        text = line.removesuffix(b"\r")
        try:
            value, canonical = _parsed(text)
        except BadJson as error:
            tally.take(side, None, text, number)
            if watch is not None and side == NEW:
                watch(number, line, None, error)
        else:
            tally.take(side, value, canonical, number)
            if watch is not None and side == NEW:
                watch(number, line, value, None)
    changes = tally.result()
    if path.lower().endswith(".json"):  # a list's rows are numbered, and stand in any line
        changes.line = None
    return changes


def _differing(old: Iterable[bytes], new: Iterable[bytes], path: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield the rows that differ as JSON texts."""
    if path.lower().endswith(".jsonl"):
        for side, number, line in differing_lines(old, new):
            text = line.removeprefix(_BOM) if number == 1 else line
            if text.strip():
                yield side, number, text
    else:
        for side, pieces in enumerate((old, new)):
            for number, text in _whole(b"".join(pieces), path):
                yield side, number, text


def _parsed(line: bytes) -> tuple[Any, bytes]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        from modelrelease.codes import Code
        from modelrelease.errors import Finding

        message = f"byte 0x{line[error.start]:02x} is not UTF-8"
        raise BadJson([Finding("", Code.ENCODING, message, "save the file as UTF-8", 1)]) from error
    return parse_row(text)


def _whole(data: bytes, path: str) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of a CSV file or a JSON list as canonical JSON with their lines."""
    if not data:
        return
    text = decode(data, path)
    if path.lower().endswith(".csv"):
        yield from _csv_rows(text)
        return
    located = read_json(text, path)
    for index, value in enumerate(located.value if isinstance(located.value, list) else [located.value]):
        yield index + 1, canonical_bytes(value)


def _csv_rows(text: str) -> Iterator[tuple[int, bytes]]:
    """A row is an object of strings; one that does not fit the header is a list of them."""
    before = csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        reader = csv.reader(io.StringIO(text, newline="\n"))
        header = next(reader, [])
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                fits = len(cells) == len(header)
                yield line, canonical_bytes(dict(zip(header, cells, strict=True)) if fits else cells)
            line = reader.line_num + 1
    finally:
        csv.field_size_limit(before)
