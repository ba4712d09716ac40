"""The ledger as text: one line an event, and whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelrelease.errors import escape_controls, shorten
from modelrelease.records.ledger import Event, Person, ReleaseFacts

_WHO, _WHY, _NAME = 24, 60, 60


def ledger_table(events: Sequence[Event], *, whole: bool = False) -> str:
    """Return all events as a table, newest first; what people wrote is harmless, and shortened unless ``whole``."""
    from tabulate import tabulate

    facts = {event.sequence: event.release for event in events}

    def row(event: Event) -> list[str]:
        by, why = _name(event.by), _said(event, facts)
        shown = (by, why) if whole else (shorten(by, _WHO), shorten(why, _WHY))
        return [str(event.sequence), event.at[:16].replace("T", " "), event.kind, _version(event), *shown]

    rows = [row(event) for event in reversed(events)]
    return tabulate(rows, headers=["", "at (UTC)", "what", "version", "who", "why"], disable_numparse=True) + "\n"


def who(person: Person) -> str:
    """Return how a person is shown: GitHub's login where it ran there, else git's name."""
    return shorten(_name(person), _NAME)


def _name(person: Person) -> str:
    return escape_controls(person.login or person.name or person.email or "unknown")


def _version(event: Event) -> str:
    if event.move is not None and event.move.before is not None and event.move.before != event.move.after:
        return f"{event.move.before} → {event.move.after}"
    return event.version


def _said(event: Event, facts: Mapping[int, ReleaseFacts | None]) -> str:
    """Why it was done; a release for what its announcement says was decided."""
    if event.override is not None:
        return escape_controls(f"{event.override.metric} until {event.override.until}: {event.reason}")
    if event.reason is not None:
        return escape_controls(event.reason)
    release = event.release or (facts.get(event.receipt.intent) if event.receipt is not None else None)
    return escape_controls(release.summary) if release is not None else ""
