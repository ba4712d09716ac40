"""The rule over branches: what is new is what the default branch does not have yet."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Ran
from governed_repository import EARLIER, NAME, REASON, ROWS, TODAY, Repository, call, git, jsonl

Check = Callable[..., list[str]]
PROMPT_FILE, DATA, LOG = "prompts/qa.prompt.yml", "datasets/qa.jsonl", "datasets/qa.jsonl.changes.jsonl"
RANGE = ("--from-ref", "main", "--to-ref", "HEAD")


@pytest.fixture
def stamped(repository: Repository, modelrelease: Callable[..., Ran]) -> Callable[..., None]:
    """Return a function that stages everything, stamps it with a reason and commits it."""

    def commit(reason: str = REASON) -> None:
        repository.stage()
        ran = modelrelease("stamp", "--reason", reason, "--add")
        assert ran.code == 0, ran
        repository.commit()

    return commit


def change_row(repository: Repository, number: int, answer: str) -> None:
    repository.edit(DATA, ROWS[number - 1]["answer"], answer)


def merge(repository: Repository, branch: str) -> str:
    """Merge without committing, as a hook sees it."""
    return repository.git("merge", "--no-ff", "--no-commit", branch, check=False)


@pytest.fixture
def union(repository: Repository) -> None:
    """Set merge=union for change logs, as `init` does."""
    repository.write(".gitattributes", "*.changes.jsonl merge=union\n")
    repository.commit("Attributes")


def test_a_second_commit_and_an_amend_keep_the_reason(
    repository: Repository, accepts: Check, stamped: Callable[..., None]
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    stamped()
    repository.edit(PROMPT_FILE, "Question: ", "The question: ")
    repository.stage()
    accepts()
    repository.git("commit", "--quiet", "--amend", "--no-edit")
    repository.edit(PROMPT_FILE, "The question: ", "Here is the question: ")
    repository.stage()
    accepts()
    repository.commit()
    accepts(*RANGE)


def test_on_the_default_branch_new_means_not_in_head(
    repository: Repository, refuses: Check, stamped: Callable[..., None]
) -> None:
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    stamped()
    repository.edit(PROMPT_FILE, "Question: ", "The question: ")
    repository.stage()
    assert refuses()[0].startswith(f"{PROMPT_FILE}:5: MR101")


def test_a_record_that_reached_the_default_branch_is_not_new(
    repository: Repository, refuses: Check, stamped: Callable[..., None]
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    stamped()
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--squash", "work")
    repository.commit()
    repository.git("checkout", "--quiet", "work")
    repository.edit(PROMPT_FILE, "Question: ", "The question: ")
    repository.stage()
    assert refuses()[0].startswith(f"{PROMPT_FILE}:5: MR101 changed, and its change record did not")


@pytest.mark.usefixtures("union")
def test_branches_that_edit_different_rows_merge_without_a_new_stamp(
    repository: Repository, accepts: Check, stamped: Callable[..., None]
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    change_row(repository, 5, "It is five.")
    stamped("Write the fifth answer as a word")
    repository.git("checkout", "--quiet", "main")
    change_row(repository, 1, "It is one.")
    stamped("Write the first answer as a word")
    repository.git("checkout", "--quiet", "work")
    merge(repository, "main")
    accepts()
    repository.commit("Merge")
    accepts(*RANGE)
    repository.git("merge", "--quiet", "main")  # the same branch twice
    accepts(*RANGE)
    repository.git("checkout", "--quiet", "main")
    merge(repository, "work")
    accepts()
    assert len(repository.read(LOG).splitlines()) == 3


@pytest.mark.usefixtures("union")
def test_branches_that_edit_the_same_row_do_not_add_up_until_stamped(
    repository: Repository,
    accepts: Check,
    refuses: Check,
    stamped: Callable[..., None],
    modelrelease: Callable[..., Ran],
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    change_row(repository, 3, "It is three.")
    stamped("Write the third answer as a word")
    repository.git("checkout", "--quiet", "main")
    change_row(repository, 3, "It is 3, of course.")
    stamped("Say that the third answer is easy")
    repository.git("checkout", "--quiet", "work")
    assert "CONFLICT" in merge(repository, "main")
    repository.git("checkout", "--ours", "--", DATA)
    repository.stage()
    (line,) = refuses()
    assert line.startswith((f"{LOG}:3: MR105", f"{LOG}:2: MR105"))
    assert line.endswith("run `modelrelease stamp --add`, which brings its numbers up to date")
    assert modelrelease("stamp", "--add").code == 0
    accepts()
    repository.commit("Merge")
    accepts(*RANGE)


def test_a_merge_of_main_asks_for_nothing(repository: Repository, accepts: Check, stamped: Callable[..., None]) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    stamped()
    repository.git("checkout", "--quiet", "main")
    change_row(repository, 1, "It is one.")
    stamped("Write the first answer as a word")
    repository.git("checkout", "--quiet", "work")
    merge(repository, "main")
    assert accepts() == ["0 governed files, all with their change record"]
    repository.commit("Merge")
    accepts(*RANGE)


def test_what_a_merge_adds_of_its_own_needs_a_record(
    repository: Repository, refuses: Check, stamped: Callable[..., None]
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.write("a", "a")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("b", "b")
    repository.commit()
    repository.git("checkout", "--quiet", "work")
    merge(repository, "main")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.stage()
    assert refuses()[0].startswith(f"{PROMPT_FILE}:5: MR101")


def test_a_revert_needs_no_reason_and_is_shown(
    repository: Repository, accepts: Check, stamped: Callable[..., None]
) -> None:
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    change_row(repository, 1, "It is one.")
    stamped()
    repository.git("revert", "--no-commit", "HEAD")
    files, data, prompt = accepts()
    assert files.startswith("2 governed files")
    assert data.startswith(f"{DATA}: restored, as it was after ")
    assert prompt.endswith(f"by {NAME}")


def test_half_a_revert_is_a_change(repository: Repository, refuses: Check, stamped: Callable[..., None]) -> None:
    change_row(repository, 1, "It is one.")
    stamped()
    repository.git("checkout", "--quiet", "HEAD~", "--", DATA)
    assert refuses()[0].startswith(f"{DATA}:1: MR101 changed (1 row changed) and")


def test_in_a_range_any_author_who_touches_the_file_will_do(
    repository: Repository, accepts: Check, refuses: Check
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    head = repository.read(PROMPT_FILE).partition("author:")[0]
    repository.write(PROMPT_FILE, head + f"author: Grace Hopper\nreason: {REASON}\ndate: {TODAY}\n")
    repository.commit("Change")
    (line,) = refuses(*RANGE)
    assert line.startswith(f"{PROMPT_FILE}:5: MR102 the author `Grace Hopper` is not who commits; write `{NAME}`")
    repository.git("commit", "--quiet", "--amend", "-m", "Change\n\nCo-authored-by: Grace Hopper <grace@example.org>")
    accepts(*RANGE)


def test_what_hooks_would_have_refused_a_range_refuses(
    repository: Repository, refuses: Check, modelrelease: Callable[..., Ran]
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    change_row(repository, 2, "It is two.")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.commit()  # main goes on, and is nobody's fault on the branch
    repository.git("checkout", "--quiet", "work")
    assert [line.partition(":")[0] for line in refuses(*RANGE)] == [DATA]


def test_refs_that_are_none_and_histories_that_are_not_there(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str], modelrelease: Callable[..., Ran]
) -> None:
    ran = modelrelease("check", "--from-ref", "nowhere")
    assert (ran.code, ran.err) == (2, "nowhere: MR209 names no commit here; fetch it, or name another ref\n")
    assert modelrelease("check", "--to-ref", "HEAD").code == 2
    repository.commit("Second")
    repository.git("checkout", "--quiet", "-b", "work", "HEAD~")
    repository.commit("Third")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-single-branch", f"file://{repository.folder}", "shallow")
    shallow = Repository.__new__(Repository)
    shallow.folder = tmp_path / "shallow"
    ran = call(capsys, shallow, "check", "--from-ref", "origin/main", "--to-ref", "origin/work")
    assert ran.code == 3
    assert ran.err.startswith("origin/work: MR111 where origin/work began from origin/main is not known: this clone is")
    for name, value in (("user.name", NAME), ("user.email", "ada@example.org")):
        shallow.git("config", name, value)
    shallow.edit(PROMPT_FILE, "Q: ", "Question: ")
    shallow.stage()
    assert call(capsys, shallow, "check", "--staged").code == 1


def test_a_deleted_file_may_come_back_and_still_adds_up(
    repository: Repository, accepts: Check, stamped: Callable[..., None]
) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    (repository.folder / DATA).unlink()
    stamped("These rows leaked into the training set")
    repository.write(DATA, jsonl(ROWS[:2]))
    stamped("Two of the rows had not leaked after all")
    accepts(*RANGE)
    assert EARLIER in repository.read(LOG)


def test_a_replaced_commit_hides_nothing(repository: Repository, modelrelease: Callable[..., Ran]) -> None:
    """Whoever pushes leaves the replacement behind; locally it must not make the check look at another commit."""
    repository.git("checkout", "--quiet", "-b", "work")
    change_row(repository, 1, "other")
    repository.stage()
    repository.commit()
    repository.git("replace", "HEAD", "main")
    assert modelrelease("check", *RANGE).code == 1


@pytest.mark.parametrize("name", ["main", "heads/main"])
def test_a_tag_named_as_the_target_branch_hides_no_change(repository: Repository, refuses: Check, name: str) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.edit(PROMPT_FILE, "Q: ", "Question: ")
    repository.commit("No reason at all")
    repository.git("tag", name)
    (line,) = refuses("--from-ref", name, "--to-ref", "HEAD")
    assert "MR101" in line


def test_a_pickle_that_a_hook_would_have_refused_is_found_in_a_range(repository: Repository, refuses: Check) -> None:
    repository.git("checkout", "--quiet", "-b", "work")
    repository.write("notes.txt", pickle.dumps({"a": [1, 2, 3]}))
    repository.stage()
    (staged,) = refuses("--staged")
    repository.commit("Past the hook")
    (line,) = refuses(*RANGE)
    assert line == staged
    assert line.startswith("notes.txt: MR404 is a pickle")
