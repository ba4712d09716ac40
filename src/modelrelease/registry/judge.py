"""The rule: what changed brings a new change record. Values in, findings out.

Source: docs/registry.md. Three versions are compared: what is new; what it is new against (``base``: the default
branch where the branch began, or HEAD on it); and what the commit's parents hold, whose record may be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.registry.formats import KEYS, Governed, Record, log_of
from modelrelease.registry.logs import Line, Log, delta_of, missing, name_too_long, newest
from modelrelease.registry.rules import STAMP, Authors, check_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime

    from modelrelease.registry.policy import Rules
    from modelrelease.registry.rows import RowChanges

RESTAMP = "run `modelrelease stamp --add`, which brings its numbers up to date"


class Judge:
    """The rules, the day, and who may stand as the author of a path."""

    __slots__ = ("authors", "rules", "today")

    def __init__(self, rules: Rules, today: datetime.date, authors: Callable[[str], Authors | None]) -> None:
        self.rules = rules
        self.today = today
        self.authors = authors

    def check(self, record: Record, path: str, authors: Authors | None, before: Record | None) -> list[Finding]:
        """Return what is wrong with a record; see ``check_record``."""
        return check_record(record, path, self.rules, self.today, authors, before)


class Outcome:
    """What came of one file: findings, and whether its content or only its record changed."""

    __slots__ = ("changed", "findings", "record_only")

    def __init__(self, findings: list[Finding], changed: bool, record_only: bool = False) -> None:
        self.findings = findings
        self.changed = changed
        self.record_only = record_only


def judge_keys(
    path: str, new: Governed, base: Governed | None, taken: Iterable[Record | None], kept: bool, judge: Judge
) -> Outcome:
    """Judge a file that holds its record. ``taken``: records that are on the default branch already; ``kept``: a
    parent of this commit holds the record, so who wrote it has been asked before.
    """
    record = new.record
    if base is not None and base.content == new.content:
        before = base.record
        if record == before:
            return Outcome([], changed=False)
        if record is None:
            return Outcome([_unrecorded(path, "lost its change record", new.line)], changed=False)
        return Outcome(judge.check(record, path, None, None), changed=False, record_only=True)
    if record is None:
        what = "has no change record" if base is None else "changed without a change record"
        return Outcome([_unrecorded(path, what, new.line)], changed=True)
    before = base.record if base is not None else None
    if any(record == other for other in (before, *taken) if other is not None):
        return Outcome([_unrecorded(path, "changed, and its change record did not", record.line)], changed=True)
    authors = None if kept else judge.authors(path)
    return Outcome(judge.check(record, path, authors, before), changed=True)


def judge_rows(path: str, changes: RowChanges | None, log: Log, judge: Judge, *, is_new: bool = False) -> Outcome:
    """Judge a dataset. ``changes``: from base to new, None where the two are the same file."""
    expected = 0 if changes is None else changes.delta
    changed = changes is not None and bool(changes.added or changes.changed or changes.removed or is_new)
    pending = log.pending
    findings = _history(log) + _lines(log, judge)
    counted = [line for line in pending if line.delta is not None]
    if changed and not counted:
        what = "is new" if is_new else "changed"
        said = f"{what} ({describe_rows(changes)}) and {_name(log.path)} has no new line"
        findings.append(_unrecorded(path, said, None if is_new or changes is None else changes.line))
    elif changed or pending:
        balance = 0 if changes is None else changes.added - changes.removed
        if delta_of(pending) != expected or sum(line.balance for line in counted) != balance:
            message = f"its new lines say {_said(counted)}, and {path.rsplit('/', 1)[-1]} has {describe_rows(changes)}"
            line = counted[-1].number if counted else None
            if sum(line.balance for line in counted) == balance:
                message = f"the digest of its new lines is not that of the rows that changed ({describe_rows(changes)})"
            findings.append(Finding(log.path, Code.DOES_NOT_ADD_UP, message, RESTAMP, line))
    return Outcome(findings, changed, record_only=bool(pending) and not changed)


def judge_bytes(path: str, changed: bool, sha256: str, log: Log, judge: Judge, *, is_new: bool = False) -> Outcome:
    """Judge a file without rows; ``sha256`` is that of the bytes git stores, or a Git LFS pointer's."""
    pending = log.pending
    findings = _history(log) + _lines(log, judge)
    named = [line for line in pending if "sha256" in line.values]
    if changed and not named:
        what = "is new" if is_new else "changed"
        findings.append(_unrecorded(path, f"{what} and {_name(log.path)} has no new line", None))
    elif changed and all(line.values["sha256"] != sha256 for line in named):
        message = f"no new line names the sha256 that the file has, {sha256[:12]}…"
        findings.append(Finding(log.path, Code.DOES_NOT_ADD_UP, message, RESTAMP, named[-1].number))
    return Outcome(findings, changed, record_only=bool(pending) and not changed)


def judge_deletion(path: str, log: Log, judge: Judge) -> Outcome:
    """Judge a file that went."""
    findings = _history(log) + _lines(log, judge)
    if not any(line.values.get("deleted") for line in log.pending):
        said = f"was deleted and {_name(log.path)} has no new line that says so"
        findings.append(_unrecorded(path, said, None))
    return Outcome(findings, changed=True)


def judge_standing(path: str, new: Governed, lines: list[Line], judge: Judge) -> list[Finding]:
    """Judge a file as it stands, whatever changed: it has a record, and the record is one."""
    if new.kind == KEYS:
        if new.record is None:
            return [_untaken(path, "has no change record", new.line)]
        return judge.check(new.record, path, None, None)
    if not lines:
        return [_untaken(path, f"has no change record: {_name(log_of(path))} is missing or empty", None)]
    log = log_of(path)
    return [finding for line in lines for finding in _check_line(line, log, judge, None, None)]


def _history(log: Log) -> list[Finding]:
    gone = missing(log.settled, log.new)
    if not gone:
        return []
    reason = str(gone[0].values.get("reason", ""))[:60]
    what = f"{len(gone)} of its lines that {'is' if len(gone) == 1 else 'are'} on the default branch"
    message = f"{what} {'was' if len(gone) == 1 else 'were'} edited or removed (`{reason}`)"
    todo = "bring back the lines: `modelrelease stamp --add` does"
    return [Finding(log.path, Code.LOG_HISTORY, message, todo, None)]


def _lines(log: Log, judge: Judge) -> list[Finding]:
    """Return what is wrong with the records of lines that are new; who wrote one is asked once."""
    if name_too_long(log.path):
        message = "the change log's name is longer than the 255 bytes that file systems take"
        return [Finding(log.path, Code.LOG_NAME, message, "give the file a shorter name")]
    pending = log.pending
    fresh = {id(line) for line in missing(pending, log.held)}
    last = newest(log.base)
    before = last.record if last is not None else None
    out = []
    for line in pending:
        authors = judge.authors(log.path) if id(line) in fresh else None
        out += _check_line(line, log.path, judge, authors, before)
    return out


def _check_line(line: Line, path: str, judge: Judge, authors: Authors | None, before: Record | None) -> list[Finding]:
    return judge.check(line.record, path, authors, before)


def _unrecorded(path: str, what: str, line: int | None) -> Finding:
    return Finding(path, Code.NO_RECORD, what, STAMP, line)


def _untaken(path: str, what: str, line: int | None) -> Finding:
    """A file that stands there and did not change is stamped only where it is named."""
    import shlex

    return Finding(path, Code.NO_RECORD, what, f'run `modelrelease stamp {shlex.quote(path)} --reason "…" --add`', line)


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _said(lines: list[Line]) -> str:
    counts = [sum(int(line.values.get(key, 0)) for line in lines) for key in ("added", "changed", "removed")]
    return counts_text(*counts)


def describe_rows(changes: RowChanges | None) -> str:
    """Return ``3 rows added, 1 changed``."""
    if changes is None:
        return counts_text(0, 0, 0)
    return counts_text(changes.added, changes.changed, changes.removed)


def counts_text(added: int, changed: int, removed: int) -> str:
    """Return counts of rows in words; those that are zero are left out."""
    parts = [(added, "added"), (changed, "changed"), (removed, "removed")]
    said = [(count, word) for count, word in parts if count]
    if not said:
        return "no row changed"
    first = f"{said[0][0]:,} row{'s' if said[0][0] != 1 else ''} {said[0][1]}"
    return ", ".join([first, *(f"{count:,} {word}" for count, word in said[1:])])
