"""Who wrote a version's commit and who let its release run, as GitHub tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Review:
    """Somebody's answer to a run that waited for it.

    People are told apart by ``user_id``: a login can be given up and taken by somebody else. It is None where the
    account is gone. ``environments`` are the names of those that the answer was for. ``bot``: a program answered.
    """

    user_id: int | None
    login: str
    state: Literal["approved", "rejected", "pending"]
    environments: tuple[str, ...]
    bot: bool = False


@dataclass(frozen=True)
class CommitAuthor:
    """Somebody who has a part in a commit. ``user_id`` is None where GitHub knows no account of the e-mail address.

    ``name`` is what the commit says, for people.
    """

    user_id: int | None
    name: str
    role: Literal["author", "committer", "co-author"]
    commit: str
