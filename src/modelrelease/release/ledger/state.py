"""What the events add up to: which versions are released, revoked or on their way, and what each stage names. Pure.

Promotions and rollbacks are events folded into state; taking one back is a new event (as iterative/gto does it).
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field, replace

from modelrelease.records.ledger import Event

Place = tuple[str, str]
"""A target and the name of a stage there."""


@dataclass(frozen=True)
class State:
    """Folded events. ``released``: the receipt of each version by (target, version); ``open``: intents without one.

    ``announced``: the last intent of each, with a receipt or without. ``live``: the event that last moved a stage, by
    (target, stage). ``revoked``: by (target, version), where it had been released; it holds everywhere, see
    :meth:`revocation`.
    """

    released: dict[Place, Event] = field(default_factory=dict)
    open: dict[Place, Event] = field(default_factory=dict)
    announced: dict[Place, Event] = field(default_factory=dict)
    live: dict[Place, Event] = field(default_factory=dict)
    revoked: dict[Place, Event] = field(default_factory=dict)
    overrides: tuple[Event, ...] = ()

    def live_version(self, target: str, stage: str) -> str | None:
        """Return the version that a stage names, None where nothing was released to it yet."""
        event = self.live.get((target, stage))
        return event.version if event is not None else None

    def revocation(self, version: str) -> Event | None:
        """Return the event that revoked a version's name, at whatever target and with whatever checkpoint."""
        return next((event for (_, name), event in self.revoked.items() if name == version), None)

    def barred(self, version: str, digest: str, prompts: Set[str]) -> Event | None:
        """Return the event that revoked a version, or another one that it would bring back; None where it may be used.

        It would where it has the revoked one's checkpoint and, unchanged, every prompt that was published with that.
        ``prompts`` are the digests of its own. Weights that are shared are no reason: what was wrong may have been a
        prompt.
        """
        return self.revocation(version) or next(
            (
                event
                for place, event in self.revoked.items()
                if event.model_digest == digest and self._prompts(place) <= prompts
            ),
            None,
        )

    def _prompts(self, place: Place) -> frozenset[str]:
        intent = self.announced.get(place)
        return intent.release.prompts if intent is not None and intent.release is not None else frozenset()

    def accepted(self, version: str, digest: str, day: str) -> dict[str, Event]:
        """Return the overrides in force on ``day`` (as ``YYYY-MM-DD``) for one version's digest, by ``task/metric``."""
        return {
            event.override.metric: event
            for event in self.overrides
            if event.override is not None
            and (event.version, event.model_digest) == (version, digest)
            and day <= event.override.until
        }


def fold(events: Iterable[Event]) -> State:
    """Return what ``events``, in order, add up to."""
    state = State()
    for event in events:
        state = after(state, event)
    return state


def after(state: State, event: Event) -> State:
    """Return the state with one more event."""
    version, stage = (event.target, event.version), (event.target, event.stage)
    if event.kind == "intent":
        known = {**state.announced, version: event}
        return replace(state, open={**state.open, version: event}, announced=known)
    if event.kind == "override":
        return replace(state, overrides=(*state.overrides, event))
    if event.kind == "revoked":
        return replace(state, revoked={**state.revoked, version: event})
    moved = replace(state, live={**state.live, stage: event})
    if event.kind == "released":
        still = {place: intent for place, intent in state.open.items() if place != version}
        return replace(moved, released={**state.released, version: event}, open=still)
    return moved


def contradiction(state: State, event: Event) -> str | None:
    """Return why ``event`` cannot follow on ``state``, None where it can."""
    place = (event.target, event.version)
    known = state.released.get(place)
    if event.kind == "intent" and known is not None:
        return f"{event.version} is released already"
    if event.kind == "released":
        return _wrong_receipt(state, event, known)
    if event.kind in {"rolled-back", "rolled-forward", "revoked"} and known is None:
        return f"{event.version} was never released to {event.target}"
    if known is not None and known.model_digest != event.model_digest:
        return f"{event.version} was released with another checkpoint digest"
    if event.kind in {"rolled-back", "rolled-forward"} and place in state.revoked:
        return f"{event.version} was revoked"
    return _wrong_move(state, event)


def _wrong_receipt(state: State, event: Event, known: Event | None) -> str | None:
    if known is not None:
        return f"{event.version} has a receipt already"
    intent = state.open.get((event.target, event.version))
    if intent is None or event.receipt is None or intent.sequence != event.receipt.intent:
        return f"{event.version} has no intent that this is the receipt of"
    if intent.model_digest != event.model_digest:
        return f"{event.version} was announced with another checkpoint digest"
    return _wrong_move(state, event)


def _wrong_move(state: State, event: Event) -> str | None:
    was = state.live_version(event.target, event.stage)
    if event.kind == "revoked" and was == event.version:
        return f"{event.version} is what {event.stage} names"
    if event.move is not None and event.move.before != was:
        return f"{event.stage} named {was or 'nothing'} before it, not {event.move.before or 'nothing'}"
    return None
