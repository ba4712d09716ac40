"""The rule, on real repositories: what changed brings a new record, whatever git makes of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Ran
from governed_repository import EARLIER, NAME, PROMPT, REASON, ROWS, TODAY, Repository, jsonl

Check = Callable[..., list[str]]
STAMP = 'run `modelrelease stamp --reason "…" --add`'
PROMPT_FILE, DATA, LOG = "prompts/qa.prompt.yml", "datasets/qa.jsonl", "datasets/qa.jsonl.changes.jsonl"


def ask(repository: Repository, word: str = "Question") -> None:
    """Change what the prompt says."""
    text = repository.read(PROMPT_FILE)
    start = text.index('content: "') + len('content: "')
    repository.write(PROMPT_FILE, text[:start] + word + text[text.index(":", start) :])


def with_reason(repository: Repository, reason: str = REASON, date: str | None = None, author: str = NAME) -> None:
    """Write a record into the prompt by hand."""
    head = repository.read(PROMPT_FILE).partition("author:")[0]
    record = f"author: {author}\nreason: {reason}\ndate: {date or TODAY.isoformat()}\n"
    repository.write(PROMPT_FILE, head + record)


def add_row(repository: Repository, name: str = "6") -> None:
    """Add a row to the dataset."""
    row = {"id": name, "question": f"What is {name}?", "answer": "It is."}
    repository.write(DATA, repository.read(DATA) + jsonl([row]))


def test_what_did_not_change_needs_nothing(repository: Repository, accepts: Check) -> None:
    repository.edit("README.md", "A rep", "Our rep")
    repository.stage()
    assert accepts() == ["0 governed files, all with their change record"]


@pytest.mark.parametrize(
    "text",
    [
        PROMPT.replace("# what we ask", "# another comment"),
        PROMPT.replace("\n", "\r\n"),
        "\ufeff" + PROMPT,
        "author: Ada Lovelace\n" + PROMPT.replace("author: Ada Lovelace\n", ""),
        PROMPT.replace('"Q: {{question}}"', "'Q: {{question}}'"),
    ],
    ids=["comment", "CRLF", "BOM", "order of keys", "quotes"],
)
def test_another_form_of_the_same_content_is_no_change(repository: Repository, accepts: Check, text: str) -> None:
    repository.write(PROMPT_FILE, text)
    repository.stage()
    assert accepts() == ["1 governed file, all with their change record"]


def test_one_character_of_a_prompt_is_a_change(repository: Repository, refuses: Check, accepts: Check) -> None:
    repository.edit(PROMPT_FILE, "{{question}}", "{{question}}.")
    repository.stage()
    assert refuses() == [f"{PROMPT_FILE}:5: MR101 changed, and its change record did not; {STAMP}"]
    with_reason(repository)
    repository.stage()
    assert accepts() == ["1 governed file, all with their change record"]


def test_the_work_tree_s_check_says_what_it_does_not_judge(
    repository: Repository, modelrelease: Callable[..., Ran]
) -> None:
    """A file has a record, and what it holds now may be another thing than what that was written for."""
    later = ": changed since HEAD; once it is staged, `modelrelease check --staged` says whether its record tells why"
    assert "changed since" not in modelrelease("check").out
    add_row(repository)
    repository.edit(PROMPT_FILE, "{{question}}", "{{question}}.")
    repository.git("add", "--", PROMPT_FILE)
    ran = modelrelease("check")
    assert (ran.code, ran.out.splitlines()[1:]) == (0, [f"{DATA}{later}", f"{PROMPT_FILE}{later}"])


def test_a_record_in_the_work_tree_alone_is_none(repository: Repository, refuses: Check) -> None:
    ask(repository)
    repository.stage()
    with_reason(repository)
    assert refuses() == [f"{PROMPT_FILE}:5: MR101 changed, and its change record did not; {STAMP}"]


def test_a_record_alone_may_change_and_is_shown(repository: Repository, accepts: Check, refuses: Check) -> None:
    with_reason(repository, "Ask one question at a time, as people do")
    repository.stage()
    assert accepts()[1:] == [f"{PROMPT_FILE}: only its change record was edited"]
    repository.write(PROMPT_FILE, PROMPT.partition("author:")[0])
    repository.stage()
    assert refuses() == [f"{PROMPT_FILE}:2: MR101 lost its change record; {STAMP}"]


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ("NO", "MR102 the author `NO` is not who commits; write `Ada Lovelace`, or set `registry.rules.author: any`"),
        ("7", "MR102 `author` is no text; put it in quotes; write who answers for this content, as git knows them"),
        ('""', "MR102 `author` is empty; write who answers for this content, as git knows them"),
        ('"\u200b"', "MR102 `author` is empty; write who answers for this content, as git knows them"),
        ("", "MR102 the change record has no `author`; write who answers for this content, as git knows them"),
        ("Charles Babbage", "MR102 the author `Charles Babbage` is not who commits; write `Ada Lovelace`, or set"),
    ],
)
def test_the_author_is_who_commits(repository: Repository, refuses: Check, author: str, said: str) -> None:
    ask(repository)
    with_reason(repository, author=author)
    repository.stage()
    (line,) = refuses()
    assert line.startswith(f"{PROMPT_FILE}:5: {said}")


@pytest.mark.parametrize("author", ["ada@example.org", "ADA LOVELACE", f'"{NAME} <ada@example.org>"'])
def test_an_author_may_be_named_as_git_knows_them(repository: Repository, accepts: Check, author: str) -> None:
    ask(repository)
    with_reason(repository, author=author)
    repository.stage()
    accepts()


def test_mailmap_and_noreply_addresses_apply(repository: Repository, accepts: Check) -> None:
    repository.write(".mailmap", "Augusta King <countess@example.org> <ada@example.org>\n")
    ask(repository)
    with_reason(repository, author="Augusta King")
    repository.stage()
    accepts()
    repository.git("config", "user.email", "123+countess@users.noreply.github.com")
    with_reason(repository, author="countess")
    repository.stage()
    accepts()


def test_any_author_where_the_older_rules_say_so(repository: Repository, accepts: Check, refuses: Check) -> None:
    rules = "registry:\n  rules: {author: any}\n"
    repository.write("modelrelease.yaml", repository.read("modelrelease.yaml") + rules)
    repository.edit("modelrelease.yaml", "Govern what we ask and what we test with", "Let anybody answer for a prompt")
    ask(repository)
    with_reason(repository, author="The Bernoulli team")
    repository.stage()
    assert refuses()[0].startswith(f"{PROMPT_FILE}:5: MR102")  # no change brings its own rules
    repository.git("reset", "--quiet", "--", PROMPT_FILE)
    repository.git("commit", "--quiet", "--message", "Rules")
    repository.stage()
    accepts()


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2026-13-45", "`date` `2026-13-45` is no day of the calendar"),
        ("2026-02-30", "`date` `2026-02-30` is no day of the calendar"),
        ("22/11/2026", "`date` `22/11/2026` is no date of the form YYYY-MM-DD"),
        ("20261122", "`date` is no text"),
        ("9999-01-01", "`date` 9999-01-01 lies"),
        ("2001-01-01", f"`date` 2001-01-01 is before that of the record it replaces, {EARLIER}"),
        ("", "the change record has no `date`"),
    ],
)
def test_the_date_is_a_day_quoted_or_not(repository: Repository, refuses: Check, date: str, said: str) -> None:
    ask(repository)
    with_reason(repository, date=date or "~")
    repository.stage()
    (line,) = refuses()
    assert line.startswith(f"{PROMPT_FILE}:7: MR104 {said}")
    if date and "text" not in said:
        with_reason(repository, date=f'"{date}"')
        repository.stage()
        assert refuses() == [line]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("update", "the reason `update` says nothing"),
        ("wip", "the reason `wip` says nothing"),
        ("Fix", "the reason `Fix` says nothing"),
        ('"."', "the reason `.` says nothing"),
        ("Updated the prompt file", "the reason `Updated the prompt file` says nothing"),
        ("Clarification", "the reason `Clarification` says nothing"),
        ("Ask once", "the reason `Ask once` is 8 columns wide, 12 are the least"),
        ("Ask one question at a time", "the reason `Ask one question at a time` is that of the change before"),
        ("ask one  question at a time.", "the reason `ask one  question at a time.` is that of the change before"),
        ("改为先答", "the reason `改为先答` is 8 columns wide, 12 are the least"),
        ("~", "the change record has no `reason`"),
    ],
)
def test_a_reason_says_something(repository: Repository, refuses: Check, reason: str, said: str) -> None:
    ask(repository)
    with_reason(repository, reason)
    repository.stage()
    (line,) = refuses()
    assert line.startswith(f"{PROMPT_FILE}:6: MR103 {said}")
    assert 'e.g. "Ask for the answer first: 40 of 200 replies hit the token limit"' in line


@pytest.mark.parametrize("reason", ["改为先给出答案", "Réponds d’abord", "Сначала ответ, потом вывод"])
def test_twelve_columns_of_any_script_pass(repository: Repository, accepts: Check, reason: str) -> None:
    ask(repository)
    with_reason(repository, reason)
    repository.stage()
    accepts()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", ":2: MR203 the key `a` stands in lines 1 and 2; keep one of them"),
        ("a: &a [*a]\n", ":1: MR205 the alias `*a` stands inside what it names; write the value out"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n", ":3: MR205 uses the merge key `<<`; write the keys out"),
        ("a: !!python/object:os.system []\n", ":1: MR205 uses the tag `!!python/object:os.system`; remove the tag;"),
        ("a: 1\n---\nb: 1\n", ":2: MR205 holds more than one document; keep one document a file"),
        ("a:\n\tb: 1\n", ":2:1: MR201 is not valid YAML: found character that cannot start any token"),
        ("a: \0\n", ":1: MR202 holds a NUL byte, which no text has; remove it"),
        (b"a: 1\nb: 2\nc: \xff\n", ":3: MR202 byte 0xff is not UTF-8; save the file as UTF-8"),
        ("\n".join(["a: &x0 [1]", *(f"b{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12))]), "MR205"),
    ],
    ids=["duplicate", "self-alias", "merge", "python", "documents", "tab", "NUL", "UTF-8", "bomb"],
)
def test_yaml_that_is_none_is_one_line(repository: Repository, refuses: Check, text: str | bytes, said: str) -> None:
    repository.write("prompts/bad.yaml", text)
    repository.stage()
    started = time.process_time()
    (line,) = refuses(code=2)
    assert time.process_time() - started < 5
    assert line.startswith("prompts/bad.yaml:")
    assert said in line


def test_tags_of_other_tools_are_opaque(repository: Repository, refuses: Check, accepts: Check) -> None:
    task = "task: mine\ndoc_to_text: !function utils.text\n"
    record = f"change: {{author: {NAME}, reason: Take the task over from the harness, date: {TODAY}}}\n"
    repository.write("evals/task.yaml", task + record)
    repository.stage()
    accepts()
    repository.git("commit", "--quiet", "--message", "Task")
    repository.edit("evals/task.yaml", "utils.text", "utils.other")
    repository.stage()
    assert refuses() == [f"evals/task.yaml:3: MR101 changed, and its change record did not; {STAMP}"]


def test_a_record_at_two_places_is_none(repository: Repository, refuses: Check) -> None:
    repository.write(PROMPT_FILE, PROMPT + "change: {reason: Another one of them}\n")
    repository.stage()
    (line,) = refuses(code=1)
    assert line.startswith(
        f"{PROMPT_FILE}:8: MR110 the change record stands twice, at the top level and under `change`"
    )


def test_rows_are_counted_and_the_log_says_so(repository: Repository, refuses: Check, modelrelease: object) -> None:
    add_row(repository)
    repository.edit(DATA, "It is 2.", "It is two.")
    repository.stage()
    said = f"{DATA}:2: MR101 changed (1 row added, 1 changed) and qa.jsonl.changes.jsonl has no new line; {STAMP}"
    assert refuses() == [said]


def test_a_deleted_row_needs_a_line_too(repository: Repository, refuses: Check) -> None:
    repository.write(DATA, jsonl(ROWS[1:]))
    repository.stage()
    assert refuses() == [f"{DATA}: MR101 changed (1 row removed) and qa.jsonl.changes.jsonl has no new line; {STAMP}"]


@pytest.mark.parametrize(
    "text",
    [
        jsonl(list(reversed(ROWS))),
        jsonl(ROWS).replace("\n", "\r\n"),
        jsonl(ROWS).replace('": "', '":"'),
        "\ufeff" + jsonl(ROWS),
        jsonl(ROWS) + "\n",
    ],
    ids=["order", "CRLF", "blanks", "BOM", "blank last line"],
)
def test_another_form_of_the_same_rows_is_no_change(repository: Repository, accepts: Check, text: str) -> None:
    repository.write(DATA, text)
    repository.stage()
    accepts()


def test_a_line_break_of_unicode_does_not_end_a_row(repository: Repository, refuses: Check) -> None:
    repository.write(DATA, jsonl(ROWS) + '{"id": "6", "question": "a\u2028b\u0085c", "answer": "x"}\n')
    repository.stage()
    assert refuses()[0].startswith(f"{DATA}:6: MR101 changed (1 row added) and")


def test_a_file_that_goes_says_so(repository: Repository, refuses: Check, accepts: Check, modelrelease: object) -> None:
    for path in (PROMPT_FILE, DATA):
        (repository.folder / path).unlink()
    repository.stage()
    assert refuses() == [
        f"{DATA}: MR101 was deleted and qa.jsonl.changes.jsonl has no new line that says so; {STAMP}",
        f"{PROMPT_FILE}: MR101 was deleted and qa.prompt.yml.changes.jsonl has no new line that says so; {STAMP}",
    ]
    (repository.folder / LOG).unlink()
    repository.stage()
    (history, *_) = refuses()
    assert history.startswith(f"{LOG}: MR106 1 of its lines that is on the default branch was edited or removed")


def test_the_log_is_append_only(repository: Repository, refuses: Check, accepts: Check) -> None:
    repository.edit(LOG, "Write the first", "Write the last")
    repository.stage()
    first, second = refuses()
    assert first.startswith(f"{LOG}: MR106 1 of its lines that is on the default branch was edited or removed")
    assert second.startswith(f"{LOG}:1: MR105")
    repository.write(LOG, "")
    repository.stage()
    assert refuses()[0].startswith(f"{LOG}: MR106")


def test_the_order_of_lines_is_free(repository: Repository, accepts: Check, modelrelease: Callable[..., Ran]) -> None:
    add_row(repository)
    assert modelrelease("stamp", "--reason", REASON, "--add").code == 0
    repository.commit()
    repository.write(LOG, "".join(reversed(repository.read(LOG).splitlines(keepends=True))))
    repository.stage()
    accepts()


def test_a_malformed_line_of_a_log_is_named(repository: Repository, refuses: Check) -> None:
    repository.write(LOG, repository.read(LOG) + '{"reason": 1\n{"why": 1}\n{"sha256": "x"}\n')
    repository.stage()
    lines = refuses(code=2)
    assert [line.partition(" ")[0] for line in lines] == [f"{LOG}:2:13:", f"{LOG}:3:", f"{LOG}:4:"]


def test_a_rename_needs_nothing_and_with_an_edit_it_does(
    repository: Repository, refuses: Check, accepts: Check
) -> None:
    repository.git("mv", PROMPT_FILE, "prompts/ask.prompt.yml")
    repository.git("mv", DATA, "datasets/ask.jsonl")
    accepts()
    ask_file = "prompts/ask.prompt.yml"
    repository.edit(ask_file, "Q: ", "Question: ")
    repository.write("datasets/ask.jsonl", jsonl([*ROWS, {"id": "6", "question": "?", "answer": "!"}]))
    repository.stage()
    assert refuses() == [
        "datasets/ask.jsonl:6: MR101 changed (1 row added) and ask.jsonl.changes.jsonl has no new line; " + STAMP,
        f"{ask_file}:5: MR101 changed, and its change record did not; {STAMP}",
    ]


def test_a_rename_out_of_what_is_governed_is_a_deletion(repository: Repository, refuses: Check) -> None:
    (repository.folder / "attic").mkdir()
    repository.git("mv", PROMPT_FILE, "attic/qa.prompt.yml")
    (line,) = refuses()
    assert line.startswith(f"{PROMPT_FILE}: MR101 was deleted")


def test_no_change_ungoverns_what_it_changes(repository: Repository, refuses: Check) -> None:
    nothing = 'registry:\n  files: [{paths: ["nothing/**"]}]\n'
    repository.write("modelrelease.yaml", repository.read("modelrelease.yaml") + nothing)
    ask(repository)
    repository.stage()
    assert [line.partition(":")[0] for line in refuses()] == ["modelrelease.yaml", PROMPT_FILE]


@pytest.mark.parametrize(
    "name",
    [
        b"a\nb.yaml",
        b'quo"te.yaml',
        b"-leading.yaml",
        b":(top)x.yaml",
        b"trailing.yaml ",
        b"\xff\xfe.yaml",
        b"*.yaml",
        b"tab\t.yaml",
    ],
)
def test_names_may_hold_anything_git_allows(repository: Repository, refuses: Check, name: bytes) -> None:
    folder = os.fsencode(repository.folder) + b"/prompts/"
    for path in (name, name + b".txt"):
        Path(os.fsdecode(folder + path)).write_text("template: x\n")
    repository.stage()
    lines = refuses()
    assert len(lines) == 2
    assert all(line.isprintable() and "MR101" in line for line in lines)


def test_a_link_is_never_read(repository: Repository, refuses: Check) -> None:
    (repository.folder / PROMPT_FILE).unlink()
    (repository.folder / PROMPT_FILE).symlink_to("/etc/passwd")
    repository.stage()
    said = f"{PROMPT_FILE}: MR108 is a symbolic link; put the file itself there"
    assert refuses() == [said]
    assert refuses() == [said]


def test_a_log_that_is_a_link_is_never_read(
    repository: Repository, refuses: Check, modelrelease: Callable[..., Ran]
) -> None:
    (repository.folder / LOG).unlink()
    (repository.folder / LOG).symlink_to("/etc/passwd")
    repository.stage()
    said = f"{LOG}: MR108 is a symbolic link; put the file itself there"
    assert refuses() == [said]
    add_row(repository)
    repository.stage()
    assert refuses() == [said]
    assert modelrelease("stamp", "--reason", REASON, "--add").err == said + "\n"


def test_conflicts_are_not_passed_over(repository: Repository, refuses: Check) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    ask(repository, "W")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    ask(repository, "M")
    repository.commit()
    repository.git("merge", "--quiet", "work", check=False)
    assert refuses() == [f"{PROMPT_FILE}: MR108 has conflicts; resolve them and `git add` it"]


def test_a_folder_in_the_place_of_a_file(
    repository: Repository, refuses: Check, accepts: Check, modelrelease: Callable[..., Ran]
) -> None:
    (repository.folder / DATA).unlink()
    repository.write(f"{DATA}/a.jsonl", jsonl([{"id": "x", "question": "Quite another one", "answer": "y"}]))
    repository.stage()
    assert [line.partition(" ")[0] for line in refuses()] == [f"{DATA}:", f"{DATA}/a.jsonl:"]
    assert modelrelease("stamp", "--reason", "Split the questions into shards", "--add").code == 0
    accepts()


def test_findings_as_json(repository: Repository, modelrelease: Callable[..., Ran]) -> None:
    Path(os.fsdecode(os.fsencode(repository.folder) + b"/prompts/a\xffb.txt")).write_text("x")
    repository.stage()
    ran = modelrelease("check", "--staged", "--json")
    assert (ran.code, ran.err) == (1, "")
    assert json.loads(ran.out) == {
        "exit_code": 1,
        "files": 1,
        "findings": [
            {
                "code": "MR101",
                "column": None,
                "line": None,
                "message": "is new and a\\udcffb.txt.changes.jsonl has no new line",
                "path": "prompts/a\\udcffb.txt",
                "todo": STAMP,
            }
        ],
        "notes": [],
        "schema_version": 1,
        "versions": 0,
    }


def test_a_submodule_is_no_governed_file(repository: Repository, refuses: Check, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.write("a", "a")
    other.commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.folder), "datasets/sub")
    (line,) = refuses()
    assert line.startswith("datasets/sub: MR108 is a submodule, whose files are not in this repository; take it out of")


def test_a_pointer_of_git_lfs_is_named_by_its_oid(
    repository: Repository, refuses: Check, accepts: Check, modelrelease: Callable[..., Ran]
) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    repository.write("datasets/big.jsonl", pointer)
    repository.stage()
    assert refuses() == [f"datasets/big.jsonl: MR101 is new and big.jsonl.changes.jsonl has no new line; {STAMP}"]
    assert modelrelease("stamp", "--reason", REASON, "--add").code == 0
    assert "a" * 64 in repository.read("datasets/big.jsonl.changes.jsonl")
    accepts()


def test_a_name_that_is_too_long_for_its_log_is_an_error(
    repository: Repository, refuses: Check, modelrelease: Callable[..., Ran]
) -> None:
    name = f"datasets/{'x' * 245}.csv"
    repository.write(name, "id,a\n1,2\n")
    repository.stage()
    assert any("MR109 the change log's name is longer than the 255 bytes" in line for line in refuses())
    assert "MR109" in modelrelease("stamp", "--reason", REASON, "--add").err


def test_the_first_commit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from governed_repository import call

    fresh = Repository(tmp_path / "fresh")
    fresh.write("prompts/a.txt", "Hello\n")
    fresh.stage()
    ran = call(capsys, fresh, "check", "--staged")
    assert (ran.code, ran.err) == (
        1,
        f"prompts/a.txt: MR101 is new and a.txt.changes.jsonl has no new line; {STAMP}\n",
    )
    assert call(capsys, fresh, "stamp", "--reason", REASON, "--add").code == 0
    assert call(capsys, fresh, "check", "--staged").code == 0


def test_a_detached_head_and_a_linked_work_tree(
    repository: Repository, refuses: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from governed_repository import call

    repository.git("checkout", "--quiet", "--detach")
    ask(repository)
    repository.stage()
    assert len(refuses()) == 1
    repository.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"), "main")
    linked = Repository.__new__(Repository)
    linked.folder = tmp_path / "linked"
    assert call(capsys, linked, "check", "--staged").code == 0
    ask(linked)
    linked.stage()
    assert call(capsys, linked, "check", "--staged").code == 1


def test_a_sub_folder_is_as_good_as_the_top(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    from governed_repository import call

    ask(repository)
    repository.stage()
    inside = Repository.__new__(Repository)
    inside.folder = repository.folder / "prompts"
    assert call(capsys, inside, "check", "--staged").err.startswith(f"{PROMPT_FILE}:5: MR101")


def test_outside_of_a_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: object) -> None:
    from governed_repository import call

    nowhere = Repository.__new__(Repository)
    nowhere.folder = tmp_path
    ran = call(capsys, nowhere, "check", "--staged")
    assert (ran.code, ran.err.partition(":")[2]) == (2, " MR601 is in no git work tree; call it in a repository\n")


def test_the_index_of_a_commit_in_the_making(repository: Repository) -> None:
    """`git commit --all` and `git commit FILE` hand the hook another index than the usual one."""
    hook = repository.folder / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    import sys

    hook.write_text(f"#!/bin/sh\nexec {sys.executable} -m modelrelease.cli.hooks change-metadata\n")
    hook.chmod(0o755)
    before = repository.git("rev-parse", "HEAD")
    ask(repository)
    repository.git("commit", "--all", "--message", "All", check=False)
    repository.git("commit", "--message", "One", "--", PROMPT_FILE, check=False)
    assert repository.git("rev-parse", "HEAD") == before
    with_reason(repository)
    repository.git("commit", "--all", "--message", "All")
    assert repository.git("rev-parse", "HEAD") != before
