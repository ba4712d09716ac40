"""A resolution on a terminal."""

from __future__ import annotations

from typing import Any

from modelrelease.records.resolution import ChangedInput, Resolution
from modelrelease.reports.resolution import change_line, resolution_text

BASE, HEAD = "1" * 40, "2" * 40


def resolution(**values: Any) -> Resolution:
    usual = {"candidate": None, "baseline": None, "baseline_rule": "none", "merge_base": BASE, "head": HEAD}
    return Resolution(**{"rule": "not-needed", "reason": "nothing has changed", **usual, **values})


def test_all_that_is_known_is_shown() -> None:
    changes = (
        ChangedInput(path="prompts/qa.md", what="prompt"),
        ChangedInput(path="datasets/qa.jsonl", what="dataset", detail="1 row changed"),
    )
    found = resolution(
        rule="new-version",
        reason="models/model_v1.1 is new",
        candidate="models/model_v1.1",
        baseline="models/model_v1.0",
        baseline_rule="highest-version",
        parent="model_v0.9",
        changes=changes,
    )
    assert resolution_text(found) == (
        "rule       new-version: models/model_v1.1 is new\n"
        "candidate  models/model_v1.1\n"
        "baseline   models/model_v1.0 (highest-version)\n"
        "parent     model_v0.9\n"
        "commits    1111111111..2222222222\n"
        "changed    prompt prompts/qa.md\n"
        "changed    dataset datasets/qa.jsonl: 1 row changed\n"
    )


def test_nothing_is_compared_or_live() -> None:
    assert resolution_text(resolution()) == (
        "rule       not-needed: nothing has changed\ncommits    1111111111..2222222222\n"
    )
    first = resolution(rule="new-version", candidate="models/model_v1.0")
    assert "baseline   none: nothing is live yet (none)\n" in resolution_text(first)


def test_names_of_a_pull_request_move_no_cursor_and_forge_no_line() -> None:
    hostile = "a\x1b[2J\nrule       not-needed: \u202etxt"
    change = ChangedInput(path=hostile, what="prompt", detail=hostile)
    text = resolution_text(resolution(candidate=hostile, reason=hostile, changes=(change,)))
    assert len(text.splitlines()) == 5
    assert not {"\x1b", "\u202e"} & set(text)
    assert change_line(ChangedInput(path="x", what="suite", detail="y")) == "suite x: y"
