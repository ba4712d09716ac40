"""log, changes and snapshot, as a reviewer sees them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from commands import Ran
from governed_repository import EARLIER, NAME, REASON, ROWS, TODAY, Repository, jsonl

from modelrelease.records.changes import Changes
from modelrelease.records.strict_json import read_json
from modelrelease.records.validation import validate

Modelrelease = Callable[..., Ran]
PROMPT_FILE, DATA, LOG = "prompts/qa.prompt.yml", "datasets/qa.jsonl", "datasets/qa.jsonl.changes.jsonl"


@pytest.fixture
def branch(repository: Repository, modelrelease: Modelrelease) -> Repository:
    """Return the repository on a branch with a changed prompt and three changed rows, stamped and committed."""
    repository.git("checkout", "--quiet", "-b", "work")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.write(
        DATA, jsonl([{**ROWS[0], "answer": "one"}, *ROWS[2:], {"id": "6", "question": "?", "answer": "!"}])
    )
    repository.stage()
    assert modelrelease("stamp", "--reason", REASON, "--add").code == 0
    repository.commit("Work")
    return repository


def test_changes_are_shown_word_by_word_and_row_by_row(branch: Repository, modelrelease: Modelrelease) -> None:
    ran = modelrelease("changes", "--from-ref", "main")
    assert (ran.code, ran.err) == (0, "")
    assert (
        ran.out
        == f"""{DATA}: changed (rows: 1 added, 1 changed, 1 removed)
  {TODAY} {NAME}: {REASON}
    changed 1
      - answer: It is 1.
      + answer: one
    added 6
      + id: 6
      + question: ?
      + answer: !
    removed 2
      - id: 2
      - question: What is 2?
      - answer: It is 2.

{PROMPT_FILE}: changed
  {TODAY} {NAME}: {REASON}
    messages[0].content: [-Q-]{{+Question+}}: {{{{question}}}}
"""
    )
    document = validate(Changes, read_json(modelrelease("changes", "--from-ref", "main", "--json").out, "c"))
    assert [(file.path, file.kind) for file in document.files] == [(DATA, "changed"), (PROMPT_FILE, "changed")]
    markdown = modelrelease("changes", "--from-ref", "main", "--format", "markdown").out
    assert f"- `{PROMPT_FILE}`: changed\n  - {TODAY} {NAME}: {REASON}\n" in markdown
    assert branch.git("status", "--short") == ""


def test_every_kind_of_change_has_its_word(branch: Repository, modelrelease: Modelrelease) -> None:
    start = branch.git("rev-parse", "HEAD").strip()
    branch.git("mv", PROMPT_FILE, "prompts/renamed.prompt.yml")
    branch.git("rm", "--quiet", DATA)
    branch.edit("modelrelease.yaml", "Govern what", "Govern all that")
    branch.write("prompts/new.txt", "Hello\n")
    branch.write("prompts/bad.yaml", "a: [")
    branch.commit("Many")
    files = json.loads(modelrelease("changes", "--from-ref", start, "--json").out)["files"]
    found = {file["path"]: (file["kind"], file["problem"]) for file in files}
    assert found == {
        DATA: ("deleted", None),
        "modelrelease.yaml": ("record", None),
        "prompts/bad.yaml": ("added", "is not valid YAML: did not find expected node content"),
        "prompts/new.txt": ("added", None),
        "prompts/renamed.prompt.yml": ("renamed", None),
    }
    assert "without a change record" in modelrelease("changes", "--from-ref", start).out


def test_what_is_shown_is_bounded_and_inert(branch: Repository, modelrelease: Modelrelease) -> None:
    start = branch.git("rev-parse", "HEAD").strip()
    for number in range(60):
        branch.write(f"prompts/p{number:02d}.txt", "x\n")
    branch.write(DATA, jsonl([{**row, "answer": "```\n@everyone <b>" + "y" * 5000} for row in ROWS]))
    branch.edit(PROMPT_FILE, "Question: ", "word " * 20_000 + "\\e[31m")
    branch.commit("Much")
    text = modelrelease("changes", "--from-ref", start).out
    assert text.endswith("… and 12 more files\n")
    assert len(text) < 40_000
    assert "\x1b" not in text
    markdown = modelrelease("changes", "--from-ref", start, "--format", "markdown").out
    assert "````text" in markdown
    assert len(markdown) < 60_000


def test_the_log_says_who_why_and_when(branch: Repository, modelrelease: Modelrelease) -> None:
    commit = branch.git("rev-parse", "HEAD").strip()[:10]
    entries = json.loads(modelrelease("log", DATA, "--json").out)
    assert entries == [
        {
            "author": NAME,
            "commit": commit,
            "date": TODAY.isoformat(),
            "path": DATA,
            "reason": REASON,
            "what": "1 row added, 1 changed, 1 removed",
        },
        {**entries[1], "date": EARLIER, "reason": "Write the first questions", "what": "5 rows added"},
    ]
    table = modelrelease("log").out
    assert table.splitlines()[0].split() == ["date", "author", "reason", "what", "file", "commit"]
    assert "Ask one question at a time" in table


def test_the_log_of_one_row(branch: Repository, modelrelease: Modelrelease) -> None:
    def rows(name: str) -> list[tuple[str, str]]:
        found = json.loads(modelrelease("log", DATA, "--row", name, "--json").out)
        return [(entry["what"], entry["reason"]) for entry in found]

    first = "Write the first questions"
    assert rows("1") == [("answer: It is 1. → one", REASON), ("added", first)]
    assert rows("2") == [("removed", REASON), ("added", first)]
    assert rows("3") == [("added", first)]
    assert rows("6") == [("added", REASON)]
    assert modelrelease("log", DATA, "--row", "99").out == "no change is recorded\n"


def test_the_log_of_what_had_no_record_shows_the_commit(repository: Repository, modelrelease: Modelrelease) -> None:
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.write("prompts/bare.yaml", "a: [")
    repository.commit("Sneak\x1b[31m it in")
    found = json.loads(modelrelease("log", "--json").out)
    whats = {entry["path"]: entry["what"] for entry in reversed(found)}
    assert whats[PROMPT_FILE] == "changed under the same record"
    assert whats["prompts/bare.yaml"].startswith("cannot be read")
    assert "\x1b" not in modelrelease("log").out


def test_a_merge_is_not_a_change_of_its_own(branch: Repository, modelrelease: Modelrelease) -> None:
    branch.git("checkout", "--quiet", "main")
    branch.write("README.md", "Ours.\n")
    branch.commit("Other")
    branch.git("merge", "--quiet", "--no-ff", "-m", "Merge", "work")
    assert len(json.loads(modelrelease("log", DATA, "--json").out)) == 2


def test_a_snapshot_names_a_state_and_is_a_ref_like_any_other(branch: Repository, modelrelease: Modelrelease) -> None:
    assert modelrelease("snapshot", "qa", DATA).out == "dataset/qa@v1\n"
    message = branch.git("tag", "--list", "--format=%(contents)", "dataset/qa@v1").splitlines()
    assert message[0] == DATA
    assert [line.partition(":")[0] for line in message[2:5]] == ["sha256", "rows", "digest"]
    assert "rows: 5" in message
    deltas = [int(json.loads(line)["delta"], 16) for line in branch.read(LOG).splitlines()]
    assert f"digest: {sum(deltas) % (1 << 256):064x}" in message
    branch.edit(DATA, "It is 3.", "It is three.")
    ran = modelrelease("snapshot", "qa", DATA)
    assert (ran.code, ran.err) == (1, f"{DATA}: MR116 is not as in HEAD; commit it first, or put it back\n")
    branch.stage()
    modelrelease("stamp", "--reason", "Write the third answer as a word", "--add")
    branch.commit("Third")
    assert modelrelease("snapshot", "qa", DATA).out == "dataset/qa@v2\n"
    assert "It is three." in modelrelease("changes", "--from-ref", "dataset/qa@v1", "--to-ref", "dataset/qa@v2").out


@pytest.mark.parametrize(("name", "path"), [("-x", DATA), ("a b", DATA), ("a..b", DATA), ("qa", "datasets/none.jsonl")])
def test_a_snapshot_that_cannot_be_is_refused(
    repository: Repository, modelrelease: Modelrelease, name: str, path: str
) -> None:
    assert modelrelease("snapshot", "--", name, path).code == 2
    assert repository.git("tag") == ""


def test_a_snapshot_is_pushed(branch: Repository, modelrelease: Modelrelease, tmp_path: object) -> None:
    branch.git("clone", "--quiet", "--bare", ".", str(branch.folder.parent / "remote.git"))
    branch.git("remote", "add", "origin", str(branch.folder.parent / "remote.git"))
    assert modelrelease("snapshot", "qa", DATA, "--push").code == 0
    assert "dataset/qa@v1" in branch.git("ls-remote", "origin")
    branch.git("remote", "set-url", "origin", "nowhere")
    ran = modelrelease("snapshot", "qa", DATA, "--push")
    assert (ran.code, "MR603 git push failed" in ran.err) == (3, True)


def test_a_revert_is_called_what_it_is(branch: Repository, modelrelease: Modelrelease) -> None:
    branch.git("revert", "--no-edit", "HEAD")
    found = json.loads(modelrelease("log", "--json").out)
    assert {entry["path"]: entry["what"] for entry in found[:2]} == {DATA: "restored", PROMPT_FILE: "restored"}
    assert found[0]["reason"] == '(Revert "Work")'
    assert [entry["what"] for entry in json.loads(modelrelease("log", DATA, "--row", "2", "--json").out)] == [
        "added",
        "removed",
        "added",
    ]
