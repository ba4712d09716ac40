"""`modelrelease resolve`: what it prints, and that it writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Ran, run
from repositories import CONFIG, LIVE, NEW, PROMPT, Repository, create

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def pull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository on a branch that adds a version."""
    repository = create(tmp_path / "repository")
    repository.write(f"{LIVE}/checkpoint/config.json", "{}")
    repository.write(f"{LIVE}/eval.json", "{}")
    repository.commit("The first version")
    repository.branch()
    repository.write(f"{NEW}/checkpoint/config.json", "{}")
    repository.replace(PROMPT, "A:", "Answer:")
    repository.commit()
    monkeypatch.chdir(repository.root)
    return repository


def files(repository: Repository) -> set[Path]:
    return {path for path in repository.root.rglob("*") if ".git" not in path.parts}


def test_it_says_what_is_compared_with_what_and_writes_nothing(pull: Repository, capsys: Capture) -> None:
    before = files(pull)
    ran = run(capsys, "resolve")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:3] == [
        "rule       new-version: models/model_v1.1 is new",
        "candidate  models/model_v1.1",
        "baseline   models/model_v1.0 (highest-version)",
    ]
    assert ran.out.splitlines()[4:] == ["changed    prompt prompts/qa.md"]
    assert files(pull) == before


def test_json_is_the_document(pull: Repository, capsys: Capture) -> None:
    ran = run(capsys, "resolve", "--json", "--base", "main", "--head", "change", "--baseline", LIVE)
    document = json.loads(ran.out)
    assert (ran.code, document["rule"], document["baseline_rule"]) == (0, "new-version", "input")
    assert document == pull.resolve(baseline=LIVE).resolution.plain()


def test_nothing_to_do_is_no_failure(pull: Repository, capsys: Capture) -> None:
    ran = run(capsys, "resolve", "--base", "change")
    assert (ran.code, ran.out.splitlines()[0]) == (
        0,
        "rule       not-needed: no version, prompt, test or suite has changed",
    )


@pytest.mark.parametrize("folder", ["", "prompts", "models"])
def test_it_is_called_from_anywhere_in_the_project(
    pull: Repository, capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(pull.root / folder)
    assert run(capsys, "resolve").out.startswith("rule       new-version: models/model_v1.1 is new\n")


def misuse(pull: Repository, capsys: Capture, *arguments: str) -> Ran:
    ran = run(capsys, "resolve", *arguments)
    assert (ran.code, ran.out) == (2, "")
    return ran


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--base", "nowhere"), "--base: MR508 'nowhere' names no commit"),
        (("--base=-x",), "--base: MR508 '-x' names no commit"),
        (("--head", "nowhere"), "--head: MR508 'nowhere' names no commit"),
        (("--candidate", "model_v7.0"), "model_v7.0: MR508 is not a version that this pull request adds"),
        (("--baseline", "model_v1.1"), "model_v1.1: MR508 is no version of the merge-base"),
        (("--config", "nowhere.yaml"), "nowhere.yaml: MR209 does not exist"),
    ],
)
def test_misuse_is_one_line(pull: Repository, capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    assert misuse(pull, capsys, *arguments).err.startswith(message)


def test_several_new_versions_have_to_be_told_apart(pull: Repository, capsys: Capture) -> None:
    pull.write("models/model_v1.2/checkpoint/config.json", "{}")
    pull.commit()
    assert "MR508 adds or changes the checkpoints of 2 versions" in misuse(pull, capsys).err
    assert "candidate  models/model_v1.2" in run(capsys, "resolve", "--candidate", "model_v1.2").out


def test_outside_of_a_project_or_a_repository(
    pull: Repository, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert "MR209" in misuse(pull, capsys).err
    (tmp_path / "empty" / CONFIG).write_text("schema_version: 1\n", "utf-8")
    assert "--head: MR508 'HEAD' names no commit" in misuse(pull, capsys).err


def test_without_git_it_is_unavailable(pull: Repository, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(pull.root))
    ran = run(capsys, "resolve")
    assert (ran.code, ran.out) == (3, "")
    assert "MR603 git did not answer" in ran.err
