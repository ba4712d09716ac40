"""Whose consent counts for a release. Pure: GitHub's answers in, the ledger's approvals out.

GitHub lets one reviewer approve, and by default also who started the run, so what a policy asks for is judged here.
Source: https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from modelrelease.codes import Code
from modelrelease.errors import Finding, escape_controls, shorten
from modelrelease.records.consent import CommitAuthor, Review
from modelrelease.records.ledger import Approval

Policy = Literal["none", "any", "other"]
_MAX_NAME = 100
_UNKNOWN = "GitHub knows no account"


def judge_approvals(
    policy: Policy, reviews: Iterable[Review], authors: Sequence[CommitAuthor], environment: str | None = None
) -> tuple[Approval, ...]:
    """Return every answer to the run and whether it counts, one for each environment that it was for.

    ``environment`` is the one that the job runs in; an answer for another does not count. Under ``other`` an author,
    a committer or a co-author of the version's commit does not count, and nobody does where GitHub cannot say who the
    author or committer is: whoever approved may be the same person. Who started the run counts as anybody does.
    """
    found: dict[Approval, None] = {}
    for review in reviews:
        for name in review.environments or (None,):
            why = _why_not(policy, review, name, authors, environment)
            login = escape_controls(shorten(review.login, _MAX_NAME))
            shown = escape_controls(shorten(name, _MAX_NAME)) if name is not None else None
            found[Approval(
                login=login, user_id=review.user_id, environment=shown, at=None, counts=why is None, why=why
            )] = None  # fmt: skip
    return tuple(found)


def _why_not(
    policy: Policy, review: Review, name: str | None, authors: Sequence[CommitAuthor], environment: str | None
) -> str | None:
    """Return why an answer does not count, None where it does."""
    if review.state != "approved":
        return review.state
    if environment is not None and (name is None or name.casefold() != environment.casefold()):
        return "for another environment"
    if review.user_id is None:
        return "the account is gone"
    if review.bot:
        return "a bot, and no person"
    return _not_another(review, authors) if policy == "other" else None


def _not_another(review: Review, authors: Sequence[CommitAuthor]) -> str | None:
    """Return why somebody is not certainly another person than those who made the commit."""
    own = next((author for author in authors if author.user_id == review.user_id), None)
    if own is not None:
        return f"{own.role} of the commit {own.commit[:12]}"
    unknown = next((one for one in authors if one.user_id is None and one.role != "co-author"), None)
    if unknown is not None:
        return f"{_UNKNOWN} of the {unknown.role} of the commit {unknown.commit[:12]}"
    return None if any(one.role == "author" for one in authors) else f"{_UNKNOWN} of the commit's author"


def lacking(policy: Policy, approvals: Sequence[Approval], environment: str | None = None) -> Finding | None:
    """Return what an approval policy still asks for (MR743, to be refused), None where nothing."""
    if policy == "none" or any(approval.counts for approval in approvals):
        return None
    place = f"the environment `{environment}`" if environment is not None else "the environment of the publishing job"
    setup = f"set required reviewers on {place} (Settings, Environments), run it again and let"
    who = "somebody approve who is not the author of the version's commit" if policy == "other" else "one approve"
    message = f"is `{policy}`, and {_said(approvals)}"
    if any((approval.why or "").startswith(_UNKNOWN) for approval in approvals):
        who += "; the commit's e-mail addresses have to belong to GitHub accounts"
    return Finding("release.approval", Code.NOT_APPROVED, message, f"{setup} {who}")


def _said(approvals: Sequence[Approval]) -> str:
    if not approvals:
        return "nobody has approved this run"
    return "no approval of this run counts: " + ", ".join(f"{one.login} ({one.why})" for one in approvals[:5])
