"""Tags, ledger and GitHub's releases against each other."""

from __future__ import annotations

from typing import Any

import pytest
from ledgers import COMMIT, TARGET, intent, released, revoked

from modelrelease.codes import Code
from modelrelease.doctor.releases import Plan, Told, check_releases
from modelrelease.errors import Finding
from modelrelease.records.ledger import Event
from modelrelease.records.repository_settings import Unseen
from modelrelease.release.ledger.state import fold

ONE, TWO = "model_v1.0", "model_v1.1"
BOTH = (intent(ONE, sequence=1), released(ONE, 1, None, sequence=2, previous="0" * 64))

ENDED = (*BOTH, revoked(ONE, sequence=3, previous="0" * 64))


def looked_at(
    events: tuple[Event, ...] = (), github: Any = None, *, old: bool = False, **changes: Any
) -> list[tuple[str, str, str]]:
    facts: dict[str, Any] = {"target": TARGET, "bootstrap": None, "versions": (ONE,), "tags": {}, "prefix": ""}
    plan = Plan(**{**facts, **changes})
    found = check_releases(plan, Told(events, fold(events), (), old), github)
    return [(check.name, check.state, f"{check.says} → {check.step}") for check in found]


@pytest.mark.parametrize(
    ("given", "name", "state", "words"),
    [
        ({}, "ledger", "ok", "0 events, whole"),
        ({"events": BOTH, "old": True}, "ledger", "ok", "2 events, whole, as this clone saw it last"),
        ({}, "bootstrap", "to-do", "add `bootstrap: model_v1.0` under `release`"),
        ({"bootstrap": ONE}, "bootstrap", "ok", "model_v1.0 is to be the first release"),
        ({"bootstrap": TWO}, "bootstrap", "to-do", "names model_v1.1, which is no version here"),
        ({"events": BOTH, "bootstrap": TWO}, "bootstrap", "ok", "not needed any more: model_v1.0 released"),
        ({"events": BOTH, "target": "file://elsewhere"}, "bootstrap", "to-do", "nothing is released yet"),
        ({"events": BOTH, "tags": {ONE: COMMIT}}, "tags", "ok", "every release has its tag"),
        ({"events": BOTH, "tags": {ONE: COMMIT, TWO: COMMIT}}, "tags", "to-do", "modelrelease promote model_v1.1"),
        ({"events": ENDED, "target": "file://elsewhere", "tags": {ONE: COMMIT}}, "tags", "ok", "every tag its release"),
        ({"events": BOTH}, "tags", "to-do", f"git fetch --tags`, or set it again: `git tag model_v1.0 {COMMIT}`"),
        ({"events": BOTH, "tags": {ONE: "d" * 40}}, "tags", "to-do", f"git tag --force model_v1.0 {COMMIT}"),
        ({"events": BOTH, "prefix": "a/", "tags": {ONE: "d" * 40}}, "tags", "to-do", "git tag --force a/model_v1.0"),
        ({"events": BOTH[:1]}, "begun releases", "to-do", "run `modelrelease promote model_v1.0` again"),
        ({"events": BOTH, "github": frozenset({ONE, "v3"})}, "GitHub releases", "ok", "1, as the ledger says"),
        ({"events": BOTH, "github": frozenset({"v3"})}, "GitHub releases", "to-do", "a release on GitHub: model_v1.0"),
        ({"events": BOTH, "github": frozenset({ONE, TWO})}, "GitHub releases", "to-do", "does not know: model_v1.1"),
        ({"github": Unseen("no", "ask")}, "GitHub releases", "unseen", "no → ask"),
    ],
)  # fmt: skip
def test_what_disagrees_is_named(given: dict[str, Any], name: str, state: str, words: str) -> None:
    (found,) = [(one[1], one[2]) for one in looked_at(**given) if one[0] == name]
    assert found[0] == state
    assert words in found[1]


def test_nothing_is_made_of_a_ledger_that_is_not_whole_or_not_there() -> None:
    plan = Plan(TARGET, None, (ONE,), {}, "")
    broken = Told((), fold(()), (Finding("ledger", Code.LEDGER_CHAIN, "was rewritten", "see who did"),), old=False)
    (check,) = check_releases(plan, broken, None)
    assert (check.state, check.step) == ("to-do", "see who did")
    assert {check.state for check in check_releases(plan, Unseen("no network", "try again"), None)} == {"unseen"}
