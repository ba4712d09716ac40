"""The command, as a job and a person call it, against a local GitHub."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from builders import decide, table
from commands import Ran, run
from fakes.github import BOT_ID, JOB_TOKEN, PERSON_TOKEN, FakeGitHub, User, add_comment, add_pull
from fakes.github import faults as go_wrong

from modelrelease.cli import on_github
from modelrelease.records.comparison import Comparison
from modelrelease.records.config import CommentPolicy
from modelrelease.records.resolution import Resolution

HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40
COMMENTS = "/repos/acme/bot/issues/7/comments"
REASON = "the scorer ended with exit code 137"


@dataclass
class Job:
    """A job's folder, with its event and comparison, and what it waited."""

    folder: Path
    comparison: Comparison
    slept: list[float]

    @property
    def summary(self) -> str:
        path = self.folder / "summary.md"
        return path.read_text("utf-8") if path.exists() else ""

    def write(self, **changes: Any) -> Path:
        """Write comparison.json, with some of its values replaced."""
        changed = self.comparison.model_copy(update=changes)
        (self.folder / "comparison.json").write_bytes(changed.to_bytes())
        return self.folder / "comparison.json"

    def event(self, event: Any) -> None:
        (self.folder / "event.json").write_text(json.dumps(event), "utf-8")


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Return a regression that a new version of a pull request brings, its items with their texts."""
    before, after = table(600, 60, 20, 320)
    sides = ({"qa": {"acc": before}}, {"qa": {"acc": after}})
    metrics = {"qa/acc": {"margin": 0.03}}
    plain = decide(tmp_path_factory.mktemp("comment"), *sides, metrics, context="pull_request").plain()
    for example in plain["metrics"][0]["flips"]["examples"]:
        example["input"] = f"What is number {example['item_id']}?"
    plain["resolution"] = Resolution(
        rule="new-version",
        reason="models/model_v1.1 is new",
        candidate="models/model_v1.1",
        baseline="models/model_v1.0",
        baseline_rule="highest-version",
        merge_base=BASE,
        head=HEAD,
    ).plain()
    return Comparison.model_validate_json(json.dumps(plain))


@pytest.fixture
def job(github: FakeGitHub, comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    add_pull(github.repository(), 7, HEAD)
    made = Job(tmp_path, comparison, [])
    repo = {"full_name": "acme/bot"}
    head, base = {"sha": HEAD, "ref": "topic", "repo": repo}, {"sha": BASE, "ref": "main", "repo": repo}
    made.event({"pull_request": {"number": 7, "head": head, "base": base}})
    made.write()
    environment = {
        "REPOSITORY": "acme/bot",
        "EVENT_NAME": "pull_request",
        "EVENT_PATH": str(tmp_path / "event.json"),
        "SHA": MERGE,
        "RUN_ID": "4711",
        "RUN_ATTEMPT": "2",
        "API_URL": github.url,
        "SERVER_URL": "https://github.com",
        "STEP_SUMMARY": str(tmp_path / "summary.md"),
        "TOKEN": JOB_TOKEN,
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(on_github, "PAUSE", 0.0)
    monkeypatch.setattr(on_github, "time", SimpleNamespace(sleep=made.slept.append, time=time.time))
    return made


@pytest.fixture
def comment(capsys: pytest.CaptureFixture[str], job: Job) -> Callable[..., Ran]:
    def call(*arguments: object) -> Ran:
        ran = run(capsys, "comment", *(arguments or ("comparison.json",)))
        assert "canary" not in ran.out + ran.err + job.summary
        return ran

    return call


def test_a_job_posts_its_comparison_and_the_next_run_brings_it_up_to_date(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = comment()
    (body,) = github.bodies()
    marker, _, report = body.partition("\n")
    assert marker == f"<!-- modelrelease:comment name=- run=4711.2 sha={HEAD} -->"
    assert report.startswith("**")
    assert f"Commit {HEAD[:7]}." in report.split("\n")[0]
    assert "https://github.com/acme/bot/actions/runs/4711" in report
    made = next(iter(github.repository().comments.values()))
    assert ran == Ran(0, f"comment made: {github.url}/acme/bot/issues/7#issuecomment-{made['id']}\n", "")
    monkeypatch.setenv("GITHUB_RUN_ID", "4712")
    assert comment(".").out.startswith("comment brought up to date: ")
    monkeypatch.setenv("GITHUB_RUN_ID", "4700")
    assert comment().out.startswith("comment left as it is")
    assert [text.partition("\n")[0] for text in github.bodies()] == [marker.replace("4711", "4712")]
    assert job.summary == ""
    assert {request.login for request in github.requests} == {"github-actions[bot]"}
    assert "/user" not in {request.path for request in github.requests}


@pytest.mark.parametrize(("repository", "shown"), [("acme/bot", True), ("eve/bot", False)])
def test_results_are_offered_where_the_branch_can_take_them(
    job: Job, comment: Callable[..., Ran], repository: str, shown: bool
) -> None:
    head, base = {"sha": HEAD, "ref": "topic"}, {"sha": BASE, "ref": "main", "repo": {"full_name": "acme/bot"}}
    job.event({"pull_request": {"number": 7, "head": {**head, "repo": {"full_name": repository}}, "base": base}})
    printed = comment("comparison.json", "--print").out
    assert ("gh run download 4711 -n modelrelease -D models/model_v1.1" in printed) is shown


def test_print_shows_what_would_be_posted_and_asks_nobody(
    github: FakeGitHub, comment: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    printed = comment("comparison.json", "--print")
    assert github.requests == []
    monkeypatch.setenv("GITHUB_TOKEN", JOB_TOKEN)
    comment()
    assert github.bodies()[0].partition("\n")[2] == printed.out


def test_a_comment_stays_below_github_s_limit(github: FakeGitHub, job: Job, comment: Callable[..., Ran]) -> None:
    long = tuple("🦄" * 1000 for _ in range(2000))
    job.write(reasons=long, warnings=long)
    assert comment().code == 0
    assert len(github.bodies()[0].encode("utf-16-le")) // 2 <= 65_536


@pytest.mark.parametrize(
    ("decision", "mode", "made", "refreshed"),
    [
        ("block", "failures", True, True),
        ("promote", "failures", False, True),
        ("promote", "changes", True, True),
        ("not-needed", "changes", False, True),
        ("not-needed", "always", True, True),
        ("block", "never", False, False),
    ],
)
@pytest.mark.parametrize("asked", ["in the comparison", "on the command line"])
def test_a_mode_says_when_and_what_is_there_never_goes_stale(
    github: FakeGitHub,
    job: Job,
    comment: Callable[..., Ran],
    asked: str,
    decision: str,
    mode: Any,
    made: bool,
    refreshed: bool,
) -> None:
    flag = ("--mode", mode) if asked == "on the command line" else ()
    policies = (job.comparison.policies[0].model_copy(update={"decision": decision}), *job.comparison.policies[1:])
    own = CommentPolicy(mode="always" if flag else mode)
    job.write(decision=decision, policies=policies, comment=own)
    assert comment("comparison.json", *flag).code == 0
    assert (len(github.bodies()) == 1) is made
    github.repository().comments.clear()
    stale = add_comment(github.world, github.repository(), 7, "<!-- modelrelease:comment name=- run=1.1 sha=- -->\nold")
    comment("comparison.json", *flag)
    assert ("run=4711.2" in stale["body"]) is refreshed
    assert len(github.bodies()) == 1


@pytest.mark.parametrize("samples", ["ids", "none", "text"])
@pytest.mark.parametrize("policy", ["ids", "none", "text"])
def test_samples_are_shown_as_asked_and_never_beyond_the_policy(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran], samples: str, policy: Any
) -> None:
    job.write(comment=CommentPolicy(samples=policy))
    comment("comparison.json", "--samples", samples)
    (body,) = github.bodies()
    assert ("What is number" in body) is ({samples, policy} == {"text"})
    assert ("`601`" in body) is ("none" not in {samples, policy} and "What is number" not in body)


def test_where_nothing_was_scored_the_reader_is_told_so(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran]
) -> None:
    comment()
    ran = comment("elsewhere", "--unless-scored", REASON)
    assert ran.code == 0
    (body,) = github.bodies()
    assert body.endswith(f"{REASON}\n") or REASON in body
    assert "Nothing was decided" in body
    assert "Nothing was decided" not in comment("comparison.json", "--unless-scored", REASON, "--print").out


def test_whose_comment_it_is_where_nothing_was_scored(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran]
) -> None:
    comment("none", "--unless-scored", REASON, "--name", "support")
    (job.folder / "modelrelease.yaml").write_text("schema_version: 1\nname: search\ncomment: {mode: always}\n", "utf-8")
    comment("none", "--unless-scored", REASON)
    assert [body.split(" ")[2] for body in github.bodies()] == ["name=support", "name=search"]
    refused = comment("none", "--unless-scored", REASON, "--name", "a b")
    assert (refused.code, refused.err.split(" ")[:2]) == (2, ["--name:1:", "MR208"])


def test_a_merge_group_has_no_pull_request(github: FakeGitHub, job: Job, comment: Callable[..., Ran]) -> None:
    ref = f"refs/heads/gh-readonly-queue/main/pr-7-{BASE}"
    job.event({"merge_group": {"head_sha": HEAD, "base_sha": BASE, "head_ref": ref}})
    assert comment() == Ran(0, "no comment: a merge group is no pull request\n", "")
    assert github.requests == []


REFUSED: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "no comparison": (("none.json",), None, "none.json: MR209 does not exist"),
    "another commit's": (("comparison.json",), "d" * 40, "comparison.json: MR601 is of commit 'dddddddddddd', and "),
    "no such mode": (("comparison.json", "--mode", "loud"), None, "modelrelease comment: MR601 argument --mode"),
    "no repository": (("comparison.json", "--repository", "../../x"), None, "--repository: MR601 '../../x' is none"),
    "a path in it": (("comparison.json", "--repository", "a/b/../.."), None, "--repository: MR601"),
    "a query in it": (("comparison.json", "--repository", "a/b?x"), None, "--repository: MR601"),
    "dots": (("comparison.json", "--repository", "a/.."), None, "--repository: MR601"),
    "no number": (("comparison.json", "--pull-request", "-1"), None, "--pull-request: MR601"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_right_is_refused(github: FakeGitHub, job: Job, comment: Callable[..., Ran], case: str) -> None:
    arguments, head, begins = REFUSED[case]
    if head is not None:
        assert job.comparison.resolution is not None
        job.write(resolution=job.comparison.resolution.model_copy(update={"head": head}))
    ran = comment(*arguments)
    assert (ran.code, ran.out, ran.err[: len(begins)]) == (2, "", begins)
    assert github.requests == []


@pytest.mark.parametrize("head", [HEAD, MERGE])
def test_the_head_and_the_merge_commit_that_is_checked_out_are_both_this_run_s(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran], head: str
) -> None:
    assert job.comparison.resolution is not None
    job.write(resolution=job.comparison.resolution.model_copy(update={"head": head}))
    assert comment().code == 0
    assert f"sha={HEAD} " in github.bodies()[0]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"schema_version": 1}', '{"decision": NaN}', "[" * 100_000, "\x00", '{"a": 1, "a": 2}'],
)
def test_a_comparison_is_hostile_until_it_is_read(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran], content: str
) -> None:
    (job.folder / "comparison.json").write_text(content, "utf-8")
    ran = comment()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("comparison.json:")
    assert github.requests == []


def test_an_event_without_a_pull_request_needs_its_number(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran]
) -> None:
    job.event({"ref": "refs/heads/main"})
    assert comment().err.startswith("--pull-request: MR601 there is no pull request to comment on; pass")
    assert comment("comparison.json", "--pull-request", "7").code == 0


FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "GitHub is down": ({"times": 99, **go_wrong.html(502)}, "GitHub answered 502"),
    "it may not": (go_wrong.error(403, "Resource not accessible by integration"), "`pull-requests: write`"),
    "it is nobody": (go_wrong.error(401, "Bad credentials"), "pass a valid token"),
    "the token comes back": (go_wrong.error(403, f"no entry for {JOB_TOKEN}"), "no entry for ***"),
    "later": (go_wrong.retry_after(3600), "it asks to wait 3600 s"),
    "no such thing": (go_wrong.error(404, "Not Found"), "see that it exists"),
}


@pytest.mark.parametrize("case", FAILURES)
@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["", "debug"])
def test_where_github_does_not_take_it_the_report_is_in_the_summary(
    github: FakeGitHub, job: Job, comment: Callable[..., Ran], case: str, debug: tuple[str, ...]
) -> None:
    parts, message = FAILURES[case]
    github.fault(path=COMMENTS, **parts)
    ran = comment("comparison.json", *debug)
    assert (ran.code, ran.out) == (3, "")
    assert message in ran.err
    assert job.summary.startswith("**")
    assert job.comparison.headline.split(":")[0] in job.summary


def test_waits_are_told(github: FakeGitHub, job: Job, comment: Callable[..., Ran]) -> None:
    github.fault("POST", COMMENTS, **go_wrong.retry_after(9))
    ran = comment()
    assert ran.code == 0
    assert ran.err == "GitHub answered 429: Too Many Requests; waiting 9 s before another try\n"
    assert job.slept[0] == 9
    assert len(github.bodies()) == 1


def test_without_a_token_it_says_what_to_pass(
    job: Job, comment: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    ran = comment("missing", "--unless-scored", REASON)
    assert ran.code == 3
    assert ran.err.startswith("GITHUB_TOKEN: MR603 there is no token; pass `GITHUB_TOKEN: ${{ github.token }}`")
    assert REASON in job.summary


def test_a_summary_that_cannot_be_written_hides_nothing(
    github: FakeGitHub, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    (job.folder / "summary.md").mkdir()
    github.fault(path=COMMENTS, **go_wrong.error(401, "Bad credentials"))
    ran = run(capsys, "comment", "comparison.json")
    assert ran.code == 3
    first, second = ran.err.splitlines()
    assert "summary.md: MR603 cannot be written: Is a directory" in first
    assert "401: Bad credentials" in second


def test_a_person_posts_from_a_laptop_as_themself(
    github: FakeGitHub, comment: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RUN_ID", "RUN_ATTEMPT", "EVENT_PATH", "EVENT_NAME", "SHA", "REPOSITORY", "TOKEN", "STEP_SUMMARY"):
        monkeypatch.delenv(f"GITHUB_{name}")
    monkeypatch.setenv("GH_TOKEN", PERSON_TOKEN)
    arguments = ("comparison.json", "--repository", "acme/bot", "--pull-request", "7")
    assert comment(*arguments).out.startswith("comment made")
    assert comment(*arguments, "--samples", "none").out.startswith("comment brought up to date")
    (made,) = github.repository().comments.values()
    assert made["author"] == "ada"
    assert made["body"].startswith(f"<!-- modelrelease:comment name=- run=0.0 sha={HEAD} -->\n")


def test_an_app_says_who_it_is(
    github: FakeGitHub, comment: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    github.world.users["app-canary"] = User("acme-bot[bot]", 4242, "Bot")
    monkeypatch.setenv("GITHUB_TOKEN", "app-canary")
    old = "<!-- modelrelease:comment name=- run=1.1 sha=- -->\nold"
    add_comment(github.world, github.repository(), 7, old, "acme-bot[bot]")
    assert BOT_ID != 4242
    assert comment("comparison.json", "--author", "4242").out.startswith("comment brought up to date")
    assert len(github.bodies()) == 1
