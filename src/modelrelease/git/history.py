"""Commits: where a branch began, who wrote what, and which versions a file has had."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from modelrelease.git.objects import Objects
from modelrelease.git.process import Git

# origin/HEAD is what the remote itself calls its default branch; the others are what people call it.
DEFAULT_BRANCHES = (
    "refs/remotes/origin/HEAD",
    "refs/heads/main",
    "refs/heads/master",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
)

_ID = re.compile(r"[0-9a-f]{40,64}")


class Identity:
    """Somebody's name and email address."""

    __slots__ = ("email", "name")

    def __init__(self, name: str, email: str) -> None:
        self.name = name
        self.email = email

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Commit:
    """A commit: its id, author (as written, and by .mailmap), co-authors, day, and what it left at its paths."""

    __slots__ = ("authors", "day", "files", "merge", "sha", "subject")

    def __init__(self, sha: str, authors: list[Identity], day: str, subject: str, merge: bool) -> None:
        self.sha = sha
        self.authors = authors
        self.day = day
        self.subject = subject
        self.merge = merge
        self.files: dict[str, str | None] = {}


def parse_identity(text: str) -> Identity:
    """Return the name and address in ``Name <address> ...``."""
    name, _, rest = text.partition("<")
    return Identity(name.strip(), rest.partition(">")[0].strip())


def author_of_next_commit(git: Git) -> Identity | None:
    """Return who git would name as the author now; None where git does not know."""
    ident = git.ask("var", "GIT_AUTHOR_IDENT")
    return None if ident is None else parse_identity(ident.decode("utf-8", "replace"))


def mapped(git: Git, person: Identity) -> Identity:
    """Return who somebody is by .mailmap."""
    found = git.ask("check-mailmap", str(person))
    return person if found is None else parse_identity(found.decode("utf-8", "replace"))


def default_branch(objects: Objects) -> tuple[str, str] | None:
    """Return the full name of the default branch's ref, and its commit; None where there is none."""
    for name in DEFAULT_BRANCHES:
        found = objects.read_as(name)
        if found is not None:
            return name, found[0]
    return None


def on_branch(git: Git, ref: str) -> bool:
    """Return whether HEAD is the branch ``ref``; for a remote's, the local branch of the same name."""
    head = git.ask("symbolic-ref", "--quiet", "HEAD")
    if head is None:
        return False
    remote = ref.startswith("refs/remotes/")
    target = (git.ask("symbolic-ref", "--quiet", ref) if remote else None) or ref.encode()
    return head.removeprefix(b"refs/heads/") == target.removeprefix(b"refs/heads/").removeprefix(
        b"refs/remotes/origin/"
    )


def commit_id(git: Git, ref: str) -> str | None:
    """Return the id of the commit that ``ref`` names; None where it names none.

    A branch of this name comes before a tag: git would take the tag, which more people may push.
    """
    own = ref == "HEAD" or _ID.fullmatch(ref) is not None
    for name in (ref,) if own else (f"refs/remotes/{ref}", f"refs/heads/{ref}", ref):
        found = git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found:
            return found.decode("ascii")
    return None


def committed_at(git: Git, sha: str) -> str | None:
    """Return when a commit was made, as ISO 8601 with its zone; None where it is not here."""
    found = git.ask("show", "--no-patch", "--format=%cI", "--end-of-options", sha)
    return found.decode("ascii", "replace") if found else None


def reachable(git: Git, sha: str) -> frozenset[str]:
    """Return a commit and all those before it, as far as this clone has them."""
    return frozenset(git.require("rev-list", "--end-of-options", sha).decode("ascii").split())


def merge_base(git: Git, one: str, other: str) -> str | None:
    """Return the best common ancestor of two commits; None where history shows none."""
    found = git.ask("merge-base", one, other)
    return found.decode("ascii") if found else None


def is_shallow(git: Git) -> bool:
    """Return whether history is cut off in this clone."""
    return git.ask("rev-parse", "--is-shallow-repository") == b"true"


def merge_heads(git: Git, objects: Objects) -> list[str]:
    """Return the commits that are being merged into HEAD; empty outside of a merge."""
    if objects.read("MERGE_HEAD") is None:
        return []
    place = git.ask("rev-parse", "--git-path", "MERGE_HEAD")
    try:
        with open(os.path.join(os.fsencode(git.folder), place or b""), encoding="ascii") as lines:  # noqa: PTH118, PTH123
            return lines.read().split()
    except (OSError, ValueError):
        return []


_CO_AUTHORS = "%(trailers:key=Co-authored-by,valueonly,separator=%x1f)"
_PARTS = ("%H", "%P", "%as", "%an <%ae>", "%aN <%aE>", _CO_AUTHORS, "%s")
_FORMAT = "--format=%x00" + "%x00".join(_PARTS)


def commits(
    git: Git, revisions: list[str], paths: list[str] | None = None, limit: int | None = None
) -> Iterator[Commit]:
    """Yield the commits of ``revisions`` (newest first) with the files that each touched.

    A merge touches what differs from any of its parents.
    """
    bound = [] if limit is None else [f"--max-count={limit}"]
    arguments = ("-z", "-m", "--no-renames", "--raw", "--no-abbrev", _FORMAT, *bound, *revisions, "--", *(paths or []))
    tokens = iter(git.require("log", *arguments).split(b"\0"))
    commit: Commit | None = None
    for token in tokens:
        head = token.lstrip(b"\n")
        if head.startswith(b":") and commit is not None:
            oid = head.split(b" ")[3].decode("ascii")
            commit.files[os.fsdecode(next(tokens))] = None if oid.strip("0") == "" else oid
        elif not head:
            fields = [next(tokens, None) for _ in _PARTS]
            if fields[0] is None or fields[-1] is None:
                break
            sha, parents, day, written, by_mailmap, others, subject = (
                (field or b"").decode("utf-8", "replace") for field in fields
            )
            if commit is None or commit.sha != sha:
                if commit is not None:
                    yield commit
                people = [written, by_mailmap, *(name for name in others.split("\x1f") if name)]
                commit = Commit(sha, [parse_identity(person) for person in people], day, subject, " " in parents)
    if commit is not None:
        yield commit
