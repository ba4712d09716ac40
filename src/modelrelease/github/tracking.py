"""Carry the issue's plan out: look, do, look again, until nothing is left to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from modelrelease.github.client import Api, LookAgain, NotFound
from modelrelease.github.issues import Issue, Mine, Step, kept_of, may_touch, plan
from modelrelease.github.sticky import Thread
from modelrelease.github.writing import SETTLE, User, as_written, until_done

NEEDS = "issues: write"

Outcome = Literal["opened", "told", "closed", "updated", "unchanged", "absent"]


@dataclass(frozen=True)
class Tracked:
    """What came of it. ``issue`` is the one that stays, None where there is none.

    ``told``: brought up to date with another outcome than before, and its readers told.
    """

    outcome: Outcome
    issue: Issue | None


class _Issue(BaseModel):
    model_config = ConfigDict(extra="ignore")
    number: int
    user: User | None
    body: str | None = None
    state: str
    html_url: str = ""
    pull_request: dict[str, Any] | None = None


_LIST = TypeAdapter(list[_Issue])


def _made(found: _Issue) -> Issue:
    author = found.user.id if found.user else None
    return Issue(found.number, author, found.body or "", found.state == "open", found.html_url)


def _issue(data: Any) -> Issue:
    return _made(_Issue.model_validate(data))


def _issues(data: Any) -> list[Issue]:
    # To GitHub a pull request is an issue too.
    return [_made(found) for found in _LIST.validate_python(data) if found.pull_request is None]


@dataclass
class Issues:
    """A repository's issues; ``repository`` is ``owner/name``.

    ``creator`` is the login of the user whose issues are asked for: a repository can have more than a list shows.
    """

    api: Api
    repository: str
    creator: str | None = None

    def all(self) -> list[Issue]:
        """Return every issue, open and closed, from all pages."""
        query = {"state": "all", **({"creator": self.creator} if self.creator else {})}
        return list(self.api.pages(self._path(), _issues, needs=NEEDS, query=query))

    def one(self, number: int) -> Issue:
        """Return an issue as it is now."""
        return self.api.get(self._path(number), _issue, needs=NEEDS)

    def open(self, title: str, body: str) -> Issue:
        """Open a new issue."""
        return self.api.write("POST", self._path(), {"title": title, "body": body}, _issue, needs=NEEDS)

    def change(self, number: int, changes: dict[str, str]) -> None:
        """Change what ``changes`` names of an issue."""
        self.api.write("PATCH", self._path(number), changes, _issue, needs=NEEDS)

    def thread(self, number: int) -> Thread:
        """Return the comments under an issue."""
        return Thread(self.api, self.repository, number, NEEDS)

    def _path(self, number: int | None = None) -> str:
        return f"/repos/{self.repository}/issues" + (f"/{number}" if number is not None else "")


def track(
    issues: Issues,
    mine: Mine,
    sleep: Callable[[float], object],
    tell: Callable[[str], object],
    *,
    settle: float = SETTLE,
) -> Tracked:
    """See to it that the issue of ``mine``'s name says what the newest run found.

    Raises Unavailable (exit 3) where GitHub does not let us, or others keep on writing.
    """
    doing = _Doing(issues, mine, tell)

    def turn() -> Tracked | None:
        existing = doing.look()
        kept = kept_of(existing, doing.mine)
        notes = issues.thread(kept.number).all() if kept is not None else []
        steps = [step for step in plan(existing, notes, doing.mine, written=bool(doing.tried)) if not doing.has(step)]
        if not steps:
            return Tracked(doing.outcome if kept is not None else "absent", kept)
        # After a write that may have been done, or whose issue has gone, the steps behind it rest on nothing.
        with contextlib.suppress(LookAgain, NotFound):
            for step in steps:
                doing.do(step)
        return None

    return until_done(turn, sleep, settle, issues.repository, "this issue")


@dataclass
class _Doing:
    """What this run has done, as far as it knows. ``tried`` holds what it asked for, ``noted`` and ``opened`` what
    GitHub has confirmed: a list that is read right after a write may not show it yet.
    """

    issues: Issues
    mine: Mine
    tell: Callable[[str], object]
    tried: set[str] = field(default_factory=set)
    noted: bool = False
    opened: int | None = None

    def look(self) -> list[Issue]:
        found = self.issues.all()
        if self.opened is not None and all(issue.number != self.opened for issue in found):
            found.append(self.issues.one(self.opened))
        return found

    def has(self, step: Step) -> bool:
        return step.action == "note" and self.noted

    def do(self, step: Step) -> None:
        if step.issue is None:
            self.tried.add(step.action)
            made = self.issues.open(self.mine.title, self.mine.body)
            self.opened, self.mine = made.number, as_written(self.mine, made.author, self.tell)
            return
        # It may have changed since the list was read, which takes a while where it is long.
        if not may_touch(self.issues.one(step.issue), self.mine):
            return
        self.tried.add(step.action)
        if step.action == "note":
            self.issues.thread(step.issue).create(self.mine.comment)
            self.noted = True
        else:
            self.issues.change(step.issue, _changes(step, self.mine))

    @property
    def outcome(self) -> Outcome:
        if "open" in self.tried:
            return "opened"
        if "turn" in self.tried:
            return "closed" if self.mine.marker.well else "told"
        return "updated" if self.tried else "unchanged"


def _changes(step: Step, mine: Mine) -> dict[str, str]:
    if step.action == "close":
        text = f"{mine.marker}\nTold in #{step.other}, which another run opened at the same time.\n"
        return {"body": text, "state": "closed", "state_reason": "not_planned"}
    if step.action == "update":
        return {"body": mine.body}
    if mine.marker.well:  # its title goes on to say what it was about
        return {"body": mine.body, "state": "closed", "state_reason": "completed"}
    return {"body": mine.body, "title": mine.title, "state": "open", "state_reason": "reopened"}
