"""Whose comment it is, and what is still to be done: decisions, as tables."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.github.comments import BOT_ID, Comment, Marker, Mine, Run, Step, intent, may_touch, plan, read_marker

SHA = "a" * 40
MARKER = f"<!-- modelrelease:comment name=support run=17.2 sha={SHA} -->"


def mine(run: int = 5, attempt: int = 1, name: str | None = None, text: str = "report") -> Mine:
    return Mine(Marker(name, Run(run, attempt), SHA), text, BOT_ID)


def comment(number: int, run: int, attempt: int = 1, **changes: Any) -> Comment:
    name, author = changes.get("name"), changes.get("author", BOT_ID)
    text = changes.get("text", f"report of {run}")
    return Comment(number, author, f"{Marker(name, Run(run, attempt), SHA)}\n{text}")


@pytest.mark.parametrize(
    ("body", "marker"),
    [
        (MARKER, Marker("support", Run(17, 2), SHA)),
        (MARKER + "\r\nreport", Marker("support", Run(17, 2), SHA)),
        ("<!-- modelrelease:comment name=- run=0.0 sha=- -->\n", Marker(None, Run(), None)),
        ("\n" + MARKER, None),
        (" " + MARKER, None),
        ("> " + MARKER, None),
        ("\ufeff" + MARKER, None),
        (MARKER.replace("17.2", "17"), None),
        (MARKER.replace("17.2", "-1.2"), None),
        (MARKER.replace("17.2", "\u0661\u0667.2"), None),
        (MARKER.replace("17.2", "9" * 30 + ".1"), None),
        (MARKER.replace("support", "a b"), None),
        (MARKER.replace("support", "x--><script>"), None),
        ("", None),
    ],
)
def test_a_marker_is_read_at_the_very_beginning_or_not_at_all(body: str, marker: Marker | None) -> None:
    assert read_marker(body) == marker


@given(
    st.none() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", fullmatch=True),
    st.integers(0, 10**18),
    st.integers(0, 10**8),
    st.sampled_from([None, SHA, "b" * 64]),
)
def test_a_marker_is_read_as_it_was_written(name: str | None, run: int, attempt: int, sha: str | None) -> None:
    marker = Marker(name, Run(run, attempt), sha)
    assert read_marker(f"{marker}\nreport") == marker


CREATE, UPDATE = Step("create"), Step("update", 1)
PLANS: dict[str, tuple[list[Comment], Mine, list[Step]]] = {
    "nothing there": ([], mine(), [CREATE]),
    "an older run's": ([comment(1, 4)], mine(), [UPDATE]),
    "an older attempt's": ([comment(1, 5, 1)], mine(5, 2), [UPDATE]),
    "a newer run's": ([comment(1, 6)], mine(), []),
    "a newer attempt's": ([comment(1, 5, 3)], mine(5, 2), []),
    "a newer attempt of an older run": ([comment(1, 4, 9)], mine(5, 1), [UPDATE]),
    "run 10 after run 9": ([comment(1, 9)], mine(10), [UPDATE]),
    "this run's, the same text": ([comment(1, 5, text="report\r\n")], mine(), []),
    "this run's, another text": ([comment(1, 5, text="earlier")], mine(), [UPDATE]),
    "a person's with our marker": ([comment(1, 4, author=7)], mine(), [CREATE]),
    "an account that is gone": ([comment(1, 4, author=None)], mine(), [CREATE]),
    "another model's": ([comment(1, 4, name="other")], mine(), [CREATE]),
    "a marker further down": ([Comment(1, BOT_ID, "quoted:\n" + comment(1, 4).body)], mine(), [CREATE]),
    "another bot comment": ([Comment(1, BOT_ID, "coverage: 90 %")], mine(), [CREATE]),
    "two, the newer stays": ([comment(1, 3), comment(2, 4)], mine(), [Step("update", 2), Step("delete", 1)]),
    "two of one run, the older stays": ([comment(1, 4), comment(2, 4)], mine(), [UPDATE, Step("delete", 2)]),
    "ours and a newer": ([comment(1, 6), comment(2, 5)], mine(), [Step("delete", 2)]),
    "two newer are theirs to sort out": ([comment(1, 6), comment(2, 7)], mine(), []),
}


@pytest.mark.parametrize("case", PLANS)
def test_what_is_to_be_done(case: str) -> None:
    existing, wanted, steps = PLANS[case]
    assert plan(existing, wanted) == steps


def test_without_leave_to_create_only_what_is_there_is_brought_up_to_date() -> None:
    assert plan([], mine(), create=False) == []
    assert plan([comment(1, 4)], mine(), create=False) == [UPDATE]


def test_two_steps_of_one_run_do_not_write_over_each_other_forever() -> None:
    assert plan([comment(1, 5, text="theirs")], mine(text="ours"), written=True) == []


@pytest.mark.parametrize(
    ("there", "touched"),
    [
        (comment(1, 4), True),
        (comment(1, 5), True),
        (comment(1, 6), False),
        (comment(1, 4, author=7), False),
        (comment(1, 4, name="other"), False),
    ],
)
def test_nobody_touches_what_a_newer_run_or_another_wrote(there: Comment, touched: bool) -> None:
    assert may_touch(there, mine()) is touched


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_writers_one_after_the_other_end_with_the_newest_whatever_their_order(order: tuple[int, ...]) -> None:
    there: dict[int, Comment] = {}
    for run in order:
        for step in plan(list(there.values()), mine(run, text=f"report of {run}")):
            number = step.comment or len(there) + 1
            if step.action == "delete":
                del there[number]
            else:
                there[number] = comment(number, run)
    assert list(there.values()) == [comment(1, 3)]


@pytest.mark.parametrize(
    ("mode", "promote", "block", "not_needed", "undecided"),
    [
        ("always", "write", "write", "write", "write"),
        ("changes", "write", "write", "refresh", "write"),
        ("failures", "refresh", "write", "refresh", "write"),
        ("never", "nothing", "nothing", "nothing", "nothing"),
    ],
)
def test_what_a_mode_asks_for(mode: Any, promote: str, block: str, not_needed: str, undecided: str) -> None:
    asked = [intent(mode, decision) for decision in ("promote", "block", "not-needed", None)]  # type: ignore[arg-type]
    assert asked == [promote, block, not_needed, undecided]
