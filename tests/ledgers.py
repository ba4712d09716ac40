"""Events as they may follow each other, for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from modelrelease.records.ledger import (
    Event,
    EventKind,
    Move,
    Override,
    Person,
    Receipt,
    ReleasedFile,
    ReleaseFacts,
)

TARGET, STAGE = "file://releases", "production"
ADA = Person(name="Ada Lovelace", email="ada@example.org", login=None)
COMMIT = "c" * 40


def digest(version: str) -> str:
    """Return a checkpoint's digest, as it might be."""
    return f"{sum(version.encode()):064x}"


def event(kind: EventKind, version: str, **more: Any) -> Event:
    """Return an event as a flow makes it: the first of a ledger until it is put into one."""
    facts: dict[str, Any] = {
        "sequence": 1, "previous": None, "kind": kind, "at": "2026-03-04T05:06:07+00:00", "by": ADA, "run_url": None,
        "version": version, "model_digest": digest(version), "target": TARGET, "stage": STAGE,
    }  # fmt: skip
    return Event(**{**facts, **more})


def intent(version: str, **more: Any) -> Event:
    """Return the announcement of a release."""
    weights = ReleasedFile(path="model.safetensors", size=9, sha256="1" * 64, blob=None)
    facts = ReleaseFacts(
        tag=version, git_sha=COMMIT, files=(weights,), eval_sha256="2" * 64, comparison_sha256="3" * 64,
        decision="promote", summary="pick/acc is better", bootstrap=False, baseline=None, policy_ref="main",
        policy_digest="4" * 64,
    )  # fmt: skip
    return event("intent", version, release=facts, **more)


def released(version: str, number: int, before: str | None, **more: Any) -> Event:
    """Return the receipt of a release that event ``number`` announced."""
    receipt = Receipt(intent=number, target_commit=COMMIT, target_tag=version, github_release=None)
    return event("released", version, receipt=receipt, move=Move(before=before, after=version), **more)


def moved(kind: EventKind, version: str, before: str | None, **more: Any) -> Event:
    """Return a rollback, or the way forward again."""
    return event(kind, version, move=Move(before=before, after=version), **{"reason": "Answers are cut off", **more})


def override(version: str, metric: str, until: str, **more: Any) -> Event:
    """Return the acceptance of a loss."""
    reason = "The old items were wrong"
    return event("override", version, override=Override(metric=metric, until=until), reason=reason, **more)


def revoked(version: str, **more: Any) -> Event:
    """Return the end of a version."""
    return event("revoked", version, reason="It repeats what it was trained on", **more)
