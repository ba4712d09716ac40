"""Is the ledger whole? One commit an event, one file an event, each naming the one before it. Pure.

What is found: an event edited, deleted, reordered, twice or half-written, history rewritten or cut short (by anchors,
which releases left outside), and a fork (by what this clone saw before).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, escape_controls, shorten
from modelrelease.records.ledger import Event
from modelrelease.records.strict_json import read_document
from modelrelease.records.validation import validate
from modelrelease.release.ledger.state import State, after, contradiction, fold

FOLDER = "events"
_TODO = "find out who pushed it; restore the branch from a clone that has it whole, and `ledger verify` again"
_HANDS_OFF = "the ledger is written by modelrelease alone; restore the branch from a clone that has it whole"


@dataclass(frozen=True)
class Changed:
    """A path that a commit changed: ``status`` is git's letter, ``plain`` whether it is an ordinary file there."""

    path: str
    status: str
    plain: bool


@dataclass(frozen=True)
class Link:
    """A commit of the ledger: what it changed, and the bytes of the event's file, None where it has none."""

    commit: str
    parents: tuple[str, ...]
    changed: tuple[Changed, ...]
    data: bytes | None


@dataclass(frozen=True)
class Anchor:
    """A head of the ledger that was written down elsewhere: ``where`` in words, for people."""

    where: str
    commit: str


@dataclass(frozen=True)
class Chain:
    """The events in order, with the commits that hold them, and everything that is wrong with them."""

    events: tuple[Event, ...]
    commits: tuple[str, ...]
    findings: tuple[Finding, ...]

    @cached_property
    def state(self) -> State:
        """What the events add up to."""
        return fold(self.events)

    @property
    def head(self) -> str | None:
        """The commit of the last event."""
        return self.commits[-1] if self.commits else None


def event_path(sequence: int) -> str:
    """Return where an event's file stands."""
    return f"{FOLDER}/{sequence:06d}.json"


def read_chain(branch: str, links: Iterable[Link]) -> Chain:
    """Return the events of ``links`` (oldest first) and what is wrong with them, each located by commit and file.

    Reading stops at the first event that cannot be trusted: what follows it stands on nothing, and is not fetched.
    """
    events: list[Event] = []
    commits: list[str] = []
    before: bytes | None = None
    state = State()
    for number, link in enumerate(links, start=1):
        found = list(_wrong_shape(branch, number, link))
        event = None if found else _event(branch, number, link, found)
        if event is not None:
            found += _wrong_place(branch, number, link, event, before, state)
        if found or event is None:
            return Chain(tuple(events), tuple(commits), tuple(found))
        events.append(event)
        commits.append(link.commit)
        before, state = link.data, after(state, event)
    return Chain(tuple(events), tuple(commits), ())


def missing_anchors(branch: str, chain: Chain, anchors: Iterable[Anchor]) -> list[Finding]:
    """Return a finding for each anchor that names a commit which the ledger does not hold."""
    held = set(chain.commits)
    return [
        Finding(branch, Code.LEDGER_ANCHOR, _absent(anchor), _TODO) for anchor in anchors if anchor.commit not in held
    ]


def unpushed(branch: str, remote: str, here: Chain, there: Chain | None) -> list[Finding]:
    """Return a finding where a clone's own branch ``here`` holds events that its remote's lacks.

    That is left of releases that were made before there was a remote. ``there`` is None where the remote has no ledger;
    where both have gone on, nothing mends it but a person.
    """
    known = set(there.commits) if there is not None else set()
    left = [commit for commit in here.commits if commit not in known]
    if not left:
        return []
    count = f"{len(left)} event{'s' if len(left) > 1 else ''}"
    if there is None or set(here.commits) >= known:
        message = f"holds {count} here that {remote} lacks, since it was begun before there was a remote"
        todo = f"run `git push {remote} refs/heads/{branch}`, and this again"
        return [Finding(branch, Code.LEDGER_UNPUSHED, message, todo)]
    message = f"has forked: this clone's own branch holds {count}, from {left[0][:10]} on, that {remote} lacks"
    todo = (
        f"see `git log {branch}` for what was released by it; once that is settled, keep it under another name: "
        f"`git branch -m {branch} {branch}-before`"
    )
    return [Finding(branch, Code.LEDGER_ANCHOR, message, todo)]


def _absent(anchor: Anchor) -> str:
    commit = escape_controls(shorten(anchor.commit, 64))
    return f"does not hold {commit[:12]}, which {anchor.where} names: history was rewritten, cut short or forked"


def _wrong_shape(branch: str, number: int, link: Link) -> Iterator[Finding]:
    """Yield how a commit is not the addition of one event."""
    where, path = f"{branch}@{link.commit[:10]}", event_path(number)
    if len(link.parents) > 1:
        yield Finding(where, Code.LEDGER_CHAIN, "is a merge: the ledger has forked", _HANDS_OFF)
        return
    others = [change for change in link.changed if change.path != path]
    for change in others[:3]:
        what = {"A": "adds", "D": "deletes", "M": "edits"}.get(change.status, "changes")
        shown = escape_controls(shorten(change.path, 80))
        message = f"{what} {shown}, where event {number} was to be added as {path}"
        yield Finding(where, Code.LEDGER_CHAIN, message, _HANDS_OFF)
    if others:
        return
    own = link.changed[0] if link.changed else None
    if own is None:
        yield Finding(where, Code.LEDGER_CHAIN, "holds no event", _HANDS_OFF)
    elif own.status != "A" or not own.plain or link.data is None:
        yield Finding(where, Code.LEDGER_CHAIN, f"{path} is not added as a plain file", _HANDS_OFF)


def _event(branch: str, number: int, link: Link, found: list[Finding]) -> Event | None:
    """Return the event of a commit; what is wrong with its text goes into ``found``."""
    path = f"{branch}@{link.commit[:10]}:{event_path(number)}"
    try:
        event = validate(Event, read_document(link.data or b"", path))
    except InvalidInput as error:
        found += [Finding(f.path, Code.LEDGER_EVENT, f.message, _HANDS_OFF, f.line) for f in error.findings]
        return None
    if event.to_bytes() != link.data:
        found.append(Finding(path, Code.LEDGER_EVENT, "is not written as modelrelease writes it", _HANDS_OFF))
    return event


def _wrong_place(
    branch: str, number: int, link: Link, event: Event, before: bytes | None, state: State
) -> Iterator[Finding]:
    """Yield how an event does not follow on those before it."""
    path = f"{branch}@{link.commit[:10]}:{event_path(number)}"
    if event.sequence != number:
        message = f"has the sequence {event.sequence}, and is event {number}"
        yield Finding(path, Code.LEDGER_CHAIN, message, _HANDS_OFF)
    previous = hashlib.sha256(before).hexdigest() if before is not None else None
    if event.previous != previous:
        yield Finding(path, Code.LEDGER_CHAIN, "does not name the event before it: one was edited", _HANDS_OFF)
    reason = contradiction(state, event)
    if reason is not None:
        yield Finding(path, Code.LEDGER_STATE, f"cannot have happened: {reason}", _HANDS_OFF)


def next_event(chain: Chain, event: Event) -> Event:
    """Return ``event`` with the sequence and the ``previous`` that it has as the next one of ``chain``."""
    last = chain.events[-1] if chain.events else None
    previous = hashlib.sha256(last.to_bytes()).hexdigest() if last is not None else None
    return Event.model_validate({**dict(event), "sequence": len(chain.events) + 1, "previous": previous})
