"""Carry the sticky comment's plan out: look, do, look again, until nothing is left to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from modelrelease.github.client import Api, LookAgain, NotFound
from modelrelease.github.comments import Comment, Mine, Step, kept_of, may_touch, plan
from modelrelease.github.writing import SETTLE, User, as_written, until_done

NEEDS = "pull-requests: write"

Outcome = Literal["created", "updated", "unchanged", "absent"]


@dataclass(frozen=True)
class Posted:
    """What came of it. ``comment`` is the one that stays, None where there is none."""

    outcome: Outcome
    comment: Comment | None


class _Comment(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: int
    user: User | None
    body: str | None = None
    html_url: str = ""


_LIST = TypeAdapter(list[_Comment])


def _comment(data: Any) -> Comment:
    found = _Comment.model_validate(data)
    return Comment(found.id, found.user.id if found.user else None, found.body or "", found.html_url)


def _comments(data: Any) -> list[Comment]:
    return [_comment(one) for one in _LIST.validate_python(data)]


def _nothing(_: Any) -> None:
    return None


@dataclass
class Thread:
    """The comments under one pull request or issue; ``repository`` is ``owner/name``."""

    api: Api
    repository: str
    number: int
    needs: str = NEEDS

    def all(self) -> list[Comment]:
        """Return every comment, from all pages."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments"
        return list(self.api.pages(path, _comments, needs=self.needs))

    def one(self, comment: int) -> Comment:
        """Return a comment as it is now."""
        return self.api.get(self._path(comment), _comment, needs=self.needs)

    def create(self, body: str) -> Comment:
        """Write a new comment."""
        path = f"/repos/{self.repository}/issues/{self.number}/comments"
        return self.api.write("POST", path, {"body": body}, _comment, needs=self.needs)

    def update(self, comment: int, body: str) -> None:
        """Replace a comment's text."""
        self.api.write("PATCH", self._path(comment), {"body": body}, _comment, needs=self.needs)

    def delete(self, comment: int) -> None:
        """Remove a comment."""
        self.api.write("DELETE", self._path(comment), None, _nothing, needs=self.needs)

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

    def turn() -> Posted | None:
        nonlocal outcome, mine
        existing = thread.all()
        steps = plan(existing, mine, create=create, written=outcome != "unchanged")
        if not steps:
            kept = kept_of(existing, mine)
            return Posted(outcome if kept is not None else "absent", kept)
        for step in steps:
            done, mine = _do(thread, step, mine, tell)
            outcome = done if outcome == "unchanged" else outcome
        return None

    return until_done(turn, sleep, settle, f"{thread.repository}#{thread.number}", "this comment")


def _do(thread: Thread, step: Step, mine: Mine, tell: Callable[[str], object]) -> tuple[Outcome, Mine]:
    """Do a step; return what was done, and ``mine`` as the author we turn out to be."""
    if step.comment is None:
        with contextlib.suppress(LookAgain):
            mine = as_written(mine, thread.create(mine.body).author, tell)
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
