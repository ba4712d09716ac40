"""``modelrelease init`` as a person or a program calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run
from tiny_models import as_jsonl

from modelrelease import git
from modelrelease.records.setup import Setup


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git.create(root)
    subprocess.run(["git", "config", "user.name", "Ada\x1b[31m"], cwd=root, check=True)
    subprocess.run(["git", "config", "user.email", "ada@example.org"], cwd=root, check=True)
    (root / "prompts").mkdir()
    (root / "prompts" / "ask.md").write_text("{{question}}")
    (root / "datasets").mkdir()
    rows = [{"id": n, "question": "who?", "answer": "me"} for n in range(40)]
    (root / "datasets" / "-qa\n$(x).jsonl").write_text(as_jsonl(rows))
    return root


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if ".git/" not in path.as_posix()}


def test_people_see_what_was_found_written_and_comes_next(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "init", "--into", repository)
    assert (ran.code, ran.err) == (0, "")
    for text in (
        f"repository: {repository}\n",
        "author of the change records: Ada\\x1b[31m\n",
        "dataset  datasets/-qa\\n$(x).jsonl  40 rows; `answer` is the reference",
        "qa-x/exact_match  margin 19.0 points  prompts/ask.md is the only prompt that its rows can fill; 40 items:",
        "evals/release.yaml                  created  asks 1 task\n",
        "\nnext\n  1. put a checkpoint",
        "     modelrelease record models/model_v1.0 && modelrelease score models/model_v1.0\n",
        "git add -- evals/release.yaml modelrelease.yaml .gitattributes .gitignore",
    ):
        assert text in ran.out
    assert "-----" not in ran.out
    assert all(line.isprintable() for line in ran.out.split("\n"))
    again = run(capsys, "init", "--into", repository)
    assert again.code == 0
    assert again.out.count("left alone") == 3
    assert again.out.count("complete") == 3


def test_a_dry_run_shows_the_texts_and_writes_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(repository)
    ran = run(capsys, "init", "--into", repository, "--dry-run")
    assert ran.code == 0
    assert files(repository) == before
    assert "would be created" in ran.out
    for path in ("evals/release.yaml", "modelrelease.yaml", ".github/workflows/modelrelease.yml", ".gitattributes"):
        assert f"----- {path}: would be\n" in ran.out
    assert '    dataset: "datasets/-qa\\n$(x).jsonl"\n' in ran.out


def test_programs_get_a_document(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dry = Setup.model_validate_json(run(capsys, "init", "--into", repository, "--dry-run", "--json").out)
    wet = Setup.model_validate_json(run(capsys, "init", "--into", repository, "--json").out)
    assert (dry.dry_run, wet.dry_run) == (True, False)
    assert dry.model_copy(update={"dry_run": False}) == wet
    for file in wet.files:
        assert file.action == "created"
        assert file.text == (repository / file.path).read_text("utf-8")


def test_pre_commit_takes_the_config(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = "repos:\n    -   repo: meta  # a comment\n        hooks:\n        -   id: identity\n\n# the end\n"
    config = repository / ".pre-commit-config.yaml"
    config.write_text(own)
    assert run(capsys, "init", "--into", repository).code == 0
    assert config.read_text().endswith("\n\n# the end\n")
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=repository)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["--into", "nowhere"], 2, "nowhere: MR601 is no folder; name a folder of a git repository\n"),
        (["--into", "/"], 2, "/: MR601 is in no git work tree (not a git repository"),
        (["--kit", "x\x1b"], 2, "modelrelease init: MR601 --kit 'x\\x1b' is no action's address; write OWNER/NAME@REF"),
        (["extra"], 2, "modelrelease: MR601 unrecognized arguments: extra"),
    ],
)
def test_misuse_is_one_line(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    error: str,
) -> None:
    monkeypatch.chdir(repository)
    before = files(repository)
    ran = run(capsys, "init", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith(error)
    assert ran.err.count("\n") == 1
    assert files(repository) == before


def test_the_document_has_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads(run(capsys, "schema", "setup").out)
    assert set(schema["required"]) >= {"repository", "files", "tasks", "undecided", "next"}
