"""Who changed which governed file in a pull request, and why: what stands beside a comparison and decides nothing."""

from __future__ import annotations

from pathlib import Path

from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.flows.registry.changes import list_changes
from modelrelease.flows.registry.scope import open_git, range_scope
from modelrelease.records.changes import Changes, FileChange
from modelrelease.records.resolution import Resolution


def governed_changes(root: Path, resolution: Resolution, *, texts: bool) -> Changes | None:
    """Return the governed files that differ between merge-base and head; None where the registry cannot read them.

    What is wrong with them is for ``check`` to say. Without ``texts`` rows are named and not shown: they are test
    items, and a comment is read by more people than a test set.
    """
    try:
        scope = range_scope(open_git(str(root), {}), resolution.merge_base, resolution.head)
        try:
            found = list_changes(scope, resolution.merge_base, resolution.head)
        finally:
            scope.objects.close()
    except (InvalidInput, Unavailable):
        return None
    return found if texts else without_items(found)


def without_items(changes: Changes) -> Changes:
    """Return the changes with rows named and not shown."""
    return changes.model_copy(update={"files": tuple(map(_without_texts, changes.files))})


def _without_texts(file: FileChange) -> FileChange:
    if file.rows is None:
        return file
    shown = tuple(row.model_copy(update={"before": None, "after": None}) for row in file.rows.shown)
    return file.model_copy(update={"rows": file.rows.model_copy(update={"shown": shown})})
