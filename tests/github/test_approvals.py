"""Who approved a run and who made a commit, through the real PyGithub."""

from __future__ import annotations

import json

import pytest
from announcer import Announcer
from fakes.github import BOT_ID, FakeGitHub, User, add_commit, add_review
from fakes.github import faults as go_wrong

from modelrelease.errors import Unavailable
from modelrelease.github.approvals import authors_of, reviews_of
from modelrelease.github.client import Client
from modelrelease.records.consent import CommitAuthor, Review
from modelrelease.release.approval import judge_approvals, lacking

COMMIT = "c" * 40
APPROVALS = "/repos/acme/bot/actions/runs/5/approvals"


@pytest.fixture
def client(github: FakeGitHub) -> Client:
    github.world.users["bob"] = User("bob", 2)
    github.world.users["eve"] = User("eve", 3)
    return Announcer(github).client


def test_the_run_s_own_answers_are_read(github: FakeGitHub, client: Client) -> None:
    add_review(github.repository(), 5, "ada", state="rejected", comment="not yet\n@x")
    add_review(github.repository(), 5, "bob", "production", "staging")
    add_review(github.repository(), 6, "eve")
    assert reviews_of(client, "acme/bot", 5) == (
        Review(1815, "ada", "rejected", ("production",)),
        Review(2, "bob", "approved", ("production", "staging")),
    )
    assert reviews_of(client, "acme/bot", 7) == ()


def test_people_of_a_commit(github: FakeGitHub, client: Client) -> None:
    message = """Train it again

Co-authored-by: Bob <2+bob@users.noreply.github.com>
co-authored-by: Eve <eve@users.noreply.github.com>
Co-authored-by: Gone <ghost-1@users.noreply.github.com>
Co-authored-by: A Model <noreply@example.org>
Co-authored-by: <no address
"""
    add_commit(github.repository(), COMMIT, "ada", "web-flow", message)
    web = github.world.user_named("web-flow").id
    assert authors_of(client, "acme/bot", [COMMIT, COMMIT]) == (
        CommitAuthor(1815, "ada", "author", COMMIT),
        CommitAuthor(web, "web-flow", "committer", COMMIT),
        CommitAuthor(2, "Bob", "co-author", COMMIT),
        CommitAuthor(3, "Eve", "co-author", COMMIT),
        CommitAuthor(None, "Gone", "co-author", COMMIT),
        CommitAuthor(None, "A Model", "co-author", COMMIT),
    )
    asked = [request.query for request in github.requests if request.path.endswith(COMMIT)]
    assert asked == [{"per_page": "1"}, {"per_page": "1"}]


def test_an_address_of_no_account_is_somebody_unknown(github: FakeGitHub, client: Client) -> None:
    add_commit(github.repository(), COMMIT, None)
    assert [one.user_id for one in authors_of(client, "acme/bot", [COMMIT])] == [None, None]
    empty = {"sha": COMMIT, "commit": {"author": None, "committer": {"name": "x"}, "message": ""}}
    github.fault("GET", ".*/commits/.*", status=200, body=json.dumps({**empty, "author": {}, "committer": None}))
    assert [(one.user_id, one.name) for one in authors_of(client, "acme/bot", [COMMIT])] == [(None, ""), (None, "x")]


def test_a_message_of_trailers_without_end_is_looked_at_to_a_bound(github: FakeGitHub, client: Client) -> None:
    lines = "\n".join(f"Co-authored-by: x <u{n}@users.noreply.github.com>" for n in range(5000))
    add_commit(github.repository(), COMMIT, "ada", "ada", lines)
    assert len(authors_of(client, "acme/bot", [COMMIT])) <= 102
    assert len([one for one in github.requests if one.path.startswith("/users/")]) == 20


def test_another_commit_than_was_asked_for_is_none(github: FakeGitHub, client: Client) -> None:
    """A name that is also a branch's would be answered with the branch's commit."""
    add_commit(github.repository(), "d" * 40, "ada")
    github.repository().refs[f"refs/heads/{COMMIT}"] = "d" * 40
    with pytest.raises(Unavailable, match="tells of another commit than cccccccccccc"):
        authors_of(client, "acme/bot", [COMMIT])


def test_an_author_s_own_approval_is_not_enough_and_another_s_is(github: FakeGitHub, client: Client) -> None:
    add_commit(github.repository(), COMMIT, "ada", "web-flow")
    add_review(github.repository(), 5, "ada")

    def judged() -> str | None:
        reviews, authors = reviews_of(client, "acme/bot", 5), authors_of(client, "acme/bot", [COMMIT])
        found = lacking("other", judge_approvals("other", reviews, authors, "production"), "production")
        return str(found) if found is not None else None

    assert "ada (author of the commit cccccccccccc)" in (judged() or "")
    add_review(github.repository(), 5, "bob", state="rejected")
    add_review(github.repository(), 5, "bob", "staging")
    assert "bob (rejected), bob (for another environment)" in (judged() or "")
    add_review(github.repository(), 5, "bob")
    assert judged() is None


@pytest.mark.parametrize(
    "body", ['{"a": 1}', '[{"state": "approved"}]', '[{"state": "x", "user": null, "environments": []}]', "[", "null"]
)
def test_an_answer_that_is_none_is_no_approval(github: FakeGitHub, client: Client, body: str) -> None:
    github.fault("GET", APPROVALS, times=5, status=200, body=body)
    with pytest.raises(Unavailable, match="GitHub's answer is not what it should be"):
        reviews_of(client, "acme/bot", 5)


def test_the_permission_is_named_and_a_busy_server_is_asked_again(github: FakeGitHub, client: Client) -> None:
    github.world.users["reader"] = User("github-actions[bot]", BOT_ID, "Bot", {"contents": "write"})
    with pytest.raises(Unavailable, match=r"403: .*`actions: read`"):
        reviews_of(Announcer(github, "reader").client, "acme/bot", 5)
    for fault in (go_wrong.error(502), go_wrong.retry_after(7), {"reset": True}):
        github.fault("GET", APPROVALS, **fault)
    assert reviews_of(client, "acme/bot", 5) == ()


@pytest.mark.parametrize(
    ("user", "bot"),
    [
        ({"id": 2, "login": "bob", "type": "User"}, False),
        ({"id": 2, "login": "bob"}, False),
        ({"id": 41898282, "login": "github-actions[bot]", "type": "Bot"}, True),
        ({"id": 41898282, "login": "github-actions[bot]"}, True),
        ({"id": 7, "login": "helper", "type": "Bot"}, True),
    ],
)
def test_a_program_s_account_is_told_from_a_person_s(
    github: FakeGitHub, client: Client, user: dict[str, object], bot: bool
) -> None:
    answer = [{"environments": [{"name": "production"}], "state": "approved", "user": user}]
    github.fault("GET", APPROVALS, status=200, body=json.dumps(answer))
    (found,) = reviews_of(client, "acme/bot", 5)
    assert found.bot is bot


@pytest.mark.parametrize("end", ["\n", "\r\n", " \r\n"])
@pytest.mark.parametrize("before", ["", "  "])
def test_a_message_from_a_browser_names_its_co_authors(
    github: FakeGitHub, client: Client, before: str, end: str
) -> None:
    message = end.join(["Mend it", "", f"{before}Co-authored-by: Bob <2+bob@users.noreply.github.com>", ""])
    add_commit(github.repository(), COMMIT, "ada", "ada", message)
    assert CommitAuthor(2, "Bob", "co-author", COMMIT) in authors_of(client, "acme/bot", [COMMIT])
