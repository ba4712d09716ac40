"""A branch that only ever grows, one commit at a time: read whole, and extended by compare-and-swap.

The branch is an orphan, never checked out. Where there is a remote it is the remote's, and the push is the lock: a
server takes a commit only on top of what it has. Without one it is a local branch, moved from its old value alone.
Neither the work tree nor the index is touched, and no hook runs.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.git.process import Git
from modelrelease.git.remotes import run, said

_SEEN = "refs/modelrelease/seen/"
_ID = re.compile(r"[0-9a-f]{40,64}")
_HEADER = re.compile(rb"[0-9a-f]{40,64}")


class Raced(Exception):
    """Somebody else's commit is on the branch, and ours is not."""


@dataclass(frozen=True)
class Delta:
    """One path that a commit changed: git's status letter, and the blob's id where it is a plain file there."""

    path: str
    status: str
    blob: str | None


@dataclass(frozen=True)
class Link:
    """A commit of the branch against its first parent."""

    commit: str
    parents: tuple[str, ...]
    changes: tuple[Delta, ...]


@dataclass(frozen=True)
class Branch:
    """Where an append-only branch is kept: in the repository around ``folder``, on ``remote`` where that is not None.

    ``offline``: read what this clone saw last, and ask the remote for nothing.
    """

    folder: Path
    name: str
    remote: str | None
    offline: bool = False

    @property
    def seen(self) -> str:
        """The ref that keeps what this clone saw last."""
        return f"{_SEEN}{self.name}" if self.remote is not None else f"refs/heads/{self.name}"


def fetch(branch: Branch) -> str | None:
    """Return the branch's newest commit, fetched from its remote, None where there is no such branch yet.

    What this clone saw before is not given up: see :func:`seen` and :func:`remember`. Unavailable (exit 3) where the
    remote does not answer or does not let us in.
    """
    if branch.remote is None or branch.offline:
        return seen(branch)
    listed = _reach(branch, "ls-remote", "--", branch.remote, f"refs/heads/{branch.name}").split()
    if not listed:
        return None
    commit = listed[0].decode("ascii", "replace")
    if not _ID.fullmatch(commit):
        raise _unavailable(branch, "answered something that is no commit")
    known = seen(branch)
    if _has(branch.folder, commit, known):
        return commit
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
    _reach(branch, "fetch", *options, "--", branch.remote, f"refs/heads/{branch.name}")
    if not _has(branch.folder, commit, known):
        raise _unavailable(branch, "did not hand over the branch that it names")
    return commit


def seen(branch: Branch) -> str | None:
    """Return what this clone saw as the branch's newest commit, None where it never saw one."""
    return _commit_at(branch.folder, branch.seen)


def _commit_at(folder: Path, ref: str) -> str | None:
    done = run(folder, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    return done.stdout.decode("ascii", "replace").strip() or None if done.returncode == 0 else None


def unpushed(branch: Branch, tip: str | None) -> str | None:
    """Return the head of the local branch of this name where the remote's, at ``tip``, does not contain it.

    That is what is left of a branch that was begun before there was a remote. Offline, the remote's branch is what this
    clone knows of it, and what it has seen or fetched stands for all of it.
    """
    if branch.remote is None:
        return None
    here = _commit_at(branch.folder, f"refs/heads/{branch.name}")
    if here is None or (branch.offline and seen(branch) is not None):
        return None
    there = tip or _commit_at(branch.folder, f"refs/remotes/{branch.remote}/{branch.name}") if branch.offline else tip
    return here if there is None or not _contains(branch.folder, there, here) else None


def remember(branch: Branch, commit: str) -> None:
    """Keep ``commit`` as what this clone saw last; the caller has made sure that it continues what was seen before."""
    if branch.remote is not None:
        _require(branch.folder, "update-ref", branch.seen, commit)


def history(branch: Branch, tip: str) -> list[Link]:
    """Return every commit from the first to ``tip``, along all parents, oldest first."""
    listed = _require(branch.folder, "rev-list", "--reverse", "--topo-order", "--parents", tip).decode("ascii")
    lines = [line.split() for line in listed.splitlines()]
    changes = _changes(branch.folder, [line[0] for line in lines])
    return [Link(line[0], tuple(line[1:]), changes.get(line[0], ())) for line in lines]


@contextlib.contextmanager
def contents(branch: Branch, limit: int) -> Iterator[Callable[[str], bytes]]:
    """Give what reads blobs by id, through one process; of one over ``limit`` bytes nothing but its start."""
    from modelrelease.git.objects import Objects

    objects = Objects(Git(str(branch.folder)))
    try:
        yield lambda blob: objects.head(blob, limit)
    finally:
        objects.close()


def append(branch: Branch, parent: str | None, path: str, data: bytes, message: str) -> str:
    """Add a commit with one more file on top of ``parent``, and return its id once the branch has it.

    Raises Raced where the branch has moved, Unavailable (exit 3) where the remote fails; a push whose answer was lost
    is looked up before either.
    """
    commit = _commit(branch.folder, parent, path, data, message)
    _publish(branch, parent, commit)
    remember(branch, commit)
    return commit


def _publish(branch: Branch, parent: str | None, commit: str) -> None:
    ref = f"refs/heads/{branch.name}"
    if branch.remote is None:
        if run(branch.folder, "update-ref", "--create-reflog", ref, commit, parent or "0" * len(commit)).returncode:
            raise Raced
        return
    options = ("--quiet", "--no-verify", "--no-follow-tags", "--no-recurse-submodules")
    done = run(branch.folder, "push", *options, "--", branch.remote, f"{commit}:{ref}", remote=True)
    if done.returncode == 0:
        return
    now = fetch(branch)
    if now is not None and _contains(branch.folder, now, commit):
        return  # it was taken, and the answer was lost
    if now != parent:
        raise Raced
    raise _unavailable(branch, said(done))


def _commit(folder: Path, parent: str | None, path: str, data: bytes, message: str) -> str:
    blob = _require(folder, "hash-object", "-w", "--stdin", given=data).decode("ascii").strip()
    tree = _tree(folder, parent, path, blob)
    parents = ("-p", parent) if parent is not None else ()
    command = (*_identity(folder), "commit-tree", "--no-gpg-sign", tree, *parents)
    return _require(folder, *command, given=message.encode("utf-8")).decode("ascii").strip()


def _tree(folder: Path, parent: str | None, path: str, blob: str) -> str:
    """Return the tree of ``parent`` with ``path`` (one folder and a name) besides."""
    place, name = path.split("/")
    inside = _require(folder, "ls-tree", "-z", f"{parent}:{place}") if parent is not None else b""
    entry = f"100644 blob {blob}\t{name}\0".encode("ascii")
    inner = _require(folder, "mktree", "-z", given=inside + entry).decode("ascii").strip()
    return _require(folder, "mktree", "-z", given=f"040000 tree {inner}\t{place}\0".encode("ascii")).decode().strip()


def _identity(folder: Path) -> tuple[str, ...]:
    """Who commits, where git knows nobody: the event itself says who did what."""
    done = run(folder, "var", "GIT_COMMITTER_IDENT")
    return () if done.returncode == 0 else ("-c", "user.name=modelrelease", "-c", "user.email=modelrelease@localhost")


def _changes(folder: Path, commits: list[str]) -> dict[str, tuple[Delta, ...]]:
    """Return what each commit changed against its first parent; of a merge only that it is one is of interest."""
    options = ("--stdin", "--root", "-r", "-z", "--no-renames", "--no-abbrev", "--raw")
    out = _require(folder, "diff-tree", *options, given="".join(f"{commit}\n" for commit in commits).encode("ascii"))
    found: dict[str, list[Delta]] = {}
    current: list[Delta] = []
    tokens = iter(out.split(b"\0"))
    for token in tokens:
        if _HEADER.fullmatch(token):
            current = found.setdefault(token.decode("ascii"), [])
        elif token.startswith(b":"):
            _, mode, _, blob, status = token.decode("ascii").split(" ")
            path = os.fsdecode(next(tokens))
            current.append(Delta(path, status[:1], blob if mode == "100644" else None))
    return {commit: tuple(changes) for commit, changes in found.items()}


def _contains(folder: Path, tip: str, commit: str) -> bool:
    return run(folder, "merge-base", "--is-ancestor", commit, tip).returncode == 0


def _has(folder: Path, commit: str, known: str | None) -> bool:
    """Say whether the commit and all that it stands on are here; so is all that ``known`` stands on, which was read."""
    besides = (f"^{known}",) if known is not None else ()
    done = run(folder, "rev-list", "--objects", "--quiet", commit, *besides, "--")
    return done.returncode == 0


def _reach(branch: Branch, *arguments: str) -> bytes:
    done = run(branch.folder, *arguments, remote=True)
    if done.returncode:
        raise _unavailable(branch, said(done))
    return done.stdout


def _require(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = run(folder, *arguments, given=given)
    if done.returncode:
        message = f"git could not do its part: {said(done)}"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, "see that this is a git repository"))
    return done.stdout


def _unavailable(branch: Branch, problem: str) -> Unavailable:
    message = f"the remote {branch.remote!r} {problem}" if problem.startswith(("answered", "did not")) else problem
    todo = "see that the remote can be reached, and that its credentials may push this branch"
    return Unavailable(Finding(branch.name, Code.UNAVAILABLE, f"cannot be read or extended: {message}", todo))
