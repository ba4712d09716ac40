"""The sticky comment: how it is known again, and what has to be done so that there is one with the newest data.

All decisions, no effects. GitHub has no compare-and-swap for comments, so writers agree by a rule that each of them
can apply to what it sees: the newest run's comment stays, the oldest of these where one run left several, and nobody
touches what a newer run wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from modelrelease.records.comparison import Decision

BOT_ID = 41898282
"""The numeric id of github-actions[bot], in whose name a job's own token writes. A job cannot ask for it."""

Mode = Literal["always", "changes", "failures", "never"]
_MARKER = re.compile(
    r"<!-- modelrelease:comment name=(?P<name>[A-Za-z0-9][A-Za-z0-9_.-]{0,99}|-)"
    r" run=(?P<id>[0-9]{1,19})\.(?P<attempt>[0-9]{1,9}) sha=(?P<sha>[0-9a-f]{40,64}|-) -->"
)


@dataclass(frozen=True, order=True)
class Run:
    """A workflow run and its attempt; GitHub counts both upwards. ``Run(0, 0)`` is a person's machine."""

    id: int = 0
    attempt: int = 0


@dataclass(frozen=True)
class Marker:
    """The hidden first line of a comment. ``name`` tells the models of one repository apart."""

    name: str | None
    run: Run
    sha: str | None

    def __str__(self) -> str:
        """Return the line, without its end."""
        run = f"{self.run.id}.{self.run.attempt}"
        return f"<!-- modelrelease:comment name={self.name or '-'} run={run} sha={self.sha or '-'} -->"


def read_marker(body: str) -> Marker | None:
    """Return the marker at the very beginning of a comment; anywhere else it is a quotation."""
    match = _MARKER.match(body)
    if match is None:
        return None
    name, sha = (None if match[part] == "-" else match[part] for part in ("name", "sha"))
    return Marker(name, Run(int(match["id"]), int(match["attempt"])), sha)


@dataclass(frozen=True)
class Comment:
    """A comment as GitHub has it. ``author`` is a user's id, None where the account is gone."""

    id: int
    author: int | None
    body: str
    url: str = ""


@dataclass(frozen=True)
class Mine:
    """What this run wants to be read. ``author`` is the id that its token writes as."""

    marker: Marker
    markdown: str
    author: int

    @property
    def body(self) -> str:
        """Return the whole text of the comment."""
        return f"{self.marker}\n{self.markdown}"


@dataclass(frozen=True)
class Step:
    """One thing to do. ``comment`` is the id it is done to, None for a new one."""

    action: Literal["create", "update", "delete"]
    comment: int | None = None


def plan(existing: Sequence[Comment], mine: Mine, *, create: bool = True, written: bool = False) -> list[Step]:
    """Return what is still to be done, nothing when all is as it should be.

    ``create``: a comment is made where none is; without it only one that is there is brought up to date. ``written``:
    this run has written already, so another text under its own number is a later one, of another step.
    """
    ours = _ours(existing, mine)
    if not ours:
        return [Step("create")] if create else []
    kept = max(ours, key=lambda comment: (ours[comment], -comment.id))
    run = mine.marker.run
    steps = [Step("delete", other.id) for other in ours if other is not kept and ours[other] <= run]
    if ours[kept] < run or (ours[kept] == run and not written and not same_text(kept.body, mine.body)):
        return [Step("update", kept.id), *steps]
    return steps


def may_touch(comment: Comment, mine: Mine) -> bool:
    """Say whether a comment, as it is now, is one that this run may change or remove."""
    return any(run <= mine.marker.run for run in _ours([comment], mine).values())


def kept_of(existing: Sequence[Comment], mine: Mine) -> Comment | None:
    """Return the comment that stays."""
    ours = _ours(existing, mine)
    return max(ours, key=lambda comment: (ours[comment], -comment.id)) if ours else None


def _ours(existing: Sequence[Comment], mine: Mine) -> dict[Comment, Run]:
    found = {comment: read_marker(comment.body) for comment in existing if comment.author == mine.author}
    return {comment: marker.run for comment, marker in found.items() if marker and marker.name == mine.marker.name}


def same_text(one: str, other: str) -> bool:
    """Say whether two texts are one but for their line ends."""
    # Somebody who saved it in a browser gave it that browser's line ends.
    return one.replace("\r\n", "\n").rstrip() == other.replace("\r\n", "\n").rstrip()


def intent(mode: Mode, decision: Decision | None) -> Literal["write", "refresh", "nothing"]:
    """Return what a mode asks for: ``refresh`` only brings a comment up to date that is there, so that it never lies.

    ``decision`` is None where nothing was decided. ``changes`` makes no comment where nothing had to be compared,
    ``failures`` only for what blocks or was not decided.
    """
    if mode == "never":
        return "nothing"
    quiet = {"always": set[str](), "changes": {"not-needed"}, "failures": {"not-needed", "promote"}}
    return "refresh" if decision in quiet[mode] else "write"
