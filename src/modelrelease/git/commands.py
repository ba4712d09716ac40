"""The only caller of git. Every value is an argument, never an option: names can begin with a dash."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Unavailable, shorten
from modelrelease.settings import git_environment

TIMEOUT = 60
_EXPORT_TIMEOUT = 6 * 3600  # weights, which filters may have to fetch
REMOTE, LOCAL = "refs/remotes/origin/", "refs/heads/"
_LINK, _FILE = "120000", b"100"
_ID = re.compile(r"[0-9a-f]{40,64}")
_BLOB = re.compile(rb"[0-9a-f]{40,64} blob \d+")


@dataclass(frozen=True)
class Head:
    """Where a work tree stands: its commit, None before the first, and whether tracked files differ from it."""

    sha: str | None
    dirty: bool | None


@dataclass(frozen=True)
class Entry:
    """What a commit has at a path: the id of its content, and whether that is only where a link leads."""

    id: str
    link: bool = False


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
    """Return the bytes of ``path`` (relative to ``folder``) as committed at ``ref``, links inside the commit followed.

    Raises InvalidInput (MR209) where the ref or the path is not there, Unavailable where git is not, or where it has
    the path without its content, as in a partial clone: what is there and cannot be read must not pass for missing.
    """
    sha = ref if _ID.fullmatch(ref) else commit_of(folder, ref) or ""
    found = _content(folder, f"{sha}^{{commit}}:{_from_here(folder, path)}") if sha else None
    sha = sha if found is not None else commit_of(folder, ref) or ""
    if found is None and sha and _ask(folder, "ls-tree", sha, "--", path).stdout.startswith(_FILE):
        message, todo = f"git cannot read what {shorten(ref, 80)!r} has there", "fetch all of it, without a `filter:`"
        raise Unavailable(Finding(path, Code.UNAVAILABLE, message, todo))
    if found is None:
        what = f"{ref!r} names no commit" if not sha else f"is not in {shorten(ref, 80)!r}"
        raise InvalidInput(Finding(path, Code.UNREADABLE, what, "fetch it, or name another ref"))
    return found


def commit_of(folder: Path, ref: str) -> str | None:
    """Return the id of the commit that ``ref`` names, None where there is none or no repository.

    Raises Unavailable (exit 3) where git does not trust the folder, as in a container of another user.
    """
    done = _ask(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if b"dubious ownership" in done.stderr:
        message, todo = "git does not read a repository of another user", "name it in git's `safe.directory`"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, todo))
    answer = done.stdout.decode().strip()
    return answer if _ID.fullmatch(answer) else None  # several ids are a range


def default_branch(folder: Path) -> str | None:
    """Return a ref of the default branch: what origin/HEAD names, else a main or master; None without any.

    Refs in full: a tag that somebody names `main` would else come first.
    """
    named = _line(folder, "symbolic-ref", "--quiet", f"{REMOTE}HEAD")
    refs = (named, f"{REMOTE}main", f"{REMOTE}master", f"{LOCAL}main", f"{LOCAL}master")
    return next((ref for ref in refs if ref and commit_of(folder, ref)), None)


def short_name(ref: str) -> str:
    """Return the name of a branch, which may have slashes in it, by its ref in full."""
    return ref.removeprefix(REMOTE if ref.startswith(REMOTE) else LOCAL)


def name_default_branch(folder: Path, branch: str) -> bool:
    """Let origin/HEAD name ``branch``, as a clone does and GitHub's checkout does not; say whether origin has it."""
    ref = f"{REMOTE}{branch}"
    known = _ask(folder, "check-ref-format", ref).returncode == 0 and commit_of(folder, ref) is not None
    return known and _ask(folder, "symbolic-ref", f"{REMOTE}HEAD", ref).returncode == 0


def merge_base(folder: Path, one: str, other: str) -> str | None:
    """Return the best common ancestor of two commits, None where history ends before one (as in a shallow clone)."""
    done = _ask(folder, "merge-base", "--end-of-options", one, other)
    return done.stdout.decode().strip() or None


def is_ancestor(folder: Path, one: str, other: str) -> bool:
    """Say whether the commit ``one`` is ``other`` or comes before it, as far as this clone's history tells."""
    return _ask(folder, "merge-base", "--is-ancestor", one, other).returncode == 0


def last_change(folder: Path, commit: str, path: str) -> str | None:
    """Return the newest commit up to ``commit`` that touched ``path``, None where none did."""
    return _line(folder, "log", "-1", "--format=%H", "--end-of-options", commit, "--", path)


def tag_commit(folder: Path, tag: str) -> str | None:
    """Return the commit of the tag ``tag``, None where there is no such tag: a branch of that name is none."""
    return commit_of(folder, f"refs/tags/{tag}")


def files_in(folder: Path, commit: str, *paths: str) -> dict[str, Entry]:
    """Return every file of ``commit`` at or below ``paths``; a submodule counts as one.

    Paths are relative to ``folder``, inside the repository, and literal. Raises Unavailable (exit 3) where git fails:
    a tree that cannot be read must not pass for an empty one.
    """
    found = _ask(folder, "ls-tree", "-r", "-z", commit, "--", *paths)
    if found.returncode != 0:
        problem = shorten(found.stderr.decode("utf-8", "replace").strip(), 300)
        message = f"git could not list {commit[:10]}: {problem}"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, "fetch the whole history"))
    entries = [entry.partition("\t") for entry in found.stdout.decode("utf-8", "surrogateescape").split("\0") if entry]
    return {path: Entry(facts.split()[2], facts.startswith(_LINK)) for facts, _, path in entries}


def export(folder: Path, commit: str, path: str, into: Path) -> Path:
    """Write the folder ``path`` of ``commit`` below ``into``, filters such as Git LFS applied; return where it is.

    What is filtered, and how, is what ``commit`` says: the .gitattributes in the work tree may be another commit's,
    and change every byte. The user's index and work tree are not touched. Raises Unavailable (exit 3) where git or
    the disk fails.
    """
    prefix, names = _prefix(folder), files_in(folder, commit, f"{path}/")
    with tempfile.TemporaryDirectory() as scratch:
        # Where the work tree has no .gitattributes, git takes those in the index.
        apart = {"GIT_INDEX_FILE": str(Path(scratch) / "index"), "GIT_WORK_TREE": scratch}
        _require(folder, "cat-file", "-e", f"{commit}:{prefix}{path}")
        _require(folder, "read-tree", commit, more=apart)
        command = ("checkout-index", "--force", f"--prefix={into.absolute()}/", "-z", "--stdin")
        given = "\0".join(f"{prefix}{name}" for name in names)
        _require(folder, *command, more=apart, timeout=_EXPORT_TIMEOUT, given=given)
    return into / prefix / path


def lfs_object(folder: Path, sha256: str) -> Path | None:
    """Return the file with which Git LFS keeps this content in the repository around ``folder``, None without it.

    Source: git-lfs' docs/spec.md, ".git/lfs/objects"; what it holds is for the caller to hash.
    """
    shared = _line(folder, "rev-parse", "--git-common-dir")
    if shared is None:
        return None
    place = folder / shared / "lfs" / "objects" / sha256[:2] / sha256[2:4] / sha256
    return place if place.is_file() else None


def create(folder: Path) -> None:
    """Make a repository in ``folder``; Unavailable (exit 3) where git cannot."""
    _require(folder, "init", "--quiet", "--initial-branch=main")


def name_somebody(folder: Path) -> None:
    """Let the repository in ``folder`` say that modelrelease commits here, where git knows nobody's name or address."""
    if person(folder) is None:
        _require(folder, "config", "user.name", "modelrelease")
        _require(folder, "config", "user.email", "modelrelease@localhost")


def add_all(folder: Path) -> None:
    """Stage everything in the work tree of ``folder``."""
    _require(folder, "add", "--all")


def commit_all(folder: Path, message: str) -> None:
    """Commit everything in the work tree of ``folder``, as modelrelease where nobody else is configured."""
    add_all(folder)
    name_somebody(folder)
    _require(folder, "commit", "--quiet", "--no-verify", "--no-gpg-sign", f"--message={message}")


def tag(folder: Path, name: str) -> None:
    """Tag the commit that is checked out; Unavailable (exit 3) where git cannot, as where the tag is there."""
    _require(folder, "tag", "--no-sign", "--", name)


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
    done = _ask(folder, "rev-parse", "--show-toplevel")
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
    done = _ask(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if done.returncode != 0:
        message = f"git could not list its files: {shorten(done.stderr.decode('utf-8', 'replace').strip(), 300)}"
        raise Unavailable(Finding(str(root), Code.UNAVAILABLE, message, "see what `git ls-files` says here"))
    return sorted({os.fsdecode(name) for name in done.stdout.split(b"\0") if name})


def person(root: Path) -> Person | None:
    """Return who commits here; None where git has no name or no address for them."""
    name, email = (_line(root, "config", "--get", f"user.{key}") for key in ("name", "email"))
    return Person(name, email) if name and email else None


def remote_url(root: Path) -> str | None:
    """Return the address of the remote `origin`, None where there is none."""
    return _line(root, "config", "--get", "remote.origin.url")


def branch(root: Path) -> str | None:
    """Return the branch that is checked out; None where the work tree stands at a commit, or without a repository."""
    return _line(root, "symbolic-ref", "--quiet", "--short", "HEAD")


def is_committed(root: Path, path: str) -> bool:
    """Say whether the commit that is checked out has ``path``, a file or all of a folder, just as it stands here.

    ``path`` is relative to ``root``. What git ignores inside a folder is not committed either, and of what it was told
    not to look at (`git update-index --assume-unchanged`, `--skip-worktree`) nobody can say.
    """
    return are_committed(root, [path])


def are_committed(root: Path, paths: Sequence[str]) -> bool:
    """Say of several at once what :func:`is_committed` says of one: True where all of them are."""
    if not paths:
        return True
    listed = _ask(root, "ls-files", "-v", "-z", "--error-unmatch", "--", *paths)
    if listed.returncode != 0 or any(entry and not entry.startswith(b"H ") for entry in listed.stdout.split(b"\0")):
        return False
    differing = _ask(root, "status", "--porcelain", "--untracked-files=all", "--ignored", "--", *paths)
    return differing.returncode == 0 and not differing.stdout.strip()


def _line(root: Path, *arguments: str) -> str | None:
    done = _ask(root, *arguments)
    return done.stdout.decode("utf-8", "replace").strip() or None if done.returncode == 0 else None


def _prefix(folder: Path) -> str:
    """Return where ``folder`` is in its repository: nothing, or a path with a slash at its end."""
    return os.fsdecode(_ask(folder, "rev-parse", "--show-prefix").stdout.removesuffix(b"\n"))


def _from_here(folder: Path, path: str) -> str:
    """Return a path as git finds it when it runs in ``folder``; asking for the prefix takes a process of its own."""
    plain = not {"", ".", ".."} & {*path.split("/")}  # others git would tidy up by other rules
    return f"./{path}" if plain else f"{_prefix(folder)}{path}"


def _content(folder: Path, name: str) -> bytes | None:
    """Return the bytes of ``commit:path``, links followed as far as they stay in the commit; None where no file is."""
    if "\n" in name:  # git's protocol is one name a line
        return None
    head, _, content = _ask(folder, "cat-file", "--batch", "--follow-symlinks", given=name).stdout.partition(b"\n")
    return content[:-1] if _BLOB.fullmatch(head) else None


def _ask(folder: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run git for an answer; what it says by failing is for the caller to tell. Unavailable (exit 3) without git."""
    try:
        return _git(folder, *arguments, given=given)
    except (OSError, subprocess.TimeoutExpired) as error:
        message, todo = f"git did not answer: {error}", "see that git is installed and runs here"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, todo)) from error


def _require(
    folder: Path,
    *arguments: str,
    more: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
    given: str = "",
) -> None:
    try:
        done = _git(folder, *arguments, more=more, timeout=timeout, given=given)
        problem = done.stderr.decode("utf-8", "replace").strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        message = f"git could not do its part: {shorten(problem, 300)}"
        raise Unavailable(Finding(str(folder), Code.UNAVAILABLE, message, "see that git is installed and runs here"))


def _inside_plain_files(folder: Path) -> bool:
    """Say whether git would take tracked files for a repository: HEAD, objects/ and refs/ without a .git above.

    A pull request can bring such files, and with them a config that names commands, and refs of its own. The last two
    may lie where a file `commondir` says, and HEAD may be a link that leads nowhere. Git from 2.38 on can be told
    itself (`safe.bareRepository`).
    """
    for place in (folder.absolute(), *folder.absolute().parents):
        if (place / ".git").exists():
            return False
        there = {name for name in ("HEAD", "objects", "refs", "commondir") if os.path.lexists(place / name)}
        if there >= {"HEAD", "commondir"} or there >= {"HEAD", "objects", "refs"}:
            return True
    return False


def _git(
    folder: Path,
    *arguments: str,
    more: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
    given: str = "",
) -> subprocess.CompletedProcess[bytes]:
    if _inside_plain_files(folder):
        return subprocess.CompletedProcess(arguments, 128, b"", b"the folder holds a repository among its files")
    safe = ("-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit")
    command = ["git", "--literal-pathspecs", *safe, "-C", str(folder), *arguments]
    environment = {**git_environment(), **(more or {})}
    return subprocess.run(
        command, input=os.fsencode(given), capture_output=True, timeout=timeout, check=False, env=environment
    )
