"""The local GitHub, as the real PyGithub and plain HTTP see it."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from fakes.github import (
    BOT_ID,
    JOB_TOKEN,
    PERSON_TOKEN,
    FakeGitHub,
    User,
    add_comment,
    add_commit,
    add_pull,
    add_review,
)
from fakes.github.calls import HANDLERS
from fakes.github.contract import DOCUMENT, Operation
from github import Auth, Github, GithubException
from github.Repository import Repository

TESTS = Path(__file__).resolve().parent.parent
HEAD = "a" * 40


@pytest.fixture
def client(github: FakeGitHub) -> Iterator[Github]:
    with Github(
        auth=Auth.Token(JOB_TOKEN),
        base_url=github.url,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    ) as made:
        yield made


@pytest.fixture
def repository(client: Github) -> Repository:
    return client.get_repo("acme/bot")


def ask(github: FakeGitHub, method: str, path: str, token: str = JOB_TOKEN, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    return requests.request(method, github.url + path, headers=headers, timeout=10, **options)


def test_every_operation_of_the_description_is_handled() -> None:
    described = {
        Operation(method.upper(), path, {}).key for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    assert set(HANDLERS) == described


def test_a_comment_s_life(github: FakeGitHub, repository: Repository) -> None:
    add_pull(github.repository(), 7, HEAD)
    pull = repository.get_pull(7)
    comment = pull.create_issue_comment("one 🦄")
    assert (comment.user.id, comment.user.login) == (BOT_ID, "github-actions[bot]")
    comment.edit("two")
    assert [(one.id, one.body) for one in pull.get_issue_comments()] == [(comment.id, "two")]
    assert comment.updated_at > comment.created_at
    comment.delete()
    assert github.bodies() == []
    with pytest.raises(GithubException, match="404"):
        comment.edit("three")


def test_pages_lead_to_each_other_on_the_server_s_own_address(github: FakeGitHub, repository: Repository) -> None:
    add_pull(github.repository(), 7, HEAD)
    for number in range(65):
        add_comment(github.world, github.repository(), 7, str(number))
    found = [comment.body for comment in repository.get_pull(7).get_issue_comments()]
    assert found == [str(number) for number in range(65)]
    middle = ask(github, "GET", "/repos/acme/bot/issues/7/comments?per_page=20&page=2")
    pages = {name: link["url"].rpartition("page=")[2] for name, link in middle.links.items()}
    assert pages == {"prev": "1", "first": "1", "next": "3", "last": "4"}
    assert middle.links["next"]["url"].startswith(github.url + "/")


def test_pull_requests_are_found_by_head_and_say_where_they_come_from(
    github: FakeGitHub, repository: Repository
) -> None:
    github.repository("eve/bot")
    add_pull(github.repository(), 7, HEAD, head_ref="topic", files=("prompts/qa.txt",))
    add_pull(github.repository(), 8, "c" * 40, head_ref="topic", head_repository="eve/bot")
    (own,) = repository.get_pulls(state="open", head="acme:topic")
    (fork,) = repository.get_pulls(state="open", head="eve:topic")
    assert (own.number, own.head.sha, own.base.ref) == (7, HEAD, "main")
    assert (fork.number, fork.head.repo.full_name) == (8, "eve/bot")
    assert [file.filename for file in own.get_files()] == ["prompts/qa.txt"]
    own.edit(state="closed")
    assert [pull.number for pull in repository.get_pulls()] == [8]


def test_issues_are_opened_found_by_label_and_changed(github: FakeGitHub, repository: Repository) -> None:
    add_pull(github.repository(), 7, HEAD)
    issue = repository.create_issue("It does not reproduce", body="x", labels=["reproduce"])
    assert issue.number == 8
    assert [one.number for one in repository.get_issues(labels=["reproduce"])] == [8]
    issue.add_to_labels("urgent")
    assert [label.name for label in issue.get_labels()] == ["reproduce", "urgent"]
    issue.set_labels("urgent")
    issue.edit(title="It does", state="closed")
    assert [one.title for one in repository.get_issues(state="closed", labels=["urgent"])] == ["It does"]
    issue.delete_labels()
    assert list(issue.get_labels()) == []
    assert [(one.number, one.pull_request is not None) for one in repository.get_issues()] == [(7, True)]


def test_issues_have_limits_a_reason_and_can_be_switched_off(github: FakeGitHub, repository: Repository) -> None:
    issue = repository.create_issue("It does not reproduce", body="x" * 65_536)
    for title, body in (("", "x"), ("x" * 257, "x"), ("x", "x" * 65_537)):
        with pytest.raises(GithubException, match="422"):
            repository.create_issue(title, body=body)
    issue.edit(state="closed", state_reason="not_planned")
    issue.edit(state_reason="completed")
    assert repository.get_issue(1).state_reason == "not_planned", "ignored unless the state is changed"
    issue.edit(state="open")
    assert repository.get_issue(1).state_reason == "reopened"
    github.repository().has_issues = False
    with pytest.raises(GithubException, match="410"):
        list(repository.get_issues())


def test_checks_and_statuses(github: FakeGitHub, repository: Repository) -> None:
    github.repository().refs["refs/heads/main"] = HEAD
    check = repository.create_check_run("gate", HEAD, status="in_progress")
    check.edit(conclusion="failure", output={"title": "Blocked", "summary": "qa/acc is regressed"})
    (found,) = _checks(github)
    assert (found["status"], found["conclusion"], found["output"]["title"]) == ("completed", "failure", "Blocked")
    for state in ("pending", "success"):
        answer = ask(github, "POST", f"/repos/acme/bot/statuses/{HEAD}", json={"state": state, "context": "gate"})
        assert answer.status_code == 201
    combined = ask(github, "GET", "/repos/acme/bot/commits/main/status").json()
    assert (combined["state"], combined["total_count"]) == ("success", 1)


def _checks(github: FakeGitHub) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(github, "GET", f"/repos/acme/bot/commits/{HEAD}/check-runs").json()["check_runs"]
    return found


def test_releases_and_their_files(github: FakeGitHub, repository: Repository, tmp_path: Path) -> None:
    release = repository.create_git_release("support/model_v1.1", "1.1", "notes", draft=True)
    file = tmp_path / "eval.json"
    file.write_bytes(b"{}")
    asset = release.upload_asset(str(file))
    assert (asset.name, asset.size) == ("eval.json", 2)
    with pytest.raises(GithubException, match="already_exists"):
        release.upload_asset(str(file))
    release.update_release("1.1", "notes", draft=False)
    published = repository.get_release("support/model_v1.1")
    assert [one.name for one in published.get_assets()] == ["eval.json"]
    raw = ask(
        github, "GET", f"/repos/acme/bot/releases/assets/{asset.id}", headers={"Accept": "application/octet-stream"}
    )
    assert raw.content == b"{}"
    with pytest.raises(GithubException, match="already_exists"):
        repository.create_git_release("support/model_v1.1", "again", "notes")
    asset.delete_asset()
    published.delete_release()
    assert list(repository.get_releases()) == []


def test_drafts_are_in_lists_alone_and_have_no_tag_until_they_are_published(
    github: FakeGitHub, repository: Repository
) -> None:
    github.repository().refs["refs/heads/main"] = HEAD
    first, second = (repository.create_git_release("v1", "1", "notes", draft=True) for _ in range(2))
    assert [one.id for one in repository.get_releases()] == [second.id, first.id]
    assert ask(github, "GET", "/repos/acme/bot/releases/tags/v1").status_code == 404
    assert (first.tag_name, first.html_url.rpartition("/")[2]) == ("v1", f"untagged-{first.id}")
    assert "refs/tags/v1" not in github.repository().refs
    first.update_release("1", "notes", draft=False)
    assert github.repository().refs["refs/tags/v1"] == HEAD, "GitHub makes a tag that is not there"
    assert repository.get_release("v1").id == first.id
    with pytest.raises(GithubException, match="already_exists"):
        second.update_release("1", "notes", draft=False)
    with pytest.raises(GithubException, match="too long"):
        repository.create_git_release("v2", "2", "x" * 125_001, draft=True)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # PyGithub leaves what breaks off open
def test_files_are_renamed_never_empty_and_broken_ones_stay(
    github: FakeGitHub, repository: Repository, tmp_path: Path
) -> None:
    release = repository.create_git_release("v1", "1", "notes", draft=True)
    file = tmp_path / "a b.json"
    file.write_bytes(b"{}" * (1 << 20))
    assert release.upload_asset(str(file)).name == "a.b.json"
    github.fault("POST", ".*/assets", take=5, applied=True)
    with pytest.raises((GithubException, requests.RequestException)):
        release.upload_asset(str(file), name="b.json")
    with pytest.raises(GithubException, match="already_exists"):
        release.upload_asset(str(file), name="b.json")
    gc.collect()  # here, where it is expected, and not in whatever test comes next
    whole, broken = release.get_assets()
    assert (whole.state, whole.size, broken.state, broken.size) == ("uploaded", 2 << 20, "starter", 0)
    raw = ask(
        github, "GET", f"/repos/acme/bot/releases/assets/{whole.id}", headers={"Accept": "application/octet-stream"}
    )
    assert raw.content == file.read_bytes()
    file.write_bytes(b"")
    answer = ask(github, "POST", f"/repos/acme/bot/releases/{release.id}/assets?name=c", data=b"")
    assert (answer.status_code, "size must be" in answer.text) == (422, True)
    release.delete_release()
    assert github.repository().assets == {}


def test_commits_and_tag_objects_say_who_made_them_and_what_they_are_of(
    github: FakeGitHub, repository: Repository
) -> None:
    add_commit(github.repository(), HEAD, "ada", "web-flow", "Train it")
    add_commit(github.repository(), "b" * 40, None)
    found = repository.get_commit(HEAD)
    assert (found.author.login, found.committer.login, found.commit.message) == ("ada", "web-flow", "Train it")
    assert ask(github, "GET", f"/repos/acme/bot/commits/{'b' * 40}").json()["author"] is None
    assert ask(github, "GET", f"/repos/acme/bot/commits/{'e' * 40}").status_code == 422
    github.repository().tags["1" * 40] = {"type": "commit", "sha": HEAD}
    github.repository().refs["refs/tags/v1"] = "1" * 40
    assert repository.get_git_ref("tags/v1").object.type == "tag"
    assert repository.get_git_tag("1" * 40).object.sha == HEAD


def test_refs_are_made_moved_and_removed(github: FakeGitHub, repository: Repository) -> None:
    ref = repository.create_git_ref("refs/tags/support/model_v1.1", HEAD)
    with pytest.raises(GithubException, match="already exists"):
        repository.create_git_ref("refs/tags/support/model_v1.1", HEAD)
    ref.edit("c" * 40, force=True)
    assert repository.get_git_ref("tags/support/model_v1.1").object.sha == "c" * 40
    ref.delete()
    assert github.repository().refs == {}


def test_files_change_only_for_those_who_have_seen_them(github: FakeGitHub, repository: Repository) -> None:
    made = repository.create_file("ledger/a.json", "Add", "{}", branch="ledger")["content"]
    assert repository.get_contents("ledger/a.json", ref="ledger").decoded_content == b"{}"
    with pytest.raises(GithubException, match="409"):
        repository.update_file("ledger/a.json", "Change", "[]", "0" * 40, branch="ledger")
    repository.update_file("ledger/a.json", "Change", "[]", made.sha, branch="ledger")
    assert github.repository().contents == {"ledger": {"ledger/a.json": "[]"}}
    changed = repository.get_contents("ledger/a.json", ref="ledger")
    repository.delete_file("ledger/a.json", "Remove", changed.sha, branch="ledger")
    assert github.repository().contents == {"ledger": {}}


def test_deployments_and_approvals(github: FakeGitHub, repository: Repository) -> None:
    deployment = repository.create_deployment("main", environment="production", required_contexts=[])
    deployment.create_status("success", description="live")
    assert [status.state for status in deployment.get_statuses()] == ["success"]
    assert [one.environment for one in repository.get_deployments(environment="production")] == ["production"]
    add_review(github.repository(), 5, "ada", comment="yes")
    (found,) = ask(github, "GET", "/repos/acme/bot/actions/runs/5/approvals").json()
    assert (found["state"], found["user"]["login"]) == ("approved", "ada")
    assert [place["name"] for place in found["environments"]] == ["production"]
    github.world.users["committer"] = User("bob", 3, permissions={"contents": "write"})
    assert ask(github, "GET", "/repos/acme/bot/actions/runs/5/approvals", "committer").status_code == 403


def test_a_job_s_token_cannot_ask_who_it_is(github: FakeGitHub, client: Github) -> None:
    with pytest.raises(GithubException, match="not accessible by integration"):
        _ = client.get_user().id
    assert ask(github, "GET", "/user", PERSON_TOKEN).json()["login"] == "ada"


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        ("wrong", "/repos/acme/bot/issues/7/comments", 401),
        (JOB_TOKEN, "/repos/acme/none/issues/7/comments", 404),
        (JOB_TOKEN, "/repos/acme/bot/issues/9/comments", 404),
        ("reader", "/repos/acme/bot/issues/7/comments", 403),
        ("commenter", "/repos/acme/bot/issues/7/comments", 201),
        ("commenter", "/repos/acme/bot/check-runs", 403),
    ],
)
def test_tokens_do_what_they_are_allowed(github: FakeGitHub, token: str, path: str, status: int) -> None:
    add_pull(github.repository(), 7, HEAD)
    github.world.users["reader"] = User("eve", 2, permissions={"contents": "read"})
    github.world.users["commenter"] = User("bob", 3, permissions={"pull-requests": "write"})
    assert ask(github, "POST", path, token, json={"body": "x"}).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body", "problem"),
    [
        ("POST", "/repos/acme/bot/issues/7/comments", {"text": "x"}, "'body' is a required property"),
        ("POST", "/repos/acme/bot/issues/7/comments", {"body": "x", "run": 1}, "unknown key 'run'"),
        ("POST", "/repos/acme/bot/issues/7/comments", {"body": 7}, "body: 7 is not of type 'string'"),
        ("POST", "/repos/acme/bot/issues/7/comments", None, "has no body"),
        ("GET", "/repos/acme/bot/issues/7/comments?per_side=5", None, "unknown query parameter 'per_side'"),
        ("GET", "/repos/acme/bot/pulls?state=opened", None, "query parameter 'state' is 'opened'"),
        ("GET", "/repos/acme/bot/issues/7/comments?page=x", None, "query parameter 'page' is 'x'"),
        ("GET", "/repos/acme/bot/stars", None, "no such operation"),
    ],
)
def test_what_github_does_not_describe_is_a_problem(method: str, path: str, body: Any, problem: str) -> None:
    with FakeGitHub() as github:
        add_pull(github.repository(), 7, HEAD)
        answer = ask(github, method, path, json=body)
        assert answer.status_code in {404, 422}
        assert problem in "\n".join(github.problems)


def test_a_comment_is_no_longer_than_github_s(github: FakeGitHub) -> None:
    add_pull(github.repository(), 7, HEAD)
    path = "/repos/acme/bot/issues/7/comments"
    assert ask(github, "POST", path, json={"body": "🦄" * 65_536}).status_code == 201
    answer = ask(github, "POST", path, json={"body": "x" * 65_537})
    assert answer.status_code == 422
    assert "too long (maximum is 65536" in answer.text


def test_it_runs_as_a_process_of_its_own_and_keeps_its_state(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"repositories": {"acme/bot": {"private": True}}}), "utf-8")
    command = [sys.executable, "-m", "fakes.github", "--state", str(state), "--socket", str(tmp_path / "socket")]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True) as process, ending(process):
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        headers = {"Authorization": f"Bearer {JOB_TOKEN}"}
        made = requests.post(f"{url}/repos/acme/bot/issues", json={"title": "x"}, headers=headers, timeout=10)
        fault = [{"path": "/repos/.*", "status": 502, "body": "busy"}]
        requests.post(f"{url}/_fake/faults", json=fault, timeout=10)
        failed = requests.get(f"{url}/repos/acme/bot", headers=headers, timeout=10)
        over_socket = _through(tmp_path / "socket", "/repos/acme/bot/issues/1")
        seen = requests.get(f"{url}/_fake/requests", timeout=10).json()
        problems = requests.get(f"{url}/_fake/problems", timeout=10).json()
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert (made.status_code, failed.status_code, failed.text, problems) == (201, 502, "busy", [])
    assert b'"title": "x"' in over_socket
    assert [one["method"] for one in seen] == ["POST", "GET", "GET"]
    assert json.loads(state.read_text("utf-8"))["repositories"]["acme/bot"]["issues"]["1"]["title"] == "x"


@contextlib.contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


def _through(path: Path, address: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(path))
        lines = [f"GET {address} HTTP/1.1", "Host: api.github.com", f"Authorization: token {JOB_TOKEN}"]
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))
