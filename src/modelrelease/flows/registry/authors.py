"""Who may stand as the author of a change, as git knows them."""

from __future__ import annotations

from modelrelease.flows.registry.scope import Scope
from modelrelease.git import history
from modelrelease.registry.formats import LOG_SUFFIX
from modelrelease.registry.rules import Authors, author_names


class KnownAuthors:
    """Answers for a scope: the author of the commit in the making, or of the range's commits that touch a path."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._own: Authors | None = None
        self._by_path: dict[str, dict[str, None]] | None = None
        self._examples: dict[str, str] = {}

    def __call__(self, path: str) -> Authors:
        """Return who may stand as the author of ``path``, a governed file or its change log."""
        if self._scope.range is None:
            if self._own is None:
                own = _NextCommit(self._scope)
                self._own = Authors(own.accepts, own.example)
            return self._own
        names = self._range().get(path.removesuffix(LOG_SUFFIX), {})
        return Authors(names.__contains__, self._examples.get(path.removesuffix(LOG_SUFFIX)))

    def _range(self) -> dict[str, dict[str, None]]:
        if self._by_path is None:
            self._by_path = {}
            start, end = self._scope.range or ("", "")
            for commit in history.commits(self._scope.git, [f"{start}..{end}"]):
                names = {name for person in commit.authors for name in author_names(person.name, person.email)}
                for path in commit.files:
                    own = path.removesuffix(LOG_SUFFIX)
                    self._by_path.setdefault(own, {}).update(dict.fromkeys(names))
                    self._examples.setdefault(own, commit.authors[0].name)
        return self._by_path


class _NextCommit:
    """The author of the commit in the making; .mailmap is asked only where the name as written does not fit."""

    def __init__(self, scope: Scope) -> None:
        self._git = scope.git
        self._person = history.author_of_next_commit(scope.git)
        self.example = self._person.name if self._person is not None else None

    def accepts(self, name: str) -> bool:
        """Return whether ``name``, in lower case, is the author's."""
        if self._person is None:
            return False
        own = self._person
        return name in author_names(own.name, own.email) or name in self._mapped(own)

    def _mapped(self, own: history.Identity) -> set[str]:
        other = history.mapped(self._git, own)
        return author_names(other.name, other.email)
