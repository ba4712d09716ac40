"""Which versions a revocation keeps away: by name everywhere, by content where it would bring the same back."""

from __future__ import annotations

from typing import Any

import pytest
from ledgers import intent, released, revoked

from modelrelease.records.ledger import Event, ReleasedFile
from modelrelease.release.ledger.state import fold

ONE, TWO, THREE = "model_v1.0", "model_v1.1", "model_v1.2"
OURS, OTHERS = "d" * 64, "e" * 64
OLD, BAD, NEW = "a" * 64, "b" * 64, "c" * 64
"""Digests of prompts."""


def announced(version: str, *prompts: str, digest: str = OURS, **more: Any) -> Event:
    """Return an intent that publishes weights and prompts."""
    made = intent(version, model_digest=digest, **more)
    assert made.release is not None
    files = [ReleasedFile(path=f"prompts/{n}.txt", size=9, sha256=sha, blob=None) for n, sha in enumerate(prompts)]
    facts = made.release.model_copy(update={"files": (*made.release.files, *files)})
    return made.model_copy(update={"release": facts})


def ended(version: str, *prompts: str, **more: Any) -> list[Event]:
    """Return the life of a version that was released and revoked."""
    facts = {"model_digest": OURS, **more}
    return [announced(version, *prompts, **more), released(version, 1, None, **facts), revoked(version, **facts)]


BARRED: dict[str, tuple[tuple[str, str, set[str]], str | None]] = {
    "the version": ((TWO, OURS, {OLD, BAD}), TWO),
    "its name with other weights": ((TWO, OTHERS, {NEW}), TWO),
    "its weights and prompts by another name": ((THREE, OURS, {OLD, BAD}), TWO),
    "with one more prompt": ((THREE, OURS, {OLD, BAD, NEW}), TWO),
    "its base, which lacks the bad prompt": ((ONE, OURS, {OLD}), None),
    "its weights with the prompt mended": ((THREE, OURS, {OLD, NEW}), None),
    "its prompts with other weights": ((THREE, OTHERS, {OLD, BAD}), None),
}


@pytest.mark.parametrize("case", BARRED)
@pytest.mark.parametrize("target", ["file://releases", "hf://acme/bot"])
def test_what_a_revocation_keeps_away(case: str, target: str) -> None:
    (version, digest, prompts), expected = BARRED[case]
    found = fold(ended(TWO, OLD, BAD, target=target)).barred(version, digest, prompts)
    assert (found.version if found is not None else None) == expected


def test_weights_without_prompts_are_told_by_themselves() -> None:
    state = fold(ended(TWO))
    assert state.barred(THREE, OURS, {NEW}) is not None
    assert state.barred(THREE, OTHERS, set()) is None
