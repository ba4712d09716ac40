"""What our writers of comments and issues have in common: who they write as, and that they look again until it is done.

GitHub has no compare-and-swap, and a lost answer does not say whether the write was done. So nobody repeats a write:
whoever is not sure looks at what is there, and does what is then still missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.github.client import Api, Forbidden
from modelrelease.github.comments import BOT_ID

# Longer than any writer is likely to take from looking to writing. Whoever looked before we wrote has then written
# too, and the look after it sees that.
SETTLE = 2.0
ROUNDS = 12

T = TypeVar("T")


@dataclass(frozen=True)
class Author:
    """Who a token writes as. ``login`` is None where only the id is known."""

    id: int
    login: str | None = None


BOT = Author(BOT_ID, "github-actions[bot]")


class User(BaseModel):
    """A user, as answers name one."""

    model_config = ConfigDict(extra="ignore")
    id: int
    login: str | None = None


def whoami(api: Api) -> Author:
    """Return the user whom a personal token belongs to; a job's own bot where GitHub does not say."""
    try:
        user = api.get("/user", User.model_validate, needs="a personal token")
    except Forbidden:
        return BOT
    return Author(user.id, user.login)


def until_done(
    turn: Callable[[], T | None], sleep: Callable[[float], object], settle: float, where: str, what: str
) -> T:
    """Take turns, ``settle`` seconds apart, until one has nothing left to do and returns what came of it.

    Raises Unavailable (exit 3) where others keep on writing ``what``, which stands at ``where``.
    """
    for _ in range(ROUNDS):
        if (done := turn()) is not None:
            return done
        sleep(settle)
    message, todo = f"other runs keep on writing {what}", "run it again when they have ended"
    raise Unavailable(Finding(where, Code.UNAVAILABLE, message, todo))


class _Authored(Protocol):
    @property
    def author(self) -> int:
        """The id of the user that writes."""


_Mine = TypeVar("_Mine", bound=_Authored)


def as_written(mine: _Mine, author: int | None, tell: Callable[[str], object]) -> _Mine:
    """Return ``mine`` as the author that GitHub says wrote it: not every token can ask who it is."""
    if author is None or author == mine.author:
        return mine
    tell(f"this token writes as user {author}: pass --author {author} so that it is found next time")
    return dataclasses.replace(mine, author=author)  # type: ignore[type-var]
