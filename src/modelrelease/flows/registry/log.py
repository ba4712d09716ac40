"""Who changed what, why and when: the table that a reviewer or an auditor wants, from the commits themselves."""

from __future__ import annotations

from typing import Any

from modelrelease.errors import InvalidInput
from modelrelease.flows.registry.scope import Scope
from modelrelease.git import history
from modelrelease.git.history import Commit
from modelrelease.registry import formats
from modelrelease.registry.formats import KEYS, LOG_SUFFIX, RECORD, is_log, log_of
from modelrelease.registry.judge import counts_text
from modelrelease.registry.logs import Line, missing, read_log
from modelrelease.registry.rows import diff_rows

MAX_COMMITS = 2000


class Entry:
    """One line of the table."""

    __slots__ = ("author", "commit", "date", "path", "reason", "what")

    def __init__(self, date: str, author: str, reason: str, what: str, commit: str, path: str) -> None:
        self.date = date
        self.author = author
        self.reason = reason
        self.what = what
        self.commit = commit
        self.path = path

    def as_json(self) -> dict[str, str]:
        """Return the entry as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


def change_log(scope: Scope, paths: list[str], row: str | None = None) -> list[Entry]:
    """Return the changes of ``paths`` (all governed files where none is named), newest first.

    ``row``: only those that changed the row with this id, each with what it changed there.
    """
    wanted = [path for name in paths for path in (name, log_of(name))]
    found = list(history.commits(scope.git, ["HEAD"], wanted, limit=MAX_COMMITS)) if scope.parents else []
    walk = _Walk(scope, row)
    return [entry for commit in reversed(found) for entry in walk.entries(commit)][::-1]


def changes_until(scope: Scope, end: str, start: str | None) -> tuple[list[Entry], list[Entry]]:
    """Return the changes of governed files in the commits that lead to ``start``, and in those from there to ``end``.

    Both are ids of commits, and both lists oldest first; without ``start`` the first list is empty.
    """
    found = list(history.commits(scope.git, [end], limit=MAX_COMMITS))
    known = history.reachable(scope.git, start) if start is not None else frozenset()
    walk = _Walk(scope, None)
    before: list[Entry] = []
    since: list[Entry] = []
    for commit in reversed(found):
        (before if commit.sha in known else since).extend(walk.entries(commit))
    return before, since


class _Walk:
    """Goes through history from its beginning: which blob stands at each path before and after a commit."""

    def __init__(self, scope: Scope, row: str | None) -> None:
        self.scope = scope
        self.row = row
        self.before: dict[str, str | None] = {}
        self.now: dict[str, str | None] = {}
        self._seen: dict[str, set[tuple[str | None, str | None]]] = {}

    def entries(self, commit: Commit) -> list[Entry]:
        """Return the entries of the next commit."""
        touched = commit.files
        if commit.merge:  # what it brings was changed, and said, on its branches
            touched = {path: oid for path, oid in touched.items() if oid != self.now.get(path)}
        self.before = {path: self.now.get(path) for path in touched}
        self.now.update(commit.files)
        entries: list[Entry] = []
        for path in dict.fromkeys(name.removesuffix(LOG_SUFFIX) if is_log(name) else name for name in touched):
            if self.scope.governs(path):
                entries += self._of_file(commit, path)
        return entries

    def _of_file(self, commit: Commit, path: str) -> list[Entry]:
        state = self.now.get(path), self.now.get(log_of(path))
        seen = self._seen.setdefault(path, set())
        restored = state[0] is not None and state in seen
        seen.add(state)
        try:
            if self.row is not None:
                return _row_entries(self, commit, path, self.row)
            if restored:
                return [_entry(commit, path, {}, "restored")]
            return _entries(self, commit, path)
        except InvalidInput as error:
            return [_entry(commit, path, {}, f"cannot be read: {error.findings[0].message}")]

    def new_lines(self, path: str) -> list[Line]:
        """Return the lines of a file's change log that this commit brings."""
        log = log_of(path)
        if log not in self.before:
            return []
        return missing(_log(self.scope, self.now.get(log), log), _log(self.scope, self.before[log], log))


def _entries(walk: _Walk, commit: Commit, path: str) -> list[Entry]:
    lines = walk.new_lines(path)
    if lines:
        return [_entry(commit, path, line.values, _said(line)) for line in lines]
    if path not in walk.before:
        return [_entry(commit, path, {}, "change log edited")]
    old, new = walk.before[path], walk.now.get(path)
    if new is None:
        return [_entry(commit, path, {}, "deleted")]
    version = _version(walk.scope, new, path)
    earlier = None if old is None else _version(walk.scope, old, path)
    if version is None or version.kind != KEYS:
        return [_entry(commit, path, {}, "added" if old is None else "changed")]
    record = version.record.values if version.record is not None else {}
    if earlier is None:
        what = "added"
    elif earlier.content == version.content:
        what = "record edited" if earlier.record != version.record else "form changed"
    else:
        what = "changed" if earlier.record != version.record else "changed under the same record"
    return [_entry(commit, path, record, what)]


def _version(scope: Scope, oid: str, path: str) -> formats.Governed | None:
    if formats.holds_rows(path):
        return None
    return formats.read_governed(scope.objects.read(oid) or b"", path)


def _log(scope: Scope, oid: str | None, log: str) -> list[Line]:
    return [] if oid is None else read_log(scope.objects.read(oid), log)


def _said(line: Line) -> str:
    values = line.values
    parts = ["deleted"] if values.get("deleted") else []
    if "delta" in values:
        parts.append(counts_text(values["added"], values["changed"], values["removed"]))
    elif "sha256" in values:
        parts.append("changed")
    return ", ".join(parts)


def _row_entries(walk: _Walk, commit: Commit, path: str, row: str) -> list[Entry]:
    if path not in walk.before or not path.lower().endswith((".jsonl", ".csv", ".json")):
        return []
    sides = walk.before[path], walk.now.get(path)
    oids = [oid for oid in sides if oid is not None]
    sizes = walk.scope.objects.sizes(oids) if oids else {}
    old, new = (walk.scope.pieces(oid, sizes) for oid in sides)
    pair = next((pair for pair in diff_rows(old, new, path, keep=row).pairs if pair.id == row), None)
    if pair is None:
        return []
    lines = walk.new_lines(path)
    record: dict[str, Any] = lines[-1].values if lines else {}
    return [_entry(commit, path, record, _row_change(pair.before, pair.after))]


def _row_change(before: Any, after: Any) -> str:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return "added" if before is None else "removed" if after is None else "changed"
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return "; ".join(f"{name}: {_short(before.get(name))} → {_short(after.get(name))}" for name in names[:5])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _entry(commit: Commit, path: str, record: dict[str, Any], what: str) -> Entry:
    """Return an entry; where there is no record, the commit's own author, day and subject stand in brackets."""
    if not all(isinstance(record.get(key), str) for key in RECORD):
        return Entry(commit.day, f"({commit.authors[0].name})", f"({commit.subject})", what, commit.sha[:10], path)
    return Entry(record["date"], record["author"], record["reason"], what, commit.sha[:10], path)
