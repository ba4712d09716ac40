"""What the local GitHub knows: users by token, repositories, and everything in them, as plain values."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Stored = dict[str, Any]
BOT_ID = 41898282
BOT = "github-actions[bot]"
JOB_TOKEN = "ghs_canary0123456789abcdefghijklmnopqrst"
PERSON_TOKEN = "ghp_canary0123456789abcdefghijklmnopqrst"
EVERYTHING = dict.fromkeys(
    ("actions", "checks", "contents", "deployments", "issues", "pull-requests", "statuses"), "write"
)


@dataclass
class User:
    """Who a token belongs to, and what it may do: ``{"pull-requests": "write"}``."""

    login: str
    id: int
    type: str = "User"
    permissions: dict[str, str] = field(default_factory=lambda: dict(EVERYTHING))


@dataclass
class Repository:
    """One repository. Tables go by the id or number in GitHub's addresses, as text: JSON has no other keys.

    A pull request is an issue too: both tables hold its number. ``contents`` goes by branch, then by path. ``tags``
    holds tag objects by their id (``{"type": "commit", "sha": …}`` is what each is of), ``commits`` by id who made
    them; None where GitHub knows no account.
    """

    full_name: str
    private: bool = False
    default_branch: str = "main"
    has_issues: bool = True
    settings: Stored = field(default_factory=dict)
    issues: dict[str, Stored] = field(default_factory=dict)
    pulls: dict[str, Stored] = field(default_factory=dict)
    comments: dict[str, Stored] = field(default_factory=dict)
    checks: dict[str, Stored] = field(default_factory=dict)
    statuses: list[Stored] = field(default_factory=list)
    releases: dict[str, Stored] = field(default_factory=dict)
    assets: dict[str, Stored] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, Stored] = field(default_factory=dict)
    commits: dict[str, Stored] = field(default_factory=dict)
    contents: dict[str, dict[str, str]] = field(default_factory=dict)
    deployments: dict[str, Stored] = field(default_factory=dict)
    deployment_statuses: list[Stored] = field(default_factory=list)
    approvals: dict[str, list[Stored]] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """Return the account that the repository belongs to."""
        return self.full_name.partition("/")[0]


@dataclass
class World:
    """All of it. ``ticks`` counts what happened: ids and times are made of it, so they only grow.

    ``keeps_digests``: a release's files have digests, as they have not on an older GitHub Enterprise Server.
    """

    users: dict[str, User] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    ticks: int = 0
    keeps_digests: bool = True

    def next_id(self) -> int:
        """Return an id that is higher than all before."""
        self.ticks += 1
        return 1_000_000 + self.ticks

    def now(self) -> str:
        """Return a time that is not before any other."""
        moment = datetime(2026, 1, 2, tzinfo=timezone.utc) + timedelta(seconds=self.ticks)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def plain(self) -> Stored:
        """Return the world as JSON has it."""
        return dataclasses.asdict(self)

    def user_named(self, login: str) -> User:
        """Return a user by login; one whom nobody has a token of is made up, the same each time."""
        known = next((user for user in self.users.values() if user.login == login), None)
        return known or User(login, 1 + int(hashlib.sha256(login.encode()).hexdigest()[:7], 16))


def add_commit(
    repository: Repository, sha: str, author: str | None, committer: str | None = None, message: str = "Change it"
) -> Stored:
    """Put a commit into a repository; ``committer`` is the author unless said, both are logins."""
    repository.commits[sha] = {"author": author, "committer": committer or author, "message": message}
    return repository.commits[sha]


def add_review(
    repository: Repository, run: int, login: str, *environments: str, state: str = "approved", comment: str = ""
) -> Stored:
    """Let somebody answer a run that waits for ``environments`` (production unless said)."""
    names = environments or ("production",)
    review = {"environments": list(names), "state": state, "comment": comment, "user": login}
    repository.approvals.setdefault(str(run), []).append(review)
    return review


def world_of(plain: Stored) -> World:
    """Return the world that ``plain`` describes."""
    users = {token: User(**user) for token, user in plain.get("users", {}).items()}
    repositories = {
        name: Repository(**{"full_name": name, **repository})
        for name, repository in plain.get("repositories", {}).items()
    }
    return World(users or default_users(), repositories, plain.get("ticks", 0), plain.get("keeps_digests", True))


def default_users() -> dict[str, User]:
    """Return a job's token and a person's."""
    return {JOB_TOKEN: User(BOT, BOT_ID, "Bot"), PERSON_TOKEN: User("ada", 1815)}


def add_pull(
    repository: Repository,
    number: int,
    head_sha: str,
    *,
    head_ref: str = "change",
    base_ref: str = "main",
    base_sha: str = "b" * 40,
    head_repository: str | None = None,
    files: tuple[str, ...] = (),
    author: str = "ada",
    title: str = "A change",
) -> Stored:
    """Put an open pull request into a repository; it comes from a fork where ``head_repository`` is another one."""
    common = {"number": number, "title": title, "author": author, "state": "open", "body": "", "labels": []}
    repository.issues[str(number)] = common
    repository.pulls[str(number)] = {
        "head_sha": head_sha,
        "head_ref": head_ref,
        "head_repository": head_repository or repository.full_name,
        "base_ref": base_ref,
        "base_sha": base_sha,
        "files": [{"filename": name, "status": "modified"} for name in files],
    }
    return common


def add_issue(repository: Repository, body: str, author: str = BOT, **changes: Any) -> Stored:
    """Put an open issue into a repository; ``changes`` are what of it is otherwise."""
    number = 1 + max(map(int, repository.issues), default=0)
    issue = {"number": number, "title": "An issue", "author": author, "state": "open", "body": body, "labels": []}
    repository.issues[str(number)] = {**issue, **changes}
    return repository.issues[str(number)]


def add_comment(world: World, repository: Repository, number: int, body: str, author: str = BOT) -> Stored:
    """Put a comment under an issue or pull request."""
    comment = {"id": world.next_id(), "issue": number, "body": body, "author": author, "created": world.now()}
    repository.comments[str(comment["id"])] = {**comment, "updated": comment["created"]}
    return repository.comments[str(comment["id"])]
