"""The command, as a job and a person call it, against a local GitHub."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from commands import Ran, run
from fakes.github import JOB_TOKEN, PERSON_TOKEN, FakeGitHub
from fakes.github import faults as go_wrong
from reproductions import reproduction

from modelrelease.cli import on_github
from modelrelease.records.reproduction import Outcome

ISSUES = "/repos/acme/bot/issues"
REASON = "the reproduce job ended with exit code 3; look at its log"
MODEL = ("--model", "models/model_v1.0")


@dataclass
class Job:
    """The folder of the job that writes the issue, with what the other job has passed on."""

    folder: Path

    @property
    def summary(self) -> str:
        path = self.folder / "summary.md"
        return path.read_text("utf-8") if path.exists() else ""

    def write(self, outcome: Outcome, **changes: Any) -> None:
        (self.folder / "reproduction.json").write_bytes(reproduction(outcome, **changes).to_bytes())


@pytest.fixture
def job(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    environment = {
        "REPOSITORY": "acme/bot",
        "EVENT_NAME": "schedule",
        "RUN_ID": "4711",
        "RUN_ATTEMPT": "1",
        "API_URL": github.url,
        "SERVER_URL": "https://github.com",
        "STEP_SUMMARY": str(tmp_path / "summary.md"),
        "TOKEN": JOB_TOKEN,
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(on_github, "PAUSE", 0.0)
    monkeypatch.setattr(on_github, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    made = Job(tmp_path)
    made.write("mismatch")
    return made


@pytest.fixture
def issue(capsys: pytest.CaptureFixture[str], job: Job) -> Callable[..., Ran]:
    def call(*arguments: object) -> Ran:
        ran = run(capsys, "issue", *(arguments or ("reproduction.json", *MODEL)))
        assert "canary" not in ran.out + ran.err + job.summary
        return ran

    return call


def test_an_issue_is_opened_brought_up_to_date_and_closed(
    github: FakeGitHub, job: Job, issue: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{github.url}/acme/bot/issues/1"
    assert issue() == Ran(0, f"issue opened: {place}\n", "")
    stored = github.repository().issues["1"]
    assert stored["title"] == "model_v1.0 no longer reproduces"
    marker, _, body = stored["body"].partition("\n")
    assert marker == "<!-- modelrelease:reproduction name=- version=model_v1.0 outcome=mismatch run=4711.1 -->"
    assert "[run 4711](https://github.com/acme/bot/actions/runs/4711)" in body
    monkeypatch.setenv("GITHUB_RUN_ID", "4712")
    assert issue(".", *MODEL).out == f"issue brought up to date: {place}\n"
    monkeypatch.setenv("GITHUB_RUN_ID", "4713")
    job.write("exact")
    assert issue().out == f"issue closed: it reproduces again: {place}\n"
    assert (stored["state"], len(github.bodies())) == ("closed", 1)
    monkeypatch.setenv("GITHUB_RUN_ID", "4714")
    assert issue().out == f"issue left as it is: {place}\n"
    assert {request.login for request in github.requests} == {"github-actions[bot]"}
    assert "/user" not in {request.path for request in github.requests}
    assert job.summary == ""


def test_what_reproduces_has_no_issue(github: FakeGitHub, job: Job, issue: Callable[..., Ran]) -> None:
    job.write("variance-documented")
    assert issue() == Ran(0, "no issue: it reproduces: acme/bot\n", "")
    assert github.writes() == []


def test_where_nothing_could_be_run_the_issue_says_why(github: FakeGitHub, issue: Callable[..., Ran]) -> None:
    assert issue("elsewhere", "--unless-run", REASON).code == 0
    (stored,) = github.repository().issues.values()
    assert stored["title"] == "The live version could not be run again"
    assert REASON.capitalize() in stored["body"]
    assert " outcome=not-run " in stored["body"]


def test_print_shows_title_and_text_and_asks_nobody(
    github: FakeGitHub, issue: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    printed = issue("reproduction.json", *MODEL, "--print")
    assert github.requests == []
    monkeypatch.setenv("GITHUB_TOKEN", JOB_TOKEN)
    issue()
    (stored,) = github.repository().issues.values()
    assert printed.out == f"{stored['title']}\n\n{stored['body'].partition(chr(10))[2]}"


def test_whose_issue_it_is(github: FakeGitHub, job: Job, issue: Callable[..., Ran]) -> None:
    (job.folder / "modelrelease.yaml").write_text("schema_version: 1\nname: search\n", "utf-8")
    issue("reproduction.json", *MODEL, "--name", "support")
    issue()
    issue()
    assert [stored["title"].partition(":")[0] for stored in github.repository().issues.values()] == [
        "support",
        "search",
    ]


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "no file": (("missing.json",), "missing.json: MR209 does not exist"),
    "no repository": (("reproduction.json", "--repository", "a/.."), "--repository: MR601"),
    "no name": (("reproduction.json", "--name", "a b"), "--name:1: MR208"),
    "no number": (("reproduction.json", "--author", "ada"), "modelrelease issue: MR601"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_right_is_refused(github: FakeGitHub, issue: Callable[..., Ran], case: str) -> None:
    arguments, begins = REFUSED[case]
    ran = issue(*arguments)
    assert (ran.code, ran.out, ran.err[: len(begins)]) == (2, "", begins)
    assert github.requests == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"schema_version": 1}', '{"outcome": NaN}', "[" * 100_000, "\x00", '{"a": 1, "a": 2}']
)
def test_a_reproduction_is_hostile_until_it_is_read(
    github: FakeGitHub, job: Job, issue: Callable[..., Ran], content: str
) -> None:
    (job.folder / "reproduction.json").write_text(content, "utf-8")
    ran = issue()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("reproduction.json:")
    assert github.requests == []


FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "GitHub is down": ({"times": 99, **go_wrong.html(502)}, "GitHub answered 502"),
    "it may not": (go_wrong.error(403, "Resource not accessible by integration"), "`issues: write`"),
    "the token comes back": (go_wrong.error(403, f"no entry for {JOB_TOKEN}"), "no entry for ***"),
    "no issues": (go_wrong.error(410, "Issues has been disabled in this repository."), "Settings, General, Features"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_where_github_does_not_take_it_the_report_is_in_the_summary(
    github: FakeGitHub, job: Job, issue: Callable[..., Ran], case: str
) -> None:
    parts, message = FAILURES[case]
    github.fault(path=ISSUES, **parts)
    ran = issue()
    assert (ran.code, ran.out) == (3, "")
    assert message in ran.err
    assert job.summary.startswith("**🔴 model\\_v1.0 no longer reproduces.**")


def test_a_person_writes_as_themself(
    github: FakeGitHub, issue: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUN_ID", "RUN_ATTEMPT", "EVENT_NAME", "REPOSITORY", "TOKEN", "STEP_SUMMARY"):
        monkeypatch.delenv(f"GITHUB_{name}")
    monkeypatch.setenv("GH_TOKEN", PERSON_TOKEN)
    assert issue("reproduction.json", *MODEL, "--repository", "acme/bot").out.startswith("issue opened")
    (stored,) = github.repository().issues.values()
    assert stored["author"] == "ada"
    assert {request.query.get("creator") for request in github.requests if request.path == ISSUES} == {"ada", None}
