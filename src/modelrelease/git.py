"""The only caller of git. Every value is an argument, never an option: names can begin with a dash."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Unavailable, shorten
from modelrelease.settings import git_environment

TIMEOUT = 60


@dataclass(frozen=True)
class Head:
    """Where a work tree stands: its commit, None before the first, and whether tracked files differ from it."""

    sha: str | None
    dirty: bool | None


def head(folder: Path) -> Head:
    """Return where the work tree around ``folder`` stands; all None outside of one or without git."""
    try:
        sha = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
        if sha.returncode != 0:
            return Head(None, None)
        status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.TimeoutExpired):
        return Head(None, None)
    return Head(sha.stdout.decode().strip(), bool(status.stdout.strip()))


def read_at(folder: Path, ref: str, path: str) -> bytes:
    """Return the bytes of ``path`` (relative to ``folder``) as committed at ``ref``.

    Raises InvalidInput (MR209) where the ref or the path is not there, Unavailable where git is not.
    """
    try:
        prefix = _git(folder, "rev-parse", "--show-prefix").stdout.decode().strip()
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        sha = commit.stdout.decode().strip()
        found = _git(folder, "cat-file", "blob", f"{sha}:{prefix}{path}") if sha else commit
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"git did not answer: {error}"
        raise Unavailable(
            Finding(path, Code.UNAVAILABLE, message, "install git, or call it from a checkout")
        ) from error
    if found.returncode != 0:
        what = f"{ref!r} names no commit" if not sha else f"is not in {shorten(ref, 80)!r}"
        raise InvalidInput(Finding(path, Code.UNREADABLE, what, "fetch it, or name another ref"))
    return found.stdout


def create(folder: Path) -> None:
    """Make a repository in ``folder``; Unavailable (exit 3) where git cannot."""
    _require(folder, "init", "--quiet", "--initial-branch=main")


def commit_all(folder: Path, message: str) -> None:
    """Commit everything in the work tree of ``folder``, as modelrelease where nobody else is configured."""
    _require(folder, "add", "--all")
    known = _git(folder, "config", "user.email").returncode == 0 and _git(folder, "config", "user.name").returncode == 0
    person = () if known else ("-c", "user.name=modelrelease", "-c", "user.email=modelrelease@localhost")
    _require(folder, *person, "commit", "--quiet", "--no-verify", "--no-gpg-sign", f"--message={message}")


@dataclass(frozen=True)
class Person:
    """Who commits here, as git's configuration says."""

    name: str
    email: str


def work_tree(folder: Path) -> Path:
    """Return the root of the work tree around ``folder``.

    Raises InvalidInput (MR601) where there is none (no repository, a bare one, or git's own folder), Unavailable
    where git is not there.
    """
    done = _asked(folder, "rev-parse", "--show-toplevel")
    root = os.fsdecode(done.stdout.removesuffix(b"\n"))
    if done.returncode != 0 or not root:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").partition("\n")[0]
        message = f"is in no git work tree ({shorten(said, 200)})" if said else "is in no git work tree"
        todo = "name a folder of a repository that has files checked out, or run `git init` there first"
        raise InvalidInput(Finding(str(folder), Code.USAGE, message, todo))
    return Path(root)


def files(root: Path) -> list[str]:
    """Return the paths in a work tree that git tracks or would add, relative to ``root``, sorted.

    Bytes that are no UTF-8 are kept as ``os.fsdecode`` keeps them. Raises Unavailable where git cannot list them.
    """
    done = _asked(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if done.returncode != 0:
        message = f"git could not list its files: {shorten(done.stderr.decode('utf-8', 'replace').strip(), 300)}"
        raise Unavailable(Finding(str(root), Code.UNAVAILABLE, message, "see what `git ls-files` says here"))
    return sorted({os.fsdecode(name) for name in done.stdout.split(b"\0") if name})


def person(root: Path) -> Person | None:
    """Return who commits here; None where git has no name or no address for them."""
    name, email = (_line(root, "config", "--get", f"user.{key}") for key in ("name", "email"))
    return Person(name, email) if name and email else None


def default_branch(root: Path) -> str | None:
    """Return what ``origin/HEAD`` names, else `main` or `master` where there is one, else the branch checked out."""
    if named := _line(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"):
        return named.removeprefix("origin/")
    for branch in ("main", "master"):
        for place in ("refs/heads", "refs/remotes/origin"):
            if _line(root, "rev-parse", "--verify", "--quiet", f"{place}/{branch}"):
                return branch
    return _line(root, "symbolic-ref", "--quiet", "--short", "HEAD")


def remote_url(root: Path) -> str | None:
    """Return the address of the remote `origin`, None where there is none."""
    return _line(root, "config", "--get", "remote.origin.url")


def _line(root: Path, *arguments: str) -> str | None:
    done = _asked(root, *arguments)
    return done.stdout.decode("utf-8", "replace").strip() or None if done.returncode == 0 else None


def _asked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return _git(folder, *arguments)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"git did not answer: {error}"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, "see that git is installed")) from error


def _require(folder: Path, *arguments: str) -> None:
    try:
        done = _git(folder, *arguments)
        problem = done.stderr.decode("utf-8", "replace").strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        message = f"git could not do its part: {shorten(problem, 300)}"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, "see that git is installed and runs here"))


def _inside_plain_files(folder: Path) -> bool:
    """Say whether git would take tracked files for a repository: HEAD, objects/ and refs/ without a .git above.

    A pull request can bring such files, and with them a config that names commands, and refs of its own.
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / ".git").exists():
            return False
        if (place / "HEAD").exists() and (place / "objects").is_dir() and (place / "refs").is_dir():
            return True
    return False


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    if _inside_plain_files(folder):
        return subprocess.CompletedProcess(arguments, 128, b"", b"the folder holds a repository among its files")
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, env=git_environment())
