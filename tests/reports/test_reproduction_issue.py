"""The issue about a live version that no longer reproduces, as its readers see it."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hostile import ATTACKS
from inertness import RUN_URL, assert_inert
from reproductions import reproduction

from modelrelease.records.reproduction import REPRODUCED, Outcome, Reproduction
from modelrelease.reports.budget import units, utf8_bytes
from modelrelease.reports.comment import LIMIT, SUMMARY_LIMIT, About
from modelrelease.reports.inert import escape
from modelrelease.reports.reproduction_issue import Subject, issue_markdown, issue_title, note_markdown

ABOUT = About(run_url=RUN_URL, run_id=4711)
V1 = Subject(None, "models/model_v1.0")
REASON = "the reproduce job ended with exit code 3; look at its log"


def text(found: Reproduction | None, subject: Subject = V1, reason: str = "", **options: Any) -> str:
    return issue_markdown(found, reason, subject, options.pop("about", ABOUT), limit=options.pop("limit", LIMIT))


@pytest.mark.parametrize(
    ("subject", "found", "title"),
    [
        (V1, reproduction(), "model_v1.0 no longer reproduces"),
        (V1, reproduction("refused"), "model_v1.0 no longer reproduces"),
        (V1, None, "model_v1.0 could not be run again"),
        (Subject("support", "models/model_v1.0"), reproduction(), "support: model_v1.0 no longer reproduces"),
        (Subject(), None, "The live version could not be run again"),
        (Subject("support"), None, "support: the live version could not be run again"),
        (Subject(None, "models/model_v1.0/eval.json"), reproduction(), "model_v1.0 no longer reproduces"),
        (Subject(None, "models/@everyone #1"), reproduction(), "The live version no longer reproduces"),
    ],
)
def test_its_title(subject: Subject, found: Reproduction | None, title: str) -> None:
    assert issue_title(found, subject) == title


FIRST: dict[Outcome | None, str] = {
    **dict.fromkeys(REPRODUCED, "**🟢 model\\_v1.0 reproduces again.** "),
    "mismatch": "**🔴 model\\_v1.0 no longer reproduces.** ",
    "refused": "**🔴 model\\_v1.0 no longer reproduces.** ",
    None: f"**🔴 model\\_v1.0 could not be run again.** {REASON.capitalize()}. ",
}


@pytest.mark.parametrize("outcome", [*get_args(Outcome), None])
def test_the_outcome_comes_first_and_the_run_is_linked(outcome: Outcome | None) -> None:
    found = None if outcome is None else reproduction(outcome)
    for made in (text(found, reason=REASON), note_markdown(found, REASON, V1, ABOUT)):
        assert f"{made} ".replace("\n", " ").startswith(FIRST[outcome])
        assert outcome is None or escape(f"{outcome}: ") in made
        assert_inert(made, links=1)
    assert "It is closed when it reproduces again." in text(found, reason=REASON)


def test_a_mismatch_says_what_to_do_and_holds_the_report() -> None:
    made = text(reproduction())
    assert "Run `modelrelease reproduce models/model_v1.0` on the machine that recorded it" in made
    assert "q7" in made
    assert "score the version again and commit its new record" in text(reproduction("refused"))


def test_without_a_run_nothing_is_linked() -> None:
    assert "run" not in note_markdown(reproduction(), "", V1, About()).split("\n\n")[-1].split(" ")
    assert_inert(text(reproduction(), about=About()))


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_a_machine_that_ran_a_model_says_is_text(attack: str) -> None:
    subject = Subject("support", ATTACKS[attack])
    for found in (reproduction(item_id=ATTACKS[attack]), reproduction("refused", ATTACKS[attack]), None):
        assert_inert(text(found, subject, ATTACKS[attack]), links=1)
        assert_inert(note_markdown(found, ATTACKS[attack], subject, ABOUT), links=1)
        assert re.fullmatch(r"support: (the live version|[A-Za-z0-9_.-]+) [a-z ]+", issue_title(found, subject))


def test_it_fits_whatever_is_in_it() -> None:
    many = tuple(reproduction(item_id=f"{number}-{'🦄' * 900}").mismatches[0] for number in range(100))
    found = reproduction(mismatches=many, mismatch_count=100)
    short, long = text(found), text(found, limit=SUMMARY_LIMIT)
    assert units(short) <= LIMIT
    assert utf8_bytes(long) <= SUMMARY_LIMIT
    assert short.startswith(str(FIRST["mismatch"]))
    assert "It is closed when it reproduces again." in short
