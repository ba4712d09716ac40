"""Carry the sticky comment's plan out: look, do, look again, until nothing is left to do."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.github.client import Api, Forbidden, LookAgain, NotFound
from modelrelease.github.comments import BOT_ID, Comment, Mine, Step, kept_of, may_touch, plan

NEEDS = "pull-requests: write"
# Longer than any writer is likely to take from looking to writing. Whoever looked before we wrote has then written
# too, and the look after it sees that.
SETTLE = 2.0
ROUNDS = 12

Outcome = Literal["created", "updated", "unchanged", "absent"]


@dataclass(frozen=True)
class Posted:
    """What came of it. ``comment`` is the one that stays, None where there is none."""

    outcome: Outcome
    comment: Comment | None


class _User(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: int


class _Comment(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: int
    user: _User | None
    body: str | None = None
    html_url: str = ""


_LIST = TypeAdapter(list[_Comment])


def _comment(data: Any) -> Comment:
    found = _Comment.model_validate(data)
    return Comment(found.id, found.user.id if found.user else None, found.body or "", found.html_url)


def whoami(api: Api) -> int:
    """Return the id of the user whom a personal token belongs to; a job's own bot where GitHub does not say."""
    try:
        return api.get("/user", lambda data: _User.model_validate(data).id, needs="a personal token")
    except Forbidden:
        return BOT_ID


def _comments(data: Any) -> list[Comment]:
    return [_comment(one) for one in _LIST.validate_python(data)]


def _nothing(_: Any) -> None:
    return None


@dataclass
class Thread:
    """The comments under one pull request; ``repository`` is ``owner/name``."""

    api: Api
    repository: str
    number: int

    def all(self) -> list[Comment]:
        """Return every comment, from all pages."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments"
        return list(self.api.pages(path, _comments, needs=NEEDS))

    def one(self, comment: int) -> Comment:
        """Return a comment as it is now."""
        return self.api.get(self._path(comment), _comment, needs=NEEDS)

    def create(self, body: str) -> Comment:
        """Write a new comment."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments"
        return self.api.write("POST", path, {"body": body}, _comment, needs=NEEDS)

    def update(self, comment: int, body: str) -> None:
        """Replace a comment's text."""
        self.api.write("PATCH", self._path(comment), {"body": body}, _comment, needs=NEEDS)

    def delete(self, comment: int) -> None:
        """Remove a comment."""
        self.api.write("DELETE", self._path(comment), None, _nothing, needs=NEEDS)

    def _path(self, comment: int) -> str:
        return f"/repos/{self.repository}/issues/comments/{comment}"


def post(
    thread: Thread,
    mine: Mine,
    sleep: Callable[[float], object],
    tell: Callable[[str], object],
    *,
    create: bool = True,
    settle: float = SETTLE,
) -> Posted:
    """See to it that ``thread`` has one comment of ``mine``'s name, with the newest run's data.

    Raises Unavailable (exit 3) where GitHub does not let us, or others keep on writing.
    """
    outcome: Outcome = "unchanged"
    for _ in range(ROUNDS):
        existing = thread.all()
        steps = plan(existing, mine, create=create, written=outcome != "unchanged")
        if not steps:
            kept = kept_of(existing, mine)
            return Posted(outcome if kept is not None else "absent", kept)
        for step in steps:
            done, mine = _do(thread, step, mine, tell)
            outcome = done if outcome == "unchanged" else outcome
        sleep(settle)
    message, todo = "other runs keep on writing this comment", "run it again when they have ended"
    raise Unavailable(Finding(f"{thread.repository}#{thread.number}", Code.UNAVAILABLE, message, todo))


def _do(thread: Thread, step: Step, mine: Mine, tell: Callable[[str], object]) -> tuple[Outcome, Mine]:
    """Do a step; return what was done, and ``mine`` as the author we turn out to be."""
    if step.comment is None:
        with contextlib.suppress(LookAgain):
            mine = _as_written(mine, thread.create(mine.body), tell)
        return "created", mine
    with contextlib.suppress(LookAgain, NotFound):
        # It may have changed since the list was read, which takes a while where it is long.
        if may_touch(thread.one(step.comment), mine):
            if step.action == "delete":
                thread.delete(step.comment)
            else:
                thread.update(step.comment, mine.body)
                return "updated", mine
    return "unchanged", mine


def _as_written(mine: Mine, made: Comment, tell: Callable[[str], object]) -> Mine:
    if made.author is None or made.author == mine.author:
        return mine
    tell(f"this token writes as user {made.author}: pass --author {made.author} so that the comment is found next time")
    return dataclasses.replace(mine, author=made.author)
