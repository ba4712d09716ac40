"""Whether a file, with its change log, stands as it stood before: what `git revert` makes needs no new reason."""

from __future__ import annotations

from modelrelease.flows.registry.scope import Scope
from modelrelease.git import history
from modelrelease.git.history import Commit
from modelrelease.registry.formats import log_of

MAX_COMMITS = 1000
MAX_PATHS = 200


class Restorer:
    """Knows the latest versions of files and their logs; history is read once, when it is first asked for."""

    def __init__(self, scope: Scope, paths: list[str]) -> None:
        self._scope = scope
        self._paths = paths
        self._versions: dict[str, list[tuple[int, str | None]]] | None = None
        self._commits: list[Commit] = []
        self._now: dict[str, str] = {}

    def find(self, path: str) -> str | None:
        """Return the latest commit after which ``path`` and its log were what they are now, and its author.

        None where they never were, byte for byte. A deletion is never a return to what was: it has to say so.
        """
        versions = self._read()
        log = log_of(path)
        now = self._now.get(path), self._now.get(log)
        if now[0] is None:
            return None
        state: dict[str, str | None] = {path: None, log: None}
        found: int | None = None
        events = sorted((at, name, oid) for name in (path, log) for at, oid in versions.get(name, ()))
        for number, (at, name, oid) in enumerate(events):
            state[name] = oid
            is_last_of_commit = number + 1 == len(events) or events[number + 1][0] != at
            if is_last_of_commit and (state[path], state[log]) == now:
                found = at
        if found is None:
            return None
        commit = self._commits[found]
        return f"{commit.sha[:10]} by {commit.authors[0].name}"

    def _read(self) -> dict[str, list[tuple[int, str | None]]]:
        if self._versions is None:
            self._versions = {}
            self._now = {path: entry.oid for path, entry in self._scope.new.entries().items()}
            wanted = [name for path in self._paths for name in (path, log_of(path))]
            within = wanted if len(self._paths) <= MAX_PATHS else None
            revision = self._scope.history or "HEAD"
            newest_first = history.commits(self._scope.git, [revision], within, limit=MAX_COMMITS)
            self._commits = list(newest_first)[::-1]
            for at, commit in enumerate(self._commits):
                for path, oid in commit.files.items():
                    self._versions.setdefault(path, []).append((at, oid))
        return self._versions
