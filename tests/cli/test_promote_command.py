"""A promotion as a job runs it: approvals are read from GitHub, and the release is announced there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import Ran, run
from fakes.github import JOB_TOKEN, FakeGitHub, User, add_commit, add_review
from releases import ONE, Releases, copy_releases, create_releases
from tiny_models import TinyModels

from modelrelease.cli import on_github

Promote = Callable[..., Ran]


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return create_releases(tmp_path_factory.mktemp("promote") / "repository", tiny.folder("llama"))


@pytest.fixture
def releases(template: Releases, tmp_path: Path) -> Releases:
    return copy_releases(template, tmp_path / "repository")


@pytest.fixture
def promote(
    releases: Releases, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Promote:
    """A job of the publishing workflow, with the version's tag checked out."""
    for name, value in {
        "REPOSITORY": "acme/bot",
        "EVENT_NAME": "push",
        "RUN_ID": "4711",
        "RUN_ATTEMPT": "1",
        "API_URL": github.url,
        "SERVER_URL": "https://github.com",
        "ACTOR": "ada",
        "TOKEN": JOB_TOKEN,
    }.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    monkeypatch.setattr(on_github, "PAUSE", 0.0)
    monkeypatch.setattr(on_github, "time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    for login in ("ada", "bob"):
        github.world.users[login] = User(id=100 + len(login) + ord(login[0]), login=login)

    def call(approval: str = "none", *arguments: str) -> Ran:
        repository = releases.repository
        repository.git("checkout", "--quiet", "main")
        text = (releases.root / "modelrelease.yaml").read_text("utf-8")
        if "approval" not in text:
            repository.write("modelrelease.yaml", f"{text}  approval: {approval}\n")
            repository.commit("Say who approves")
        repository.git("checkout", "--quiet", "--detach", f"refs/tags/{ONE}")
        commit = repository.git("rev-parse", ONE)
        add_commit(github.repository(), commit, "ada")
        github.repository().refs[f"refs/tags/{ONE}"] = commit
        monkeypatch.chdir(releases.root)
        return run(capsys, "promote", ONE, "--device", "cpu", *arguments)

    return call


def test_a_release_is_announced_with_its_records_and_the_ledger_s_head(
    promote: Promote, releases: Releases, github: FakeGitHub
) -> None:
    ran = promote()
    assert ran.code == 0, ran.err
    (release,) = github.repository().releases.values()
    assert (release["tag_name"], release["draft"]) == (ONE, False)
    names = {asset["name"] for asset in github.repository().assets.values()}
    assert names == {"eval.json", "samples.jsonl", "comparison.json", "changelog.md", "digests.txt"}
    receipt = releases.grounds().ledger().events[-1].receipt
    assert receipt is not None
    assert receipt.github_release is not None
    assert receipt.github_release.endswith(f"/releases/tag/{ONE}")
    assert f"Ledger-Head: {releases.grounds().ledger().chain.commits[0]}" in release["body"]
    assert JOB_TOKEN not in ran.out + ran.err
    again = promote()
    assert (again.code, len(github.repository().releases)) == (0, 1)


@pytest.mark.parametrize(
    ("runner", "below", "remote", "code"),
    [
        ("github-hosted", True, True, 1),
        ("github-hosted", False, True, 0),
        ("github-hosted", True, False, 0),
        ("self-hosted", True, True, 0),
    ],
)
def test_a_folder_that_ends_with_the_job_is_refused_before_anything_is_announced(
    promote: Promote,
    releases: Releases,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    runner: str,
    below: bool,
    remote: bool,
    code: int,
) -> None:
    """The ledger on origin would name a release that nobody can load."""
    monkeypatch.setenv("RUNNER_ENVIRONMENT", runner)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(releases.root))
    if not below:
        releases.repository.replace("modelrelease.yaml", "file://releases", f"file://{tmp_path}/kept")
        releases.repository.commit("Releases are kept elsewhere")
    if remote:
        releases.repository.git("init", "--quiet", "--bare", str(tmp_path / "origin"))
        releases.repository.git("remote", "add", "origin", str(tmp_path / "origin"))
        releases.repository.git("push", "--quiet", "origin", "main", "--tags")
    assert promote("none", "--plan").code == code
    ran = promote()
    assert ran.code == code, ran.err
    if code:
        assert "release.target file://releases: MR715 is a folder of this job" in ran.err
        assert releases.kinds() == []
        assert releases.target().versions() == ()


def test_the_ledger_is_held_against_what_github_s_releases_name(
    promote: Promote, releases: Releases, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promote().code == 0
    assert run(capsys, "ledger", "verify").code == 0
    (release,) = github.repository().releases.values()
    head = releases.grounds().ledger().chain.commits[0]
    release["body"] = release["body"].replace(head, "d" * 40)
    ran = run(capsys, "ledger", "verify")
    assert ran.code == 1
    assert "MR721 does not hold dddddddddddd" in ran.err


def test_without_the_approval_that_the_policy_asks_for_nothing_is_released(
    promote: Promote, releases: Releases, github: FakeGitHub
) -> None:
    for login, why in ((None, "nobody has approved this run"), ("ada", "author of the commit")):
        if login is not None:
            add_review(github.repository(), 4711, login)
        ran = promote("other")
        assert ran.code == 1
        assert "release.approval: MR743 is `other`, and " in ran.err
        assert why in ran.err
        assert releases.kinds() == []
        assert github.repository().releases == {}
        assert releases.target().versions() == ()
    add_review(github.repository(), 4711, "bob")
    ran = promote("other")
    assert ran.code == 0, ran.err
    intent = releases.grounds().ledger().events[0]
    assert intent.release is not None
    assert [(one.login, one.counts) for one in intent.release.approvals] == [("ada", False), ("bob", True)]


def test_on_a_laptop_nobody_can_approve_and_nothing_is_told(
    promote: Promote, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_RUN_ID")
    assert promote("any").code == 1
    assert github.requests == []
