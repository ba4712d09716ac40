"""Whose consent counts, under each policy."""

from __future__ import annotations

from typing import Any

import pytest

from modelrelease.records.consent import CommitAuthor, Review
from modelrelease.records.ledger import Approval
from modelrelease.release.approval import Policy, judge_approvals, lacking

COMMIT = "c" * 40
ADA, BOB, EVE = 1, 2, 3
AUTHORS = (CommitAuthor(ADA, "Ada", "author", COMMIT), CommitAuthor(19864447, "GitHub", "committer", COMMIT))


def review(user: int | None, login: str = "x", state: Any = "approved", *environments: str) -> Review:
    return Review(user, login, state, environments or ("production",))


def whys(policy: Policy, *reviews: Review, authors: Any = AUTHORS, environment: str | None = "production") -> list[Any]:
    return [one.why for one in judge_approvals(policy, reviews, authors, environment)]


UNKNOWN = f"GitHub knows no account of the author of the commit {COMMIT[:12]}"


@pytest.mark.parametrize(
    ("policy", "given", "why"),
    [
        ("any", review(ADA), None),
        ("any", review(BOB), None),
        ("any", review(BOB, "x", "rejected"), "rejected"),
        ("any", review(BOB, "x", "pending"), "pending"),
        ("any", review(BOB, "x", "approved", "staging"), "for another environment"),
        ("any", review(BOB, "x", "approved", "Production"), None),
        ("any", review(None, "ghost"), "the account is gone"),
        ("any", Review(BOB, "x", "approved", ("production",), bot=True), "a bot, and no person"),
        ("none", review(BOB), None),
        ("none", review(BOB, "x", "rejected"), "rejected"),
        ("other", review(BOB), None),
        ("other", review(ADA), f"author of the commit {COMMIT[:12]}"),
        ("other", review(ADA, "ada-under-another-name"), f"author of the commit {COMMIT[:12]}"),
        ("other", review(19864447), f"committer of the commit {COMMIT[:12]}"),
        ("other", review(BOB, "ada"), None),
        ("other", review(BOB, "x", "rejected"), "rejected"),
    ],
)
def test_one_answer(policy: Policy, given: Review, why: str | None) -> None:
    (found,) = judge_approvals(policy, [given], AUTHORS, "production")
    assert (found.why, found.counts) == (why, why is None)
    assert (found.login, found.user_id, found.at) == (given.login, given.user_id, None)


@pytest.mark.parametrize(
    ("authors", "why"),
    [
        ((CommitAuthor(ADA, "Ada", "author", COMMIT), CommitAuthor(BOB, "Bob", "co-author", COMMIT)), "co-author of"),
        ((CommitAuthor(None, "Ada", "author", COMMIT),), UNKNOWN),
        ((*AUTHORS, CommitAuthor(None, "x", "committer", "d" * 40)), "GitHub knows no account of the committer of the"),
        ((*AUTHORS, CommitAuthor(None, "a model", "co-author", COMMIT)), None),
        ((*AUTHORS, CommitAuthor(BOB, "Bob", "author", "d" * 40)), f"author of the commit {'d' * 12}"),
        ((CommitAuthor(EVE, "Eve", "committer", COMMIT),), "GitHub knows no account of the commit's author"),
        ((), "GitHub knows no account of the commit's author"),
    ],
)
def test_another_has_to_be_certainly_another(authors: tuple[CommitAuthor, ...], why: str | None) -> None:
    (found,) = whys("other", review(BOB), authors=authors)
    assert (found is None) if why is None else found.startswith(why)
    assert whys("any", review(BOB), authors=authors) == [None]


def test_every_environment_is_judged_and_every_answer_kept_once() -> None:
    both = Review(BOB, "bob", "approved", ("production", "staging"))
    found = judge_approvals("any", [both, review(ADA, "ada", "rejected"), both], AUTHORS, "production")
    assert [(one.login, one.environment, one.counts) for one in found] == [
        ("bob", "production", True),
        ("bob", "staging", False),
        ("ada", "production", False),
    ]
    assert whys("any", both, environment=None) == [None, None]
    assert whys("any", Review(BOB, "bob", "approved", ())) == ["for another environment"]
    assert whys("any", Review(BOB, "bob", "approved", ()), environment=None) == [None]


def test_text_of_others_is_kept_on_one_line_and_short() -> None:
    (found,) = judge_approvals("any", [Review(BOB, "bo\x1bb\n", "approved", ("e" * 500,))], AUTHORS)
    assert found.login == "bo\\x1bb\\n"
    assert len(found.environment or "") == 100


def approval(counts: bool, why: str | None = None) -> Approval:
    return Approval(login="bob", user_id=BOB, environment="production", at=None, counts=counts, why=why)


@pytest.mark.parametrize(
    ("policy", "approvals", "said"),
    [
        ("none", (), None),
        ("any", (approval(True),), None),
        ("other", (approval(False, "rejected"), approval(True)), None),
        (
            "any",
            (),
            "is `any`, and nobody has approved this run; set required reviewers on the environment `production`",
        ),
        ("any", (approval(False, "rejected"),), "no approval of this run counts: bob (rejected); set required"),
        ("other", (), "somebody approve who is not the author of the version's commit"),
        ("other", (approval(False, UNKNOWN),), "e-mail addresses have to belong to GitHub accounts"),
    ],
)
def test_what_is_lacking_and_what_to_do(policy: Policy, approvals: tuple[Approval, ...], said: str | None) -> None:
    found = lacking(policy, approvals, "production")
    assert (found is None) if said is None else said in str(found)
    if found is not None:
        assert str(found).startswith("release.approval: MR743 ")
