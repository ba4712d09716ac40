"""A request on its way through a handler, and the answer that comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fakes.github.state import Repository, User, World

DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Answer:
    """What is sent back; ``body`` is a value to be written as JSON, text or bytes sent as they are, or None."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An error as GitHub words it."""

    def __init__(self, status: int, message: str, errors: Sequence[Any] = ()) -> None:
        body: dict[str, Any] = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
        self.answer = Answer(status, {**body, "errors": list(errors)} if errors else body)
        super().__init__(message)


@dataclass(frozen=True)
class Received:
    """The body of a request that is a file: its bytes, or where they are when they are many.

    ``whole`` is False where the connection broke off before all had come that were announced.
    """

    size: int
    sha256: str
    content: bytes | None
    path: Path | None
    whole: bool


@dataclass(frozen=True)
class Call:
    """One request. ``base`` is the server's own address as the client knows it, without a slash at the end."""

    world: World
    user: User
    base: str
    method: str
    path: str
    values: dict[str, str]
    query: dict[str, str]
    body: Any
    accept: str = ""
    received: Received | None = None

    @property
    def repository(self) -> Repository:
        """Return the repository in the path; 404 where there is none that the caller may see."""
        found = self.world.repositories.get(f"{self.values['owner']}/{self.values['repo']}")
        if found is None or (found.private and "contents" not in self.user.permissions):
            raise Refusal(404, "Not Found")
        return found

    def found(self, table: dict[str, Any], name: str) -> Any:
        """Return what a table holds under the value of ``name`` in the path; 404 where nothing."""
        if self.values[name] not in table:
            raise Refusal(404, "Not Found")
        return table[self.values[name]]

    def paged(self, items: Sequence[Any], wrap: Callable[[list[Any]], Any] = list) -> Answer:
        """Return one page of ``items``, with a Link header that leads to the others."""
        size = min(100, max(1, int(self.query.get("per_page", "30"))))
        page = max(1, int(self.query.get("page", "1")))
        last = max(1, -(-len(items) // size))
        links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = ("prev", "first") * (page > 1) + ("next", "last") * (page < last)
        link = ", ".join(f'<{self._address(links[name])}>; rel="{name}"' for name in wanted)
        return Answer(200, wrap(list(items[(page - 1) * size : page * size])), {"Link": link} if link else {})

    def _address(self, page: int) -> str:
        return f"{self.base}{self.path}?{urlencode({**self.query, 'page': page})}"


Handler = Callable[[Call], Answer]
HANDLERS: dict[str, Handler] = {}


def handles(*keys: str) -> Callable[[Handler], Handler]:
    """Register a handler for operations such as ``GET /repos/{owner}/{repo}``; ``R/`` is short for that path."""

    def register(handler: Handler) -> Handler:
        for key in keys:
            HANDLERS[key.replace(" R", " /repos/{owner}/{repo}", 1)] = handler
        return handler

    return register
