"""The issue about a live version that no longer reproduces: how it is known again, and what is to be done.

All decisions, no effects. A model's name has one issue. Its text is always the newest run's; its readers are told by
a note under it, and it is opened or closed, only when the outcome becomes another one. Between two outcomes it is
people's: what they close stays closed, what they reopen stays open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from modelrelease.github.comments import Comment, Run, same_text
from modelrelease.records.reproduction import REPRODUCED, Outcome

Standing = Literal[Outcome, "not-run"]
"""What a reproduction came to; ``not-run`` where it could not be made."""

_WORD = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}|-"
_MARKER = re.compile(
    rf"<!-- modelrelease:reproduction name=(?P<name>{_WORD}) version=(?P<version>{_WORD})"
    rf" outcome=(?P<outcome>{'|'.join([*get_args(Outcome), 'not-run'])})"
    r" run=(?P<id>[0-9]{1,19})\.(?P<attempt>[0-9]{1,9}) -->"
)


@dataclass(frozen=True)
class Marker:
    """The hidden first line of the issue and of the notes under it. ``name`` tells a repository's models apart."""

    name: str | None
    version: str | None
    outcome: Standing
    run: Run

    def __str__(self) -> str:
        """Return the line, without its end."""
        about = f"name={self.name or '-'} version={self.version or '-'} outcome={self.outcome}"
        return f"<!-- modelrelease:reproduction {about} run={self.run.id}.{self.run.attempt} -->"

    @property
    def well(self) -> bool:
        """Say whether it reproduces."""
        return self.outcome in REPRODUCED

    def says_the_same_as(self, other: Marker) -> bool:
        """Say whether a reader who knows the one learns nothing from the other."""
        if self.well or other.well:
            return self.well and other.well
        return (self.outcome, self.version) == (other.outcome, other.version)


def read_marker(body: str) -> Marker | None:
    """Return the marker at the very beginning of an issue or a note; anywhere else it is a quotation."""
    match = _MARKER.match(body)
    if match is None:
        return None
    name, version = (None if match[part] == "-" else match[part] for part in ("name", "version"))
    outcome = next(one for one in (*get_args(Outcome), "not-run") if one == match["outcome"])
    return Marker(name, version, outcome, Run(int(match["id"]), int(match["attempt"])))


@dataclass(frozen=True)
class Issue:
    """An issue as GitHub has it. ``author`` is a user's id, None where the account is gone."""

    number: int
    author: int | None
    body: str
    is_open: bool
    url: str = ""


@dataclass(frozen=True)
class Mine:
    """What this run wants to be read: the issue's title and text, and the note for when the outcome is another one."""

    marker: Marker
    title: str
    markdown: str
    note: str
    author: int

    @property
    def body(self) -> str:
        """Return the issue's whole text."""
        return f"{self.marker}\n{self.markdown}"

    @property
    def comment(self) -> str:
        """Return the note's whole text."""
        return f"{self.marker}\n{self.note}"


@dataclass(frozen=True)
class Step:
    """One thing to do. ``issue`` is the number it is done to, None for a new one.

    ``open``: open the issue; ``note``: write the note under it; ``turn``: its text, its title, and open or closed as
    the outcome asks; ``update``: its text; ``close``: it is the double of ``other``.
    """

    action: Literal["open", "note", "turn", "update", "close"]
    issue: int | None = None
    other: int | None = None


def plan(existing: Sequence[Issue], notes: Sequence[Comment], mine: Mine, *, written: bool = False) -> list[Step]:
    """Return what is still to be done, in this order; nothing when all is as it should be.

    ``notes`` are the comments under the issue that stays. ``written``: this run has written already, so another text
    under its own number is a later one, of another step.
    """
    kept = kept_of(existing, mine)
    if kept is None:
        return [] if mine.marker.well else [Step("open")]
    doubles = [
        Step("close", issue.number, kept.number)
        for issue in existing
        if issue.is_open and issue is not kept and may_touch(issue, mine)
    ]
    return [*_steps(kept, notes, mine, written), *doubles]


def _steps(kept: Issue, notes: Sequence[Comment], mine: Mine, written: bool) -> list[Step]:
    said = _marker(kept, mine)
    if said is None or mine.marker.run < said.run:
        return []
    # The note comes before the text: whoever is stopped between them leaves a text that asks for the rest.
    told = _told(notes, mine) or said
    steps = [] if told.says_the_same_as(mine.marker) else [Step("note", kept.number)]
    if not said.says_the_same_as(mine.marker):
        return [*steps, Step("turn", kept.number)]
    later = said.run < mine.marker.run or (not written and not same_text(kept.body, mine.body))
    return [*steps, Step("update", kept.number)] if later and not mine.marker.well else steps


def kept_of(existing: Sequence[Issue], mine: Mine) -> Issue | None:
    """Return the issue that stays: an open one, of these the newest run's, of these the first."""
    ours = {issue: marker for issue in existing if (marker := _marker(issue, mine)) is not None}
    return max(ours, key=lambda issue: (issue.is_open, ours[issue].run, -issue.number)) if ours else None


def may_touch(issue: Issue, mine: Mine) -> bool:
    """Say whether an issue, as it is now, is one that this run may change."""
    marker = _marker(issue, mine)
    return marker is not None and marker.run <= mine.marker.run


def _marker(text: Issue | Comment, mine: Mine) -> Marker | None:
    marker = read_marker(text.body) if text.author == mine.author else None
    return marker if marker is not None and marker.name == mine.marker.name else None


def _told(notes: Sequence[Comment], mine: Mine) -> Marker | None:
    """What the newest of our notes says."""
    ours = [(marker.run, note.id, marker) for note in notes if (marker := _marker(note, mine)) is not None]
    return max(ours, key=lambda one: one[:2])[2] if ours else None
