"""What git has of a version: the commit that it is taken from, and every governed change that led to it."""

from __future__ import annotations

import os
from pathlib import Path

from modelrelease.errors import InvalidInput, ModelreleaseError, Unavailable
from modelrelease.flows.registry.log import Entry, changes_until
from modelrelease.flows.registry.scope import open_git, range_scope
from modelrelease.flows.release.version_place import VersionPlace
from modelrelease.flows.version_history import first_commit
from modelrelease.git import history
from modelrelease.git.process import Git
from modelrelease.git.versions import find_root
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.files import resolved
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.trace import TracedChange, TracedChanges, TracedCommit

MAX_CHANGES = 200


def traced_history(place: VersionPlace, parent: str | None) -> tuple[TracedChanges, TracedCommit | None]:
    """Return the governed changes since the commit that added ``parent``, and the version's own commit.

    Where git cannot tell, the changes say why.
    """
    top = find_root(str(place.project.root))
    if top is None or place.tree is None:
        why = "the version is in no commit yet" if top is not None else "this is no git repository"
        return TracedChanges(since=parent, unknown=why), None
    git = open_git(top, {})
    own = _own_commit(git, place, top)
    try:
        return _changes(git, place, top, parent, own), _commit(git, place, own)
    except (InvalidInput, Unavailable) as error:
        return TracedChanges(since=parent, unknown=_said(error)), None


def _said(error: ModelreleaseError) -> str:
    return error.findings[0].message


def _within(place: VersionPlace, top: str, name: str) -> str:
    """Return a path relative to the repository's top, which the project's root may lie below."""
    return (Path(os.path.relpath(resolved(place.project.root), top)) / name).as_posix()


def _own_commit(git: Git, place: VersionPlace, top: str) -> str:
    """Return the last commit that changed the version's records, the one that is read where none did."""
    assert place.tree is not None
    names = [_within(place, top, f"{place.folder}/{name}") for name in (MODEL_FILE, EVAL_FILE)]
    found = history.commits(git, [place.tree.commit], names, limit=1)
    return next((commit.sha for commit in found), place.tree.commit)


def _commit(git: Git, place: VersionPlace, own: str) -> TracedCommit | None:
    assert place.tree is not None
    sha = place.tree.commit if place.tag is not None else own
    found = next(history.commits(git, [sha], limit=1), None)
    if found is None:
        return None
    return TracedCommit(
        sha=sha,
        at=history.committed_at(git, sha),
        author=found.authors[0].name,
        subject=found.subject,
        tag=place.tag,
    )


def _changes(git: Git, place: VersionPlace, top: str, parent: str | None, own: str) -> TracedChanges:
    if history.is_shallow(git):
        return TracedChanges(since=parent, unknown="this clone is shallow: `git fetch --unshallow` fetches all of it")
    start = None
    if parent is not None:
        models = place.folder.rpartition("/")[0]
        start = first_commit(git, _within(place, top, f"{models}/{parent}"), own)
        if start is None:
            return TracedChanges(since=parent, unknown=f"{parent} is not committed before it")
    scope = range_scope(git, own, own)
    try:
        before, entries = changes_until(scope, own, start)
    finally:
        scope.objects.close()
    shown = tuple(_change(entry) for entry in entries[-MAX_CHANGES:])
    in_force = tuple(_change(entry) for entry in _in_force(before, entries)[-MAX_CHANGES:])
    return TracedChanges(since=parent, in_force=in_force, entries=shown, left_out=len(entries) - len(shown))


def _in_force(before: list[Entry], since: list[Entry]) -> list[Entry]:
    """Return the last change of each file that is still there and did not change since."""
    changed = {entry.path for entry in since}
    last = {entry.path: entry for entry in before if entry.path not in changed}
    return [entry for entry in before if last.get(entry.path) is entry and entry.what != "deleted"]


def _change(entry: Entry) -> TracedChange:
    return TracedChange.model_validate({name: _text(value) for name, value in entry.as_json().items()})


def _text(value: str) -> str:
    """Return text that JSON can hold: a path's bytes need not be UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
