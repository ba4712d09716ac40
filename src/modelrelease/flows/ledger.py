"""The ledger as a project has it: read whole and checked before anything is believed, extended one event at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, Unavailable
from modelrelease.git import append_only
from modelrelease.git.append_only import Branch, Raced
from modelrelease.git.remotes import remote_of
from modelrelease.records.ledger import Event
from modelrelease.release.ledger.chain import (
    Anchor,
    Chain,
    Changed,
    Link,
    event_path,
    missing_anchors,
    next_event,
    read_chain,
    unpushed,
)
from modelrelease.release.ledger.state import State, contradiction

MAX_EVENT = 4 << 20
"""Bytes; an intent lists the files of a release, two hundred bytes each."""

_TRIES = 8
_WAIT = "another run writes to the ledger all the time; run this again when it has ended"


@dataclass(frozen=True)
class Ledger:
    """A ledger that was read and found whole."""

    branch: Branch
    chain: Chain

    @property
    def events(self) -> tuple[Event, ...]:
        """The events, oldest first."""
        return self.chain.events

    @property
    def head(self) -> str | None:
        """The commit of the newest event, None while there is none."""
        return self.chain.head

    @property
    def state(self) -> State:
        """What the events add up to."""
        return self.chain.state


def ledger_branch(root: Path, name: str | None, *, offline: bool = False) -> Branch:
    """Return where the ledger of the model ``name`` is kept: on origin, or in this repository where it has none.

    ``offline``: what this clone saw last instead of what origin has.
    """
    branch = f"modelrelease/{name}/ledger" if name else "modelrelease/ledger"
    return Branch(root, branch, remote_of(root), offline)


def inspect_ledger(branch: Branch, anchors: Iterable[Anchor] = ()) -> tuple[Ledger, list[Finding]]:
    """Return the ledger as far as it can be trusted, and everything that is wrong with it.

    A branch that stands here alone, where there is a remote, is the ledger that was never pushed; saying so is better
    than to begin a second one.
    Raises Unavailable (exit 3) where its remote does not answer.
    """
    before = append_only.seen(branch)
    tip = append_only.fetch(branch)
    chain = read_chain(branch.name, _links(branch, tip)) if tip is not None else Chain((), (), ())
    own = append_only.unpushed(branch, tip)
    left: list[Finding] = []
    if own is not None and not chain.findings:
        here = read_chain(branch.name, _links(branch, own))
        left = unpushed(branch.name, branch.remote or "", here, chain if tip is not None else None)
        chain = here if left and tip is None else chain
    known = [Anchor("what this clone saw before", before)] if before is not None else []
    findings = [*chain.findings, *left]
    if not chain.findings:
        findings += missing_anchors(branch.name, chain, [*known, *anchors])
    return Ledger(branch, chain), findings


def known_ledger(root: Path, name: str | None) -> tuple[Ledger, list[Finding]]:
    """Return the ledger of the model ``name`` as this clone has it, and what is wrong with it; no remote is asked.

    That is what was fetched from origin, else what this clone saw last, else a local branch.
    """
    branch = ledger_branch(root, name, offline=True)
    refs = (f"refs/remotes/origin/{branch.name}", branch.seen, f"refs/heads/{branch.name}")
    tip = next((commit for ref in refs if (commit := git.commit_of(root, ref)) is not None), None)
    chain = read_chain(branch.name, _links(branch, tip)) if tip is not None else Chain((), (), ())
    return Ledger(branch, chain), list(chain.findings)


def open_ledger(branch: Branch) -> Ledger:
    """Return the ledger; Refused (exit 1) where it is not whole, Unavailable where its remote does not answer."""
    ledger, findings = inspect_ledger(branch)
    if findings:
        raise Refused(findings)
    if ledger.head is not None:
        append_only.remember(branch, ledger.head)
    return ledger


def append_event(ledger: Ledger, make: Callable[[Ledger], Event | None]) -> Ledger:
    """Add the event that ``make`` makes of the ledger as it stands; None where nothing is to be added any more.

    ``make`` is asked again where somebody else's event came first: what it saw then may no longer allow its own, which
    it says by raising. Its event needs neither sequence nor ``previous``: they are set here. Raises what ``make``
    raises, Refused (exit 1) where the event contradicts those before it, and Unavailable (exit 3) where the remote
    fails or the race cannot be won.
    """
    for _ in range(_TRIES):
        event = make(ledger)
        if event is None:
            return ledger
        reason = contradiction(ledger.state, event)
        if reason is not None:
            todo = "see `modelrelease ledger log`"
            raise Refused(Finding(ledger.branch.name, Code.LEDGER_STATE, f"cannot take this event: {reason}", todo))
        event = next_event(ledger.chain, event)
        path, message = event_path(event.sequence), f"{event.sequence:06d} {event.kind} {event.version}\n"
        with contextlib.suppress(Raced):
            append_only.append(ledger.branch, ledger.head, path, event.to_bytes(), message)
        ledger = open_ledger(ledger.branch)
        if event in ledger.events:
            return ledger
    raise Unavailable(Finding(ledger.branch.name, Code.LEDGER_RACED, "was written to by others each time", _WAIT))


def _links(branch: Branch, tip: str) -> Iterator[Link]:
    """Yield the commits, each with its file where it has just one: whoever may push can push any number of others."""
    with append_only.contents(branch, MAX_EVENT) as content:
        for link in append_only.history(branch, tip):
            changed = tuple(Changed(change.path, change.status, change.blob is not None) for change in link.changes)
            blob = link.changes[0].blob if len(link.changes) == 1 else None
            yield Link(link.commit, link.parents, changed, content(blob) if blob is not None else None)
