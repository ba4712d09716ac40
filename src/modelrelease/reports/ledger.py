"""The ledger as text: one line an event, and whether it is whole."""

from __future__ import annotations

from collections.abc import Sequence

from modelrelease.errors import escape_controls, shorten
from modelrelease.records.ledger import Event, Person

_WIDTH = 60


def ledger_table(events: Sequence[Event]) -> str:
    """Return the events as a table, newest first; what people wrote is shortened and made harmless."""
    from tabulate import tabulate

    rows = [
        [event.sequence, event.at[:16].replace("T", " "), event.kind, _version(event), who(event.by), _said(event)]
        for event in reversed(events)
    ]
    return tabulate(rows, headers=["", "at (UTC)", "what", "version", "who", "why"], disable_numparse=True) + "\n"


def who(person: Person) -> str:
    """Return how a person is shown: GitHub's login where it ran there, else git's name."""
    return _plain(person.login or person.name or person.email or "unknown", 24)


def _version(event: Event) -> str:
    if event.move is not None and event.move.before is not None and event.move.before != event.move.after:
        return f"{event.move.before} → {event.move.after}"
    return event.version


def _said(event: Event) -> str:
    if event.override is not None:
        return _plain(f"{event.override.metric} until {event.override.until}: {event.reason}", _WIDTH)
    if event.reason is not None:
        return _plain(event.reason, _WIDTH)
    if event.release is not None:
        return _plain(event.release.summary, _WIDTH)
    return f"receipt of {event.receipt.intent}" if event.receipt is not None else ""


def _plain(text: str, width: int) -> str:
    return shorten(escape_controls(text), width)
