"""Who let the present run go on, and who made a commit, as GitHub's API tells it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.github.client import Api, NotFound
from modelrelease.github.writing import User
from modelrelease.records.consent import CommitAuthor, Review

_READS_RUNS = "actions: read"
_READS_COMMITS = "contents: read"
_MAX_TRAILERS = 100
_MAX_LOOKED_UP = 20
# Messages that were written in a browser have CRLF.
_TRAILER = re.compile(
    r"^[ \t]{0,9}co-authored-by:[ \t]*(?P<name>[^<\r\n]{0,200})<(?P<mail>[^<>\s]{1,254})>[ \t]*\r?$", re.I | re.M
)
# GitHub's own addresses name the account: https://docs.github.com/account-and-profile/reference/email-addresses-reference
_NOREPLY = re.compile(r"(?:(?P<id>[0-9]{1,18})\+)?(?P<login>[A-Za-z0-9-]{1,39})@users\.noreply\.[A-Za-z0-9.-]+")


class _Environment(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str


class _Reviewer(User):
    type: str | None = None


class _Review(BaseModel):
    model_config = ConfigDict(extra="ignore")
    environments: list[_Environment]
    state: Literal["approved", "rejected", "pending"]
    user: _Reviewer | None


class _Signature(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str | None = None


class _Inner(BaseModel):
    model_config = ConfigDict(extra="ignore")
    author: _Signature | None
    committer: _Signature | None
    message: str


class _Commit(BaseModel):
    model_config = ConfigDict(extra="ignore")
    sha: str
    commit: _Inner
    author: dict[str, Any] | None
    committer: dict[str, Any] | None


_REVIEWS = TypeAdapter(list[_Review])


def _reviews(data: Any) -> tuple[Review, ...]:
    return tuple(_review(one) for one in _REVIEWS.validate_python(data))


def _review(found: _Review) -> Review:
    names = tuple(one.name for one in found.environments)
    if found.user is None:
        return Review(None, "ghost", found.state, names)
    login = found.user.login or str(found.user.id)
    bot = found.user.type == "Bot" or login.endswith("[bot]")
    return Review(found.user.id, login, found.state, names, bot)


def reviews_of(api: Api, repository: str, run: int) -> tuple[Review, ...]:
    """Return all answers to the waits of a run, whatever they are: of all its attempts, and for all environments.

    Raises Unavailable (exit 3) where GitHub does not tell; the job needs ``actions: read``.
    Source: https://docs.github.com/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
    """
    return api.get(f"/repos/{repository}/actions/runs/{run}/approvals", _reviews, needs=_READS_RUNS)


def authors_of(api: Api, repository: str, commits: Iterable[str]) -> tuple[CommitAuthor, ...]:
    """Return who has a part in each of ``commits``: its author, its committer, and co-authors that its message names.

    A merge's author is who merged, so a caller names the commit that changed the version too. Raises Unavailable
    (exit 3) where GitHub does not tell, or tells of another commit.
    """
    found: dict[CommitAuthor, None] = {}
    for commit in commits:
        # Its files come in pages and are not wanted: one is the least that can be asked for.
        path = f"/repos/{repository}/commits/{quote(commit, safe='')}?per_page=1"
        told = api.get(path, _Commit.model_validate, needs=_READS_COMMITS)
        if told.sha != commit:
            message = f"tells of another commit than {commit[:12]}"
            raise Unavailable(Finding(f"GET {path}", Code.UNAVAILABLE, message, "run it again later"))
        found |= dict.fromkeys(_people(api, told))
    return tuple(found)


def _people(api: Api, told: _Commit) -> Iterator[CommitAuthor]:
    roles: tuple[tuple[Literal["author", "committer"], Any, _Signature | None], ...] = (
        ("author", told.author, told.commit.author),
        ("committer", told.committer, told.commit.committer),
    )
    for role, account, signature in roles:
        # GitHub says null or {} where an address belongs to no account.
        user = account.get("id") if account else None
        name = signature.name if signature is not None else None
        yield CommitAuthor(user if isinstance(user, int) else None, name or "", role, told.sha)
    looked_up = 0
    for number, match in enumerate(_TRAILER.finditer(told.commit.message)):
        if number >= _MAX_TRAILERS:
            return
        address = _NOREPLY.fullmatch(match["mail"])
        user = int(address["id"]) if address is not None and address["id"] else None
        if address is not None and user is None and looked_up < _MAX_LOOKED_UP:
            looked_up += 1
            user = _id_of(api, address["login"])
        yield CommitAuthor(user, match["name"].strip(), "co-author", told.sha)


def _id_of(api: Api, login: str) -> int | None:
    try:
        return api.get(f"/users/{login}", lambda data: User.model_validate(data).id, needs="a token")
    except NotFound:
        return None
