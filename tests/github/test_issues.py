"""Whose issue it is, and what is still to be done: decisions, as tables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.github.comments import BOT_ID, Comment, Run
from modelrelease.github.issues import Issue, Marker, Mine, Standing, Step, may_touch, plan, read_marker

LINE = "<!-- modelrelease:reproduction name=support version=model_v1.0 outcome=mismatch run=17.2 -->"
OUTCOMES: tuple[Standing, ...] = ("exact", "equivalent", "variance-documented", "mismatch", "refused", "not-run")


def marker(run: int, outcome: Standing = "mismatch", version: str | None = "model_v1.0", **parts: Any) -> Marker:
    return Marker(parts.get("name"), version, outcome, Run(run, parts.get("attempt", 1)))


def mine(run: int = 5, outcome: Standing = "mismatch", version: str | None = "model_v1.0", **parts: Any) -> Mine:
    text = parts.pop("text", f"report of {run}")
    return Mine(marker(run, outcome, version, **parts), "title", text, "note", BOT_ID)


def issue(number: int, run: int, outcome: Standing = "mismatch", **parts: Any) -> Issue:
    author, is_open, text = parts.pop("author", BOT_ID), parts.pop("is_open", True), parts.pop("text", "report")
    return Issue(number, author, f"{marker(run, outcome, **parts)}\n{text}", is_open)


def note(number: int, run: int, outcome: Standing, **parts: Any) -> Comment:
    return Comment(number, parts.pop("author", BOT_ID), f"{marker(run, outcome, **parts)}\nnote")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (LINE, marker(17, name="support", attempt=2)),
        (LINE + "\r\nreport", marker(17, name="support", attempt=2)),
        (
            "<!-- modelrelease:reproduction name=- version=- outcome=not-run run=0.0 -->",
            Marker(None, None, "not-run", Run()),
        ),
        ("\n" + LINE, None),
        ("> " + LINE, None),
        (LINE.replace("mismatch", "fine"), None),
        (LINE.replace("17.2", "-1.2"), None),
        (LINE.replace("17.2", "\u0661.2"), None),
        (LINE.replace("17.2", "9" * 30 + ".1"), None),
        (LINE.replace("support", "a b"), None),
        (LINE.replace("model_v1.0", "x--><script>"), None),
        (LINE.replace("reproduction", "comment"), None),
        ("", None),
    ],
)
def test_a_marker_is_read_at_the_very_beginning_or_not_at_all(body: str, expected: Marker | None) -> None:
    assert read_marker(body) == expected


WORDS = st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", fullmatch=True)


@given(WORDS, WORDS, st.sampled_from(OUTCOMES), st.integers(0, 10**18), st.integers(0, 10**8))
def test_a_marker_is_read_as_it_was_written(
    name: str | None, version: str | None, outcome: Standing, run: int, attempt: int
) -> None:
    written = Marker(name, version, outcome, Run(run, attempt))
    assert read_marker(f"{written}\nreport") == written


OPEN, NOTE, TURN, UPDATE = Step("open"), Step("note", 1), Step("turn", 1), Step("update", 1)
CLOSED: dict[str, Any] = {"is_open": False}
PLANS: dict[str, tuple[list[Issue], list[Comment], Mine, list[Step]]] = {
    "the first that does not reproduce": ([], [], mine(), [OPEN]),
    "the first that was refused": ([], [], mine(outcome="refused"), [OPEN]),
    "the first that could not be run": ([], [], mine(outcome="not-run"), [OPEN]),
    "the first that reproduces": ([], [], mine(outcome="exact"), []),
    "the first whose variance is documented": ([], [], mine(outcome="variance-documented"), []),
    "again": ([issue(1, 4)], [], mine(), [UPDATE]),
    "again, by an older run": ([issue(1, 6)], [], mine(), []),
    "this run's, the same text": ([issue(1, 5, text="report of 5\r\n")], [], mine(), []),
    "this run's, another text": ([issue(1, 5)], [], mine(), [UPDATE]),
    "another outcome": ([issue(1, 4)], [], mine(outcome="refused"), [NOTE, TURN]),
    "another version": ([issue(1, 4)], [], mine(version="model_v1.1"), [NOTE, TURN]),
    "it reproduces": ([issue(1, 4)], [], mine(outcome="exact"), [NOTE, TURN]),
    "it reproduces, and a newer run said otherwise": ([issue(1, 6)], [], mine(outcome="exact"), []),
    "it still reproduces": ([issue(1, 4, "exact", **CLOSED)], [], mine(outcome="equivalent"), []),
    "another version reproduces": ([issue(1, 4, "exact", **CLOSED)], [], mine(5, "exact", "model_v1.1"), []),
    "it no longer reproduces": ([issue(1, 4, "exact", **CLOSED)], [], mine(), [NOTE, TURN]),
    "a person closed it, and nothing is new": ([issue(1, 4, **CLOSED)], [], mine(), [UPDATE]),
    "a person closed it, and it is another outcome": ([issue(1, 4, **CLOSED)], [], mine(5, "refused"), [NOTE, TURN]),
    "a person reopened it, and it reproduces": ([issue(1, 4, "exact")], [], mine(outcome="exact"), []),
    "stopped between note and text": ([issue(1, 4)], [note(9, 4, "refused")], mine(outcome="refused"), [TURN]),
    "stopped so, then back": ([issue(1, 3)], [note(9, 4, "exact")], mine(), [NOTE, UPDATE]),
    "an older note says otherwise": ([issue(1, 4)], [note(8, 2, "refused"), note(9, 3, "mismatch")], mine(), [UPDATE]),
    "a person's note with our marker": ([issue(1, 4)], [note(9, 4, "refused", author=7)], mine(), [UPDATE]),
    "another model's note": ([issue(1, 4)], [note(9, 4, "refused", name="other")], mine(), [UPDATE]),
    "a person's issue with our marker": ([issue(1, 4, author=7)], [], mine(), [OPEN]),
    "an account that is gone": ([issue(1, 4, author=None)], [], mine(), [OPEN]),
    "another model's": ([issue(1, 4, name="other")], [], mine(), [OPEN]),
    "a marker further down": ([Issue(1, BOT_ID, "quoted:\n" + issue(1, 4).body, True)], [], mine(), [OPEN]),
    "two, the newer stays": ([issue(2, 3), issue(1, 4)], [], mine(), [UPDATE, Step("close", 2, 1)]),
    "two of one run, the first stays": ([issue(2, 4), issue(1, 4)], [], mine(), [UPDATE, Step("close", 2, 1)]),
    "an open one before a closed one": ([issue(1, 3), issue(2, 4, **CLOSED)], [], mine(), [UPDATE]),
    "ours and a newer": ([issue(1, 6), issue(2, 5)], [], mine(), [Step("close", 2, 1)]),
    "two newer are theirs to sort out": ([issue(1, 6), issue(2, 7)], [], mine(), []),
}


@pytest.mark.parametrize("case", PLANS)
def test_what_is_to_be_done(case: str) -> None:
    existing, notes, wanted, steps = PLANS[case]
    assert plan(existing, notes, wanted) == steps


def test_two_steps_of_one_run_do_not_write_over_each_other_forever() -> None:
    assert plan([issue(1, 5, text="theirs")], [], mine(text="ours"), written=True) == []


@pytest.mark.parametrize(
    ("there", "touched"),
    [
        (issue(1, 4), True),
        (issue(1, 5), True),
        (issue(1, 6), False),
        (issue(1, 4, author=7), False),
        (issue(1, 4, name="other"), False),
    ],
)
def test_nobody_touches_what_a_newer_run_or_another_wrote(there: Issue, touched: bool) -> None:
    assert may_touch(there, mine()) is touched
