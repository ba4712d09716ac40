"""What a stamp writes for one file, worked out from the work tree, the index and the default branch."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused
from modelrelease.flows.registry.examine import sha256_named
from modelrelease.flows.registry.scope import SMALL, Scope
from modelrelease.flows.registry.standing import file_size, read_pieces, work_tree_bytes
from modelrelease.git import history, trees
from modelrelease.git.versions import Tree
from modelrelease.registry import formats
from modelrelease.registry.formats import KEYS, ROWS, Governed, Record, log_of
from modelrelease.registry.log_edit import log_bytes, stamp_log, wanted_rows
from modelrelease.registry.logs import Line, Log, missing, name_too_long, newest, read_log
from modelrelease.registry.record_edit import with_record
from modelrelease.registry.rows import RowChanges, diff_rows
from modelrelease.registry.rules import Authors, check_record

_CHUNK = 1 << 20


class Stamp:
    """What to stamp with: ``reason`` may be None until one is needed, then ``ask`` is called once."""

    def __init__(self, reason: str | None, today: datetime.date, ask: Callable[[], str | None] = lambda: None) -> None:
        self.reason = reason
        self.today = today
        self._ask = ask
        self._asked = False

    def needed(self) -> str | None:
        """Return the reason, asking for it where none was given."""
        if self.reason is None and not self._asked:
            self._asked = True
            self.reason = self._ask()
        return self.reason


class Side:
    """A file of the work tree or of a tree: its bytes (of rows that are many, the first), and all of it in pieces."""

    __slots__ = ("data", "path", "pieces")

    def __init__(self, path: str, data: bytes, pieces: Callable[[], Iterable[bytes]]) -> None:
        self.path = path
        self.data = data
        self.pieces = pieces


class Planner:
    """Works out what a stamp writes for one file."""

    def __init__(self, scope: Scope, stamp: Stamp) -> None:
        self.scope = scope
        self.stamp = stamp
        self.rules = scope.policy.rules
        self._person = history.author_of_next_commit(scope.git)
        self._moved = {delta.path: delta for delta in scope.base_deltas.values()}

    def plan(self, path: str, *, named: bool) -> tuple[str, bytes] | None:
        """Return the path and content to write; None where nothing is to be done. ``named``: it was asked for."""
        new = self._work_side(path)
        old_path = self._moved[path].old_path if path in self._moved else path
        old_path = old_path if self.scope.governs(old_path) else path
        old = self._tree_side(self.scope.base, old_path)
        if new is None and (old is None or old_path != path or self._has_moved(path)):
            return None
        version = None if new is None else self._version(new)
        if version is not None and version.kind == KEYS:
            assert new is not None
            return self._plan_keys(new, version, old, named=named)
        return self._plan_log(path, new, version, old, named=named)

    def _work_side(self, path: str) -> Side | None:
        """Return the work tree's file; of one that is larger than memory should hold, only what it begins with."""
        root = self.scope.git.folder
        size = file_size(root, path)
        if size is not None and size > SMALL and formats.holds_rows(path):
            place = Path(root) / path
            return Side(path, _beginning(place), lambda: read_pieces(place))
        stored = self.scope.new.entry(path)
        if (Path(root) / path).is_dir() and (stored is None or stored.mode != trees.SUBMODULE):
            return None  # a folder took the place of the file, which is gone
        data = work_tree_bytes(root, path)
        if isinstance(data, Finding):
            raise Refused(data)
        return None if data is None else Side(path, data, lambda: (data,))

    def _tree_side(self, tree: Tree | None, path: str) -> Side | None:
        entry = None if tree is None else tree.entry(path)
        if entry is None or entry.mode in (trees.LINK, trees.SUBMODULE):
            return None
        objects = self.scope.objects
        if formats.holds_rows(path) and objects.sizes([entry.oid])[entry.oid] > SMALL:
            return Side(path, objects.head(entry.oid, _CHUNK), lambda: objects.stream(entry.oid))
        data = objects.read(entry.oid) or b""
        return Side(path, data, lambda: (data,))

    def _has_moved(self, path: str) -> bool:
        return any(delta.old_path == path and delta.path != path for delta in self.scope.base_deltas.values())

    def _version(self, side: Side) -> Governed:
        """Return the work tree's version; a file that Git LFS keeps has no rows as far as git is concerned."""
        stored = self._stored(side.path)
        if stored is not None and formats.lfs_oid(stored) is not None:
            return Governed(formats.BYTES, side.data)
        return formats.read_governed(side.data, side.path)

    def _stored(self, path: str) -> bytes | None:
        """Return what the index holds of a file; the beginning where that is much."""
        entry = self.scope.new.entry(path)
        return None if entry is None else self.scope.objects.head(entry.oid, SMALL)

    def _record(self, before: Record | None, path: str, *, needed: bool) -> dict[str, str] | None:
        """Return the record to write; None where there is no reason. Raises Refused where the rules refuse it."""
        reason = self.stamp.needed() if needed else self.stamp.reason
        if reason is None:
            return None
        if self._person is None:
            todo = "set git's user.name and user.email"
            raise Refused(Finding(path, Code.RECORD_AUTHOR, "git does not know who you are", todo))
        record = {"author": self._person.name, "reason": " ".join(reason.split())}
        record["date"] = self.stamp.today.isoformat()
        findings = check_record(
            Record(dict(record), {}, 1), path, self.rules, self.stamp.today, Authors(lambda _: True, None), before
        )
        if findings:
            raise Refused([Finding(path, finding.code, finding.message, finding.todo) for finding in findings])
        return record

    def _plan_keys(self, new: Side, version: Governed, old: Side | None, *, named: bool) -> tuple[str, bytes] | None:
        path, before = new.path, _readable(old)
        unchanged = before is not None and before.content == version.content
        if unchanged and (version.record is not None or not named):
            return None
        replaced = before.record if before is not None else None
        own = version.record if version.record is not None and version.record != replaced else None
        if own is not None and not named and self._is_good(own, path, replaced):
            return None
        record = self._record(replaced, path, needed=True)
        if record is None:
            raise Refused(_no_reason(path))
        edited = with_record(new.data, path, record)
        return None if edited == new.data else (path, edited)

    def _is_good(self, record: Record, path: str, before: Record | None) -> bool:
        """Return whether a record that stands there already passes: it is its author's, and stays."""
        return not check_record(record, path, self.rules, self.stamp.today, None, before)

    def _plan_log(
        self, path: str, new: Side | None, version: Governed | None, old: Side | None, *, named: bool
    ) -> tuple[str, bytes] | None:
        log = log_of(path)
        if name_too_long(log):
            message = "the change log's name is longer than the 255 bytes that file systems take"
            raise Refused(Finding(log, Code.LOG_NAME, message, "give the file a shorter name"))
        current_bytes = work_tree_bytes(self.scope.git.folder, log)
        if isinstance(current_bytes, Finding):
            raise Refused(current_bytes)
        old_path = path if old is None else old.path
        current, lines = read_log(current_bytes, log), self._lines(self.scope.base, old_path)
        held = [line for tree in self.scope.parents for line in self._lines(tree, path)]
        tips = [line for tree in self.scope.tips for line in self._lines(tree, path)]
        whole = Log(log, current, lines, held, tips)
        wanted = self._wanted(new, version, old)
        if wanted is None and named and not current and new is not None:
            wanted = self._wanted(new, version, None)
        last = newest(lines)
        before = last.record if last is not None else None
        own = missing(whole.pending, [*whole.settled, *held])
        good = bool(own) and all(self._is_good(line.record, path, before) for line in own)
        # A line of this commit that passes is brought up to date; its reason is replaced only where it is asked for.
        record = None if good and not named else self._record(before, path, needed=False)
        latest = self._latest(path, new, wanted)
        stamped = stamp_log(whole, wanted, record, latest)
        if stamped.needs_reason:
            record = self._record(before, path, needed=True)
            if record is None:
                raise Refused(_no_reason(path))
            stamped = stamp_log(whole, wanted, record, latest)
        same = [line.values for line in current] == stamped.lines
        return None if same else (log, log_bytes(stamped.lines))

    def _latest(self, path: str, new: Side | None, wanted: dict[str, object] | None) -> RowChanges | None:
        """Return what changed since HEAD, where that is not the base; the base's own changes are ``wanted``."""
        base, head = self.scope.base, self.scope.parents[0] if self.scope.parents else None
        if new is None or head is None or base is None or head.name == base.name or "delta" not in (wanted or {}):
            return None
        side = self._tree_side(head, path)
        return None if side is None else _row_changes(side, new, path)

    def _lines(self, tree: Tree | None, path: str) -> list[Line]:
        return [] if tree is None else read_log(tree.read(log_of(path)), log_of(path))

    def _wanted(self, new: Side | None, version: Governed | None, old: Side | None) -> dict[str, object] | None:
        """Return what the new lines have to say of the file; None where it is what it was."""
        if new is None or version is None:
            changes = None if old is None or not _has_rows(old) else _row_changes(old, None, old.path)
            return {"deleted": True, **(changes.as_line() if changes is not None else {})}
        if version.kind == ROWS:
            return wanted_rows(_row_changes(old, new, new.path), is_new=old is None)
        before = _readable(old)
        if before is not None and before.content == version.content:
            return None
        if old is not None and formats.lfs_oid(old.data) == sha256_named(new.data):
            return None
        stored = self._stored(new.path)
        clean = stored is not None and formats.lfs_oid(stored) is None and _same_text(stored, new.data)
        return {"sha256": sha256_named(stored if clean and stored is not None else new.data)}


def _same_text(stored: bytes, data: bytes) -> bool:
    """Return whether git stores ``data`` with other line ends: what counts is what git stores."""
    return stored == data or stored == data.replace(b"\r\n", b"\n")


def _row_changes(old: Side | None, new: Side | None, path: str) -> RowChanges:
    """Return what changed row by row; a side that has no rows counts as empty."""
    before = old.pieces() if old is not None and _has_rows(old) else ()
    return diff_rows(before, new.pieces() if new is not None else (), path)


def _has_rows(side: Side) -> bool:
    version = _readable(side)
    return version is not None and version.kind == ROWS


def _readable(side: Side | None) -> Governed | None:
    """Return a version that git holds; None where it cannot be read, so that whatever is new is a change."""
    if side is None:
        return None
    try:
        return formats.read_governed(side.data, side.path)
    except InvalidInput:
        return None


def _beginning(place: Path) -> bytes:
    with place.open("rb") as stream:
        return stream.read(_CHUNK)


def _no_reason(path: str) -> Finding:
    todo = 'say why: `modelrelease stamp --reason "…" --add`'
    return Finding(path, Code.RECORD_REASON, "changed, and no reason was given", todo)
