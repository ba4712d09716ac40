"""Stamping in real repositories: what is written, what is left alone, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from commands import Ran
from governed_repository import NAME, PROMPT, REASON, ROWS, TODAY, Repository, jsonl

Modelrelease = Callable[..., Ran]
Check = Callable[..., list[str]]
PROMPT_FILE, DATA, LOG = "prompts/qa.prompt.yml", "datasets/qa.jsonl", "datasets/qa.jsonl.changes.jsonl"


def last_line(repository: Repository, path: str = LOG) -> dict[str, object]:
    line = json.loads(repository.read(path).splitlines()[-1])
    assert isinstance(line, dict)
    return line


def test_what_changed_is_stamped_and_staged(repository: Repository, modelrelease: Modelrelease, accepts: Check) -> None:
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.write(
        DATA, jsonl([{**ROWS[0], "answer": "one"}, *ROWS[2:], {**ROWS[0], "id": "9"}, {**ROWS[0], "id": "8"}])
    )
    repository.stage()
    ran = modelrelease("stamp", "--reason", REASON, "--add")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [f"stamped {DATA} in {LOG}", f"stamped {PROMPT_FILE}"]
    line = last_line(repository)
    assert (line["added"], line["changed"], line["removed"]) == (2, 1, 1)
    assert (line["author"], line["reason"], line["date"]) == (NAME, REASON, TODAY.isoformat())
    expected = PROMPT.replace("Q: ", "Question: ").partition("author:")[0]
    assert repository.read(PROMPT_FILE) == expected + f'author: {NAME}\nreason: "{REASON}"\ndate: {TODAY}\n'
    accepts()
    assert modelrelease("stamp", "--add").out == "nothing to stamp: what changed has its record\n"


@pytest.mark.parametrize("reason", ["update", ".", "Ask one question at a time", ""])
def test_a_reason_that_says_nothing_writes_nothing(
    repository: Repository, modelrelease: Modelrelease, reason: str
) -> None:
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.write("prompts/new.txt", "Hello\n")
    repository.stage()
    before = repository.state()
    ran = modelrelease("stamp", "--reason", reason, "--add")
    assert ran.code == 1
    assert "MR103" in ran.err
    assert repository.state() == before


def test_without_a_reason_and_a_terminal_there_is_nothing_to_write(
    repository: Repository, modelrelease: Modelrelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    ran = modelrelease("stamp")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"{PROMPT_FILE}: MR103 changed, and no reason was given; say why: `modelrelease stamp")


def test_pending_numbers_are_brought_up_to_date_not_added_to(
    repository: Repository, modelrelease: Modelrelease, accepts: Check, refuses: Check
) -> None:
    repository.write(DATA, jsonl([*ROWS, {**ROWS[0], "id": "6"}]))
    repository.stage()
    modelrelease("stamp", "--reason", REASON, "--add")
    repository.write(DATA, jsonl([*ROWS, {**ROWS[0], "id": "6"}, {**ROWS[0], "id": "7"}]))
    repository.stage()
    (line,) = refuses()
    assert line.startswith(f"{LOG}:2: MR105 its new lines say 1 row added, and qa.jsonl has 2 rows added; run")
    assert modelrelease("stamp", "--add").code == 0
    accepts()
    assert len(repository.read(LOG).splitlines()) == 2
    better = "Two questions that users asked last week"
    assert modelrelease("stamp", "--reason", better, "--add").out == "nothing to stamp: what changed has its record\n"
    assert modelrelease("stamp", DATA, "--reason", better, "--add").code == 0
    assert (last_line(repository)["reason"], len(repository.read(LOG).splitlines())) == (better, 2)


def test_a_second_commit_of_a_branch_says_what_came_since(
    repository: Repository, modelrelease: Modelrelease, accepts: Check
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.write(DATA, jsonl([*ROWS, {**ROWS[0], "id": "6"}]))
    repository.stage()
    modelrelease("stamp", "--reason", REASON, "--add")
    repository.commit()
    repository.write(DATA, jsonl([*ROWS, {**ROWS[0], "id": "6", "answer": "other"}]))
    repository.stage()
    modelrelease("stamp", "--reason", "The sixth answer was that of another question", "--add")
    line = last_line(repository)
    assert (line["added"], line["changed"], line["removed"]) == (0, 1, 0)
    accepts()


def test_what_a_branch_has_committed_without_a_record_is_stamped(
    repository: Repository, modelrelease: Modelrelease
) -> None:
    """CI asks for it after the commit, and names this command as what mends it."""
    repository.git("checkout", "--quiet", "-b", "work")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.write(DATA, jsonl([*ROWS, {**ROWS[0], "id": "6"}]))
    repository.stage()
    repository.commit()
    assert modelrelease("check", "--from-ref", "main").code == 1
    ran = modelrelease("stamp", "--reason", REASON, "--add")
    assert ran.out.splitlines() == [f"stamped {DATA} in {LOG}", f"stamped {PROMPT_FILE}"]
    repository.commit()
    assert modelrelease("check", "--from-ref", "main").code == 0
    assert modelrelease("stamp", "--reason", "Another reason for nothing new", "--add").out.startswith("nothing to")


def test_lines_that_went_come_back(repository: Repository, modelrelease: Modelrelease, accepts: Check) -> None:
    first = repository.read(LOG)
    repository.write(LOG, "")
    repository.stage()
    assert modelrelease("stamp", "--add").code == 0
    assert json.loads(repository.read(LOG)) == json.loads(first)
    accepts()


def test_only_what_is_staged_is_stamped_and_staged(repository: Repository, modelrelease: Modelrelease) -> None:
    repository.write("prompts/other.txt", "One\n")
    repository.stage()
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    assert modelrelease("stamp", "--reason", REASON, "--add").out == (
        "stamped prompts/other.txt in prompts/other.txt.changes.jsonl\n"
    )
    assert repository.git("diff", "--name-only") == f"{PROMPT_FILE}\n"
    repository.edit("prompts/other.txt", "One", "Two")
    ran = modelrelease("stamp", "--reason", REASON, "--add")
    assert (ran.code, ran.err.partition(";")[0]) == (
        1,
        "prompts/other.txt: MR116 has changes that are not staged, which --add would stage too",
    )


def test_a_deletion_is_stamped(repository: Repository, modelrelease: Modelrelease, accepts: Check) -> None:
    for path in (PROMPT_FILE, DATA):
        repository.git("rm", "--quiet", path)
    assert modelrelease("stamp", "--reason", "These questions leaked into the training set", "--add").code == 0
    assert last_line(repository, PROMPT_FILE + ".changes.jsonl")["deleted"] is True
    line = last_line(repository)
    assert (line["deleted"], line["removed"]) == (True, 5)
    accepts()


def test_a_file_that_never_had_a_record_is_taken_on(
    repository: Repository, modelrelease: Modelrelease, accepts: Check
) -> None:
    repository.write("datasets/old.csv", "id,a\n1,x\n2,y\n")
    repository.write("prompts/old.yaml", "template: x\n")
    repository.commit("Before there was a registry")
    ran = modelrelease("check")
    assert [line.partition(" ")[0] for line in ran.err.splitlines()] == ["datasets/old.csv:", "prompts/old.yaml:1:"]
    assert 'run `modelrelease stamp datasets/old.csv --reason "…" --add`' in ran.err, "unnamed it is left alone"
    assert modelrelease("stamp", "--reason", REASON).out == "nothing to stamp: what changed has its record\n"
    paths = ("datasets/old.csv", "prompts/old.yaml")
    assert modelrelease("stamp", *paths, "--reason", "Take over what the last team left").code == 0
    assert last_line(repository, "datasets/old.csv.changes.jsonl")["added"] == 2
    assert accepts("--staged") == ["0 governed files, all with their change record"]
    assert modelrelease("check").code == 0


def test_what_is_not_governed_is_not_stamped(repository: Repository, modelrelease: Modelrelease) -> None:
    ran = modelrelease("stamp", "README.md", "--reason", REASON)
    assert (ran.code, ran.err) == (
        1,
        "README.md: MR116 is not governed; name a governed file, or add its pattern to `registry.files` in "
        "modelrelease.yaml\n",
    )


def test_a_file_keeps_its_mode(repository: Repository, modelrelease: Modelrelease) -> None:
    (repository.folder / PROMPT_FILE).chmod(0o755)
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    assert modelrelease("stamp", "--reason", REASON).code == 0
    assert (repository.folder / PROMPT_FILE).stat().st_mode & 0o777 == 0o755


def test_line_ends_that_git_changes_do_not_matter(
    repository: Repository, modelrelease: Modelrelease, accepts: Check
) -> None:
    repository.git("config", "core.autocrlf", "true")
    repository.write("prompts/a.txt", "One\r\nTwo\r\n")
    repository.stage()
    assert modelrelease("stamp", "--reason", REASON, "--add").code == 0
    accepts()


def test_a_record_that_stands_there_and_passes_stays(repository: Repository, modelrelease: Modelrelease) -> None:
    own = PROMPT.replace("Ask one question at a time", "Start with the simplest of prompts")
    repository.write("prompts/own.prompt.yml", own)
    repository.write("prompts/lazy.prompt.yml", PROMPT.replace("Ask one question at a time", "update"))
    repository.stage()
    assert modelrelease("stamp", "--reason", REASON, "--add").out == "stamped prompts/lazy.prompt.yml\n"
    assert repository.read("prompts/own.prompt.yml") == own
    assert modelrelease("stamp", "prompts/own.prompt.yml", "--reason", REASON).code == 0
    assert repository.read("prompts/own.prompt.yml") != own
