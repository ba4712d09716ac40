"""Whether a file, with its change log, stands as it stood before: what `git revert` makes needs no new reason."""

from __future__ import annotations

from modelrelease.flows.check import Scope
from modelrelease.git import history
from modelrelease.registry.formats import log_of

MAX_COMMITS = 1000


def find_restored(scope: Scope, revision: str, path: str) -> str | None:
    """Return the commit (and its author) after which ``path`` and its log were what they are now, byte for byte.

    None where they never were. A deletion is never a return to what was: it has to say so.
    """
    log = log_of(path)
    now = _now(scope, path), _now(scope, log)
    if now[0] is None:
        return None
    found: str | None = None
    state: dict[str, str | None] = {path: None, log: None}
    newest_first = list(history.commits(scope.git, [revision], [path, log], limit=MAX_COMMITS))
    for commit in reversed(newest_first):
        state.update(commit.files)
        if (state[path], state[log]) == now:
            found = f"{commit.sha[:10]} by {commit.authors[0].name}"
    return found


def _now(scope: Scope, path: str) -> str | None:
    found = scope.new.entry(path)
    return None if found is None else found.oid
