"""The steps of the actions ``reproduce`` and ``issue``, with a real (tiny) model and the local GitHub."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from acting import git
from action_steps import Steps
from commands import run
from fakes.github import JOB_TOKEN, FakeGitHub
from reproductions import reproduction
from tiny_models import TinyModels, write_project

CONFIG = "schema_version: 1\nname: support\nsuite: evals/release.yaml\n"
MODEL = "models/model_v1.0"
COMMON = {"decision": "", "verdicts": "{}"}
REASON = "the reproduce job ended with exit code 2; look at its log"


@pytest.fixture(scope="module")
def recorded(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with two versions, of which model_v1.0 has a record."""
    root = write_project(tmp_path_factory.mktemp("recorded") / "work")
    (root / "modelrelease.yaml").write_text(CONFIG, "utf-8")
    for version in ("model_v1.0", "model_v1.1"):
        shutil.copytree(tiny.folder("llama"), root / "models" / version / "checkpoint")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=start")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        from modelrelease.cli.main import main

        assert main(["score", "--device=cpu", "--dtype=float32", "--threads=1", MODEL]) == 0
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Record model_v1.0")
    return root


@pytest.fixture
def job(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Steps:
    made = Steps(tmp_path, monkeypatch, capsys)
    shutil.copytree(recorded, made.workspace, dirs_exist_ok=True)
    return made


def test_the_live_version_is_run_again_unless_another_is_named(job: Steps) -> None:
    step = job.step("reproduce")
    report = Path(step.outputs["report"])
    assert step.code == 0
    assert step.outputs == {
        **COMMON,
        "report": str(report),
        "folder": str(report.parent),
        "outcome": "exact",
        "model": MODEL,
        "name": "support",
        "exit-code": "0",
    }
    assert report.parent.parent == job.folder, "not in the workspace"
    assert json.loads(report.read_text("utf-8"))["outcome"] == "exact"
    assert step.summary.startswith("**models/model\\_v1.0: exact: ")
    assert "exact: all of" in step.log
    assert "::error" not in step.log
    named = job.step("reproduce", model=f"{MODEL}/eval.json", out="there", threads="1")
    assert named.outputs["report"] == str(job.workspace / "there" / "reproduction.json")
    assert (named.outputs["model"], named.outputs["outcome"]) == (f"{MODEL}/eval.json", "exact")


def test_what_is_refused_is_passed_on_and_replaces_nothing(job: Steps) -> None:
    weights = job.workspace / MODEL / "checkpoint" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    (job.workspace / MODEL / "reproduction.json").write_text("an earlier one", "utf-8")
    step = job.step("reproduce", out=MODEL)
    assert (step.code, step.outputs["exit-code"], step.outputs["outcome"]) == (0, "1", "refused")
    assert Path(step.outputs["report"]).parent.parent == job.folder
    assert json.loads(Path(step.outputs["report"]).read_text("utf-8"))["outcome"] == "refused"
    assert (job.workspace / MODEL / "reproduction.json").read_text("utf-8") == "an earlier one"
    assert "::error title=modelrelease::models/model_v1.0 does not reproduce: refused: this is not" in step.log


def test_what_cannot_be_run_says_of_which_version(job: Steps) -> None:
    (job.workspace / MODEL / "eval.json").write_text("{", "utf-8")
    step = job.step("reproduce")
    assert step.outputs == {**COMMON, "report": "", "outcome": "", "model": MODEL, "name": "support", "exit-code": "2"}
    assert "::error file=" in step.log


def test_without_a_record_there_is_nothing_to_run_again(job: Steps) -> None:
    git(job.workspace, "rm", "--quiet", f"{MODEL}/eval.json")
    git(job.workspace, "commit", "--quiet", "--message=Take the record away")
    step = job.step("reproduce")
    assert step.outputs == {**COMMON, "report": "", "outcome": "", "model": "", "name": "support", "exit-code": "0"}
    assert "::warning title=modelrelease::no version has a record yet, so there is nothing to run again" in step.log
    ran = run(job.capsys, "reproduce")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("modelrelease reproduce: MR508 no version has a record, so none is live; score a version")


def test_the_command_without_a_model_is_of_the_live_version(job: Steps) -> None:
    ran = run(job.capsys, "reproduce", "--json")
    assert (ran.code, json.loads(ran.out)["outcome"]) == (0, "exact")
    assert (job.workspace / MODEL / "reproduction.json").read_text("utf-8") == ran.out


def test_the_script_in_a_clone_is_the_command(job: Steps) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "reproduce.py"
    (job.workspace / MODEL / "samples.jsonl").unlink()
    done = subprocess.run([sys.executable, str(script), MODEL], capture_output=True, text=True, check=False)
    named = run(job.capsys, "reproduce", MODEL)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", named.err)


@pytest.fixture
def told(job: Steps, github: FakeGitHub) -> Steps:
    """Return the job that writes the issue."""
    told = {"REPOSITORY": "acme/bot", "RUN_ID": "5", "RUN_ATTEMPT": "1", "TOKEN": JOB_TOKEN, "API_URL": github.url}
    for name, value in told.items():
        job.monkeypatch.setenv(f"GITHUB_{name}", value)
    job.monkeypatch.setattr("modelrelease.cli.on_github.PAUSE", 0)
    (job.workspace / "modelrelease.yaml").unlink()
    return job


def test_an_issue_is_written_of_what_was_passed_on(told: Steps, github: FakeGitHub) -> None:
    (told.workspace / "reproduction.json").write_bytes(reproduction().to_bytes())
    step = told.step("issue", reproduction=".", model=MODEL, name="support", unless_run=REASON)
    assert step.outputs == {**COMMON, "report": str(told.workspace / "reproduction.json"), "exit-code": "0"}
    (issue,) = github.repository().issues.values()
    assert issue["title"] == "support: model_v1.0 no longer reproduces"
    assert "issue opened: " in step.log
    assert JOB_TOKEN not in step.log + step.summary


@pytest.mark.parametrize("place", ["missing", ""])
def test_an_issue_is_written_of_there_being_none(told: Steps, github: FakeGitHub, place: str) -> None:
    (told.workspace / "reproduction.json").write_bytes(reproduction().to_bytes())  # anybody's, and nobody named it
    step = told.step("issue", reproduction=place, model=MODEL, unless_run=REASON)
    assert step.outputs == {**COMMON, "report": "", "exit-code": "0"}
    (issue,) = github.repository().issues.values()
    assert issue["title"] == "model_v1.0 could not be run again"
    assert f"::error file=modelrelease,title=MR603::the live version was not run again; {REASON}" in step.log


def test_where_github_does_not_take_it_the_step_says_so(told: Steps, github: FakeGitHub) -> None:
    told.monkeypatch.setenv("GITHUB_TOKEN", "ghs_unknown")
    step = told.step("issue", reproduction="missing", model=MODEL, unless_run=REASON)
    assert step.outputs["exit-code"] == "3"
    assert "401" in step.log
    assert "could not be run again" in step.summary
    assert "ghs_unknown" not in step.log + step.summary
