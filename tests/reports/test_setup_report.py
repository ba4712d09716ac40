"""A setup as a person reads it: hostile names, nothing at all, and too much of everything."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import ATTACKS

from modelrelease.records.setup import Action, FoundFile, LeftOut, PlannedTask, Setup, SetupFile, UndecidedTask
from modelrelease.reports.setup import WIDTH, setup_text

TASK = PlannedTask(
    name="qa",
    dataset="datasets/qa.jsonl",
    prompt="prompts/qa.md",
    metric="acc",
    items=817,
    margin=0.03,
    role="gate",
    reason="`choices` is a list of texts",
    asked="prompts/qa.md is the only prompt that its rows can fill",
    proves="817 items: a loss of 3 points can be ruled out",
)
LIKELIHOOD = {"metric": "nll", "margin": 0.02, "role": "info", "asked": "", "proves": "nats per token"}


def setup(**values: Any) -> Setup:
    empty: dict[str, Any] = dict.fromkeys(("found", "left_out", "tasks", "undecided", "files"), ())
    facts = {"repository": "/r", "github": None, "default_branch": None, "author": "Ada", "kit": "a/b@v1"}
    return Setup.model_validate({**empty, **facts, "dry_run": False, "next": ("do it: a command",), **values})


def file(path: str, action: Action, text: str | None = None) -> SetupFile:
    return SetupFile(path=path, action=action, reason="why", text=text)


def test_nothing_found_is_said() -> None:
    text = setup_text(setup())
    assert "found\n  no prompt, no test set and no version; files that git ignores are not looked at\n" in text
    assert "tasks" not in text
    assert text.endswith("next\n  1. do it\n     a command\n")


@pytest.mark.parametrize("attack", ATTACKS)
def test_names_stay_in_their_line(attack: str) -> None:
    evil = ATTACKS[attack]
    text = setup_text(
        setup(
            repository=evil,
            author=evil,
            default_branch=evil,
            found=(FoundFile(what="dataset", path=evil, reading=evil),),
            left_out=(LeftOut(path=evil, reason=evil),),
            tasks=(TASK.model_copy(update={"asked": evil}),),
            undecided=(UndecidedTask(dataset=evil, reason=evil, todo=evil),),
            files=(file(evil, "by-hand", evil),),
            next=(f"{evil}: {evil}",),
        )
    )
    assert all(line.isprintable() for line in text.split("\n"))


def test_long_names_and_many_files_leave_a_table_that_can_be_read() -> None:
    found = tuple(FoundFile(what="dataset", path="x" * 500, reading="a word " * 200) for _ in range(100))
    lines = setup_text(setup(found=found)).split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert "  … and 60 more; --json names all" in lines
    assert len(lines) < 1000


def test_an_address_is_never_broken_in_two() -> None:
    kit = "modelrelease/modelrelease@" + "0" * 40
    reason = f"releases the version of a pushed tag with {kit}"
    steps = (f"make them before the first run, {'and so on ' * 20}", f"go on: {kit} {'x' * 150}")
    text = setup_text(setup(files=(file("y" * 40, "created").model_copy(update={"reason": reason}),), next=steps))
    assert text.count(kit) == 2
    assert text.endswith(f"  2. go on\n     {kit} {'x' * 150}\n")
    first = [line for line in text.split("\n") if "and so on" in line]
    assert len(first) > 1
    assert max(map(len, first)) <= WIDTH


def test_margins_are_those_of_a_new_config_and_proposals_beside_an_old_one() -> None:
    tasks = (TASK, TASK.model_copy(update={"name": "read", **LIKELIHOOD}))
    new = setup_text(setup(tasks=tasks, files=(file("modelrelease.yaml", "created", "x"),)))
    assert "qa/acc    margin 3.0 points" in new
    assert "read/nll  margin 0.0200 nats per token (information only)" in new
    old = setup_text(setup(tasks=tasks, files=(file("modelrelease.yaml", "left-alone"),)))
    assert "qa/acc    could have margin 3.0 points" in old
    assert "margin 0.0200" not in old


@pytest.mark.parametrize(
    ("dry_run", "word", "shown"), [(False, "created", ["c"]), (True, "would be created", ["a", "b", "c"])]
)
def test_texts_are_shown_where_a_person_needs_them(dry_run: bool, word: str, shown: list[str]) -> None:
    files = (
        file("a", "created", "text of a\n"),
        file("b", "added-to", "text of b\n"),
        file("c", "by-hand", "  text of c\n"),
        file("d", "left-alone"),
    )
    text = setup_text(setup(files=files, dry_run=dry_run))
    assert f"  a  {word}" in text
    assert [name for name in "abcd" if f"text of {name}\n" in text] == shown
    assert "----- c: lines to paste\n  text of c\n" in text
