"""One request and its answer, and the table of what answers what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from fakes.hub.auth import Token
    from fakes.hub.repository import Repository
    from fakes.hub.server import FakeHub


class Refusal(Exception):
    """An answer that says no, in the Hub's form: its code and message stand in headers."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        headers = {"X-Error-Message": message, "X-Request-Id": "local"}
        self.answer = Answer({"error": message}, status, {**headers, "X-Error-Code": code} if code else headers)


@dataclass
class Answer:
    """``body`` is JSON, bytes, a file or nothing; ``part`` is the range of the file that is sent."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    part: tuple[int, int] | None = None

    def size(self) -> int:
        """Return how many bytes are to be sent."""
        if isinstance(self.body, Path):
            start, stop = self.part or (0, self.body.stat().st_size)
            return stop - start
        return len(self.plain())

    def plain(self) -> bytes:
        """Return a body that is no file."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass
class Call:
    """A request. ``values`` are the parts of its path by name; ``chunks`` reads its body, once."""

    hub: FakeHub
    method: str
    path: str
    values: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    chunks: Callable[[], Iterator[bytes]]
    token: Token | None = None

    def data(self) -> bytes:
        """Return the whole body; for bodies that are no weights."""
        return b"".join(self.chunks())

    def json(self) -> Any:
        """Return the body as JSON; an empty one is an empty object."""
        return json.loads(self.data() or b"{}")

    def form(self) -> dict[str, list[str]]:
        """Return the body as a form's fields."""
        return parse_qs(self.data().decode())

    def repository(self) -> Repository:
        """Return the repository that the path names; a private one is not there for nobody."""
        name = self.values["name"]
        found = self.hub.repositories.get(name)
        if found is None or (found.private and self.token is None):
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return found


Handler = Callable[[Call], Answer]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []
MODEL = r"/api/models/(?P<name>[^/]+/[^/]+)"


def route(methods: str, pattern: str) -> Callable[[Handler], Handler]:
    """Let a function answer what matches: ``GET|HEAD`` and a pattern of the path as it is sent, still quoted."""

    def enter(handler: Handler) -> Handler:
        ROUTES.extend((method, re.compile(pattern), handler) for method in methods.split("|"))
        return handler

    return enter


def find(method: str, path: str) -> tuple[Handler, dict[str, str]]:
    """Return what answers, and the parts of the path unquoted; 404 where nothing does."""
    for known, pattern, handler in ROUTES:
        if known == method and (match := pattern.fullmatch(path)):
            return handler, {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
    raise Refusal(404, f"no route: {method} {path}")
