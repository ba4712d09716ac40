"""One governed file at a time: its versions from git, the rule from the registry. Nothing is kept but findings."""

from __future__ import annotations

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.registry.scope import SMALL, Scope, blob_sizes, entry_of
from modelrelease.git import trees
from modelrelease.registry import formats
from modelrelease.registry.formats import KEYS, ROWS, Governed, Record, log_of
from modelrelease.registry.judge import (
    Judge,
    Outcome,
    judge_bytes,
    judge_deletion,
    judge_keys,
    judge_rows,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.flows.registry.dataset_rows import RowReader
    from modelrelease.flows.registry.restored import Restorer
    from modelrelease.git.trees import Entry
    from modelrelease.git.versions import Tree
    from modelrelease.registry.logs import Line, Log
    from modelrelease.registry.rows import RowChanges

_FORGIVEN = frozenset(
    {Code.NO_RECORD, Code.DOES_NOT_ADD_UP, Code.LOG_HISTORY, Code.RECORD_DATE, Code.RECORD_REASON, Code.RECORD_AUTHOR}
)


class Examiner:
    """Applies the rule to the targets of a scope; ``notes`` say what passed in a way that a reviewer wants to know.

    ``rows``: who else looks at the rows of datasets while they are counted.
    """

    def __init__(self, scope: Scope, judge: Judge, paths: list[str], rows: RowReader | None = None) -> None:
        self.scope = scope
        self.judge = judge
        self.notes: list[str] = []
        self._new = {delta.path: delta for delta in scope.deltas}
        self._new.update({path: delta for path, delta in scope.base_deltas.items() if path not in self._new})
        self._moved = {delta.old_path: delta for delta in scope.base_deltas.values() if delta.old_path != delta.path}
        self._paths = paths
        self._rows = rows
        self._restorer: Restorer | None = None
        datasets = [path for path in paths if path.lower().endswith((".jsonl", ".csv"))]
        self._sizes = blob_sizes(scope, datasets)

    def examine(self, path: str) -> list[Finding]:
        """Return what is wrong with the change of one file."""
        try:
            outcome = self._outcome(path)
        except InvalidInput as error:
            return list(error.findings)
        if outcome.findings and all(finding.code in _FORGIVEN for finding in outcome.findings):
            by = self._restored(path)
            if by is not None:
                self.notes.append(f"{path}: restored, as it was after {by}")
                return []
        if outcome.record_only and not outcome.findings:
            self.notes.append(f"{path}: only its change record was edited")
        return outcome.findings

    def _outcome(self, path: str) -> Outcome:
        new = entry_of(self.scope, path, self._new)
        old, old_path = self._base(path, new)
        if new is None:
            if old is None:
                return Outcome([], changed=False)
            return judge_deletion(path, self._log(path, path), self.judge)
        log = self._new.get(log_of(path))
        refused = not_a_file(path, new) or (not_a_file(log.path, log.new) if log is not None and log.new else None)
        if refused is not None:
            return Outcome([refused], changed=True)
        if old is not None and old.mode in (trees.LINK, trees.SUBMODULE):
            old = None
        return self._content(path, old_path, old, new)

    def _base(self, path: str, new: Entry | None) -> tuple[Entry | None, str]:
        """Return what the base holds of a file, and under which name."""
        delta = self.scope.base_deltas.get(path)
        if delta is None:
            moved = self._moved.get(path)
            if moved is None:
                return new, path
            return (None if self.scope.governs(moved.path) else moved.old), path
        if delta.old_path != path and not self.scope.governs(delta.old_path):
            return None, path
        return delta.old, delta.old_path

    def _content(self, path: str, old_path: str, old: Entry | None, new: Entry) -> Outcome:
        same = old is not None and old.oid == new.oid
        if formats.holds_rows(path):
            pointer = self._pointer(path, new)
            if pointer is None:
                changes = None if same else self._row_changes(path, old, new)
                log = self._log(path, old_path)
                return judge_rows(path, changes, log, self.judge, is_new=old is None)
        data = self.scope.objects.read(new.oid) or b""
        version = formats.read_governed(data, path)
        before = None if old is None else self._version(old, old_path)
        if version.kind == KEYS:
            return self._keys(path, old_path, version, before)
        log = self._log(path, old_path)
        if version.kind == ROWS:
            changes = None if same else self._row_changes(path, old, new)
            return judge_rows(path, changes, log, self.judge, is_new=old is None)
        changed = before is None or before.content is None or before.content != version.content
        return judge_bytes(path, changed, sha256_named(data), log, self.judge, is_new=old is None)

    def _pointer(self, path: str, entry: Entry) -> str | None:
        """Return the sha256 that a dataset's Git LFS pointer names; None for a dataset itself."""
        if self._sizes.get(entry.oid, 0) > SMALL:
            return None
        return formats.lfs_oid(self.scope.objects.read(entry.oid) or b"")

    def _keys(self, path: str, old_path: str, version: Governed, before: Governed | None) -> Outcome:
        record = version.record
        kept = record is not None and any(self._record(tree, path) == record for tree in self._parents())
        taken = [self._record(tree, old_path) for tree in self.scope.tips]
        return judge_keys(path, version, before, taken, kept, self.judge)

    def _parents(self) -> list[Tree]:
        """Return the parents that are not the base itself: what they hold has been asked before."""
        base = self.scope.base
        return [tree for tree in self.scope.parents if base is None or tree.name != base.name]

    def _record(self, tree: Tree, path: str) -> Record | None:
        data = tree.read(path)
        if data is None:
            return None
        try:
            return formats.read_governed(data, path).record
        except InvalidInput:
            return None

    def _version(self, entry: Entry, path: str) -> Governed | None:
        """Return an earlier version; None where it cannot be read, so that whatever is new is a change."""
        try:
            return formats.read_governed(self.scope.objects.read(entry.oid) or b"", path)
        except InvalidInput:
            return None

    def _row_changes(self, path: str, old: Entry | None, new: Entry) -> RowChanges:
        from modelrelease.registry.rows import diff_rows

        if old is not None and self._is_pointer(old):
            old = None
        before, after = (self.scope.pieces(side.oid if side else None, self._sizes) for side in (old, new))
        if self._rows is None or not path.lower().endswith(".jsonl"):
            return diff_rows(before, after, path)
        rules = self._rows.begin(path, old, new, self._sizes)
        changes = diff_rows(before, after, path, rules.take)
        self._rows.end(rules, changes, old, new, self._sizes)
        return changes

    def _is_pointer(self, entry: Entry) -> bool:
        small = self._sizes.get(entry.oid, 0) <= SMALL
        return small and formats.lfs_oid(self.scope.objects.read(entry.oid) or b"") is not None

    def _log(self, path: str, old_path: str) -> Log:
        """Return a file's change log. A renamed file may leave its log behind, or take it along."""
        from modelrelease.registry.logs import Log, missing

        new = self._lines(self.scope.new, path)
        base = self._lines(self.scope.base, path)
        if old_path != path:
            behind = self._lines(self.scope.base, old_path)
            left = self._lines(self.scope.new, old_path)
            base = base + behind
            new = new + missing(left, new)
        held = [line for tree in self._parents() for line in self._lines(tree, path)]
        tips = [line for tree in self.scope.tips for line in self._lines(tree, path)]
        return Log(log_of(path), new, base, held, tips)

    def _lines(self, tree: Tree | None, path: str) -> list[Line]:
        from modelrelease.registry.logs import read_log

        if tree is None:
            return []
        return read_log(tree.read(log_of(path)), log_of(path))

    def _restored(self, path: str) -> str | None:
        """Return the commit after which the file and its log stood as they stand now; None where they never did."""
        if self.scope.history is None:
            return None
        if self._restorer is None:
            from modelrelease.flows.registry.restored import Restorer

            self._restorer = Restorer(self.scope, self._paths)
        return self._restorer.find(path)


def not_a_file(path: str, entry: Entry) -> Finding | None:
    """Return the finding that a link or a submodule stands at ``path``. A link's target is never read."""
    if entry.mode == trees.UNMERGED:
        return Finding(path, Code.NOT_A_FILE, "has conflicts", "resolve them and `git add` it")
    if entry.mode == trees.LINK:
        return Finding(path, Code.NOT_A_FILE, "is a symbolic link", "put the file itself there")
    if entry.mode == trees.SUBMODULE:
        todo = f"take it out of `registry.files` with the pattern `!{path}`, and let its own repository govern it"
        return Finding(path, Code.NOT_A_FILE, "is a submodule, whose files are not in this repository", todo)
    return None


def sha256_named(data: bytes) -> str:
    """Return the sha256 by which a change log names a file without rows: of its bytes, or the one a pointer names."""
    import hashlib

    return formats.lfs_oid(data) or hashlib.sha256(data).hexdigest()
