"""What a range of commits, or what is staged, changes in governed files: the document that `changes` prints."""

from __future__ import annotations

import json
from typing import Any

from modelrelease.errors import InvalidInput, shorten
from modelrelease.flows.registry.scope import Scope, targets
from modelrelease.git import trees
from modelrelease.git.trees import Delta
from modelrelease.records.changes import Changes, FieldChange, FileChange, Recorded, RowChange, RowCounts, Words
from modelrelease.registry import formats
from modelrelease.registry.formats import KEYS, RECORD, ROWS, Governed, log_of
from modelrelease.registry.logs import missing, read_log
from modelrelease.registry.rows import RowChanges, diff_rows
from modelrelease.registry.words import changed_fields

MAX_FILES, MAX_FIELDS, MAX_ROWS, MAX_TEXT = 50, 20, 20, 500


def list_changes(scope: Scope, from_ref: str, to_ref: str) -> Changes:
    """Return what changed in ``scope``, at most ``MAX_FILES`` files of it."""
    paths = targets(scope)
    files = [change for path in paths[:MAX_FILES] if (change := _Lister(scope).change(path)) is not None]
    return Changes(from_ref=from_ref, to_ref=to_ref, files=tuple(files), left_out=max(0, len(paths) - MAX_FILES))


class _Lister:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._deltas = scope.base_deltas

    def change(self, path: str) -> FileChange | None:
        """Return the change of one file; None where only its log was touched and says nothing new."""
        delta = self._deltas.get(path)
        old_path = delta.old_path if delta is not None else path
        records = self._log_records(path, old_path)
        if delta is None:
            return _file(path, None, "record", records=records) if records else None
        try:
            return self._content(path, delta, records)
        except InvalidInput as error:
            return _file(path, delta, _kind(delta), records=records, problem=error.findings[0].message)

    def _content(self, path: str, delta: Delta, records: tuple[Recorded, ...]) -> FileChange:
        old, new = self._version(delta.old, delta.old_path), self._version(delta.new, path)
        if new is None or isinstance(new, str):
            return _file(path, delta, _kind(delta), records=records, problem=new if isinstance(new, str) else None)
        if (
            new.kind == KEYS
            and new.record is not None
            and (old is None or isinstance(old, str) or old.record != new.record)
        ):
            records = (*records, *_recorded(new.record.values))
        if new.kind == ROWS:
            changes = self._rows(path, delta)
            kind = (
                _kind(delta) if changes.added or changes.changed or changes.removed or delta.old is None else "record"
            )
            return _file(path, delta, kind, records=records, rows=_row_counts(changes))
        before = old if isinstance(old, Governed) else None
        fields = _fields(before, new)
        kind = _kind(delta) if fields or delta.old is None or delta.old_path != path else "record"
        return _file(path, delta, kind, records=records, fields=fields)

    def _version(self, entry: trees.Entry | None, path: str) -> Governed | str | None:
        """Return a version; text where it is none that can be read, None where there is no file."""
        if entry is None:
            return None
        if entry.mode in (trees.LINK, trees.SUBMODULE):
            return "is a link" if entry.mode == trees.LINK else "is a submodule"
        if formats.holds_rows(path):
            head = self.scope.objects.head(entry.oid, 1024)
            return Governed(ROWS, None) if formats.lfs_oid(head) is None else Governed(formats.BYTES, head)
        return formats.read_governed(self.scope.objects.read(entry.oid) or b"", path)

    def _rows(self, path: str, delta: Delta) -> RowChanges:
        sides = [side.oid if side is not None else None for side in (delta.old, delta.new)]
        sizes = self.scope.objects.sizes([oid for oid in sides if oid is not None])
        old, new = (self.scope.pieces(oid, sizes) for oid in sides)
        return diff_rows(old, new, path)

    def _log_records(self, path: str, old_path: str) -> tuple[Recorded, ...]:
        log = log_of(path)
        try:
            new = read_log(self.scope.new.read(log), log)
            base = read_log(self.scope.base.read(log_of(old_path)), log) if self.scope.base is not None else []
        except InvalidInput:
            return ()
        return tuple(record for line in missing(new, base) for record in _recorded(line.values))


def _file(path: str, delta: Delta | None, kind: Any, **more: Any) -> FileChange:
    old = delta.old_path if delta is not None and delta.old_path != path else None
    return FileChange(path=_shown(path), old_path=None if old is None else _shown(old), kind=kind, **more)


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _kind(delta: Delta) -> str:
    if delta.old is None or delta.new is None:
        return "added" if delta.old is None else "deleted"
    renamed = delta.old_path != delta.path and delta.old.oid == delta.new.oid
    return "renamed" if renamed else "changed"


def _recorded(values: dict[str, Any]) -> tuple[Recorded, ...]:
    if not all(isinstance(values.get(key), str) for key in RECORD):
        return ()
    return (Recorded(**{key: shorten(values[key], MAX_TEXT) for key in RECORD}),)


def _fields(before: Governed | None, after: Governed) -> tuple[FieldChange, ...]:
    """Return the fields that differ; a file that is new is shown by its records, not by all of its words."""
    if before is None:
        return ()
    changed = changed_fields(_value(before), _value(after))
    found = [item for _, item in zip(range(MAX_FIELDS), changed, strict=False)]
    return tuple(
        FieldChange(
            field=name, words=tuple(Words.model_validate({"kind": k, "text": shorten(t, MAX_TEXT)}) for k, t in words)
        )
        for name, words in found
    )


def _value(version: Governed) -> Any:
    """Return a document's content, or a text's lines."""
    content = version.content or b""
    if version.kind == KEYS:
        try:
            return json.loads(content)
        except ValueError:  # a body with nothing but a record before it
            pass
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"bytes": f"{len(content):,} bytes"}


def _row_counts(changes: RowChanges) -> RowCounts:
    shown = tuple(_row(pair.id, pair.before, pair.after) for pair in changes.pairs[:MAX_ROWS])
    return RowCounts(added=changes.added, changed=changes.changed, removed=changes.removed, shown=shown)


def _row(name: str, before: Any, after: Any) -> RowChange:
    old, new = (_as_fields(side) for side in (before, after))
    if old is not None and new is not None:
        same = {key for key in old if old[key] == new.get(key)}
        old = {key: text for key, text in old.items() if key not in same}
        new = {key: text for key, text in new.items() if key not in same}
        return RowChange(id=shorten(name, 100), kind="changed", before=old, after=new)
    return RowChange(id=shorten(name, 100), kind="added" if old is None else "removed", before=old, after=new)


def _as_fields(row: Any) -> dict[str, str] | None:
    if row is None:
        return None
    fields = row.items() if isinstance(row, dict) else [("value", row)]
    shown = [(key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) for key, value in fields]
    return {shorten(str(key), 100): shorten(text, MAX_TEXT) for key, text in shown[:MAX_FIELDS]}
