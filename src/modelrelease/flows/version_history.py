"""What git holds between a version and its parent: the governed files that changed, with who and why.

A version's own commit is found by its records, not by a commit that they name: branches are squashed and rebased. Until
they are committed, what is staged counts, which is what their commit will hold: so card and changelog say the same
before it and after it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.flows.governed import without_items
from modelrelease.flows.registry.changes import list_changes
from modelrelease.flows.registry.scope import Scope, index_scope, open_git, range_scope
from modelrelease.git import history, trees
from modelrelease.git.process import Git
from modelrelease.git.versions import find_root
from modelrelease.records.changes import Changes
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.files import resolved
from modelrelease.records.model import MODEL_FILE

INDEX_REF = "index"


@dataclass(frozen=True)
class Since:
    """What changed since the parent; where that is not known, ``unknown`` says why. ``notes``: what is not staged."""

    changes: Changes | None
    unknown: str | None
    notes: tuple[str, ...] = ()


def changes_since(root: Path, folder: str, parent: str, *, texts: bool) -> Since:
    """Return what changed between the commit that added ``parent`` and the one of ``folder``'s records.

    Both are version folders relative to ``root``. ``texts``: whether rows of test sets may be shown. Raises Unavailable
    (MR111) in a shallow clone, where the commit that added a file cannot be told.
    """
    top = find_root(str(root))
    if top is None:
        return Since(None, "not known, since this is no git repository")
    git = open_git(top, {})
    if history.is_shallow(git):
        todo = "fetch all of it: `git fetch --unshallow`, or `fetch-depth: 0` in actions/checkout"
        message = f"when {parent} was added is not known: this clone is shallow"
        raise Unavailable(Finding(folder, Code.HISTORY, message, todo))
    within = Path(os.path.relpath(resolved(root), top))
    start = first_commit(git, (within / parent).as_posix())
    if start is None:
        return Since(None, f"not known, since {Path(parent).name} is not committed")
    end = _last_commit(git, root, within, folder)
    if end is not None and end != start and history.merge_base(git, start, end) == end:
        return Since(None, f"not known, since {Path(parent).name} was committed later")
    scope = index_scope(git, start) if end is None else range_scope(git, start, end)
    try:
        found = list_changes(scope, start, end or INDEX_REF)
        notes = _not_staged(git, scope) if end is None else ()
    finally:
        scope.objects.close()
    return Since(found if texts else without_items(found), None, notes)


def first_commit(git: Git, folder: str, tip: str = "HEAD") -> str | None:
    """Return the first commit, of those that lead to ``tip``, that has a file in ``folder``."""
    if history.commit_id(git, tip) is None:
        return None
    first = None
    for commit in history.commits(git, [tip], [folder]):
        if any(oid is not None for oid in commit.files.values()):
            first = commit.sha
    return first


def _last_commit(git: Git, root: Path, within: Path, folder: str) -> str | None:
    """Return the last commit that changed the version's records; None where they are not committed as they are."""
    names = [(within / folder / name).as_posix() for name in (MODEL_FILE, EVAL_FILE)]
    there = [name for name in names if (Path(git.folder) / name).is_file()]
    if not there or git.ask("diff", "--quiet", "HEAD", "--", *there) is None:
        return None
    tracked = trees.tree_entries(git, "HEAD", there)
    if any(name not in tracked for name in there):
        return None
    return next((commit.sha for commit in history.commits(git, ["HEAD"], there, limit=1)), None)


def _not_staged(git: Git, scope: Scope) -> tuple[str, ...]:
    paths = [path for path in (*trees.unstaged(git), *trees.untracked(git)) if scope.governs(path)]
    todo = "`git add` it, and run this again"
    return tuple(f"{path}: what is not staged is not told of in the changelog; {todo}" for path in dict.fromkeys(paths))
