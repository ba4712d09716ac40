"""What a clone is told besides its commits: hooks, attributes, ignored files, its default branch, its tags."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from modelrelease.git.history import is_shallow
from modelrelease.git.process import Git

_REMOTE = b"refs/remotes/origin/"


def hook_file(root: Path, name: str) -> Path:
    """Return where git looks for a hook of this repository, also where ``core.hooksPath`` sends it."""
    place = Git(str(root)).require("rev-parse", "--git-path", f"hooks/{name}").removesuffix(b"\n")
    return root / os.fsdecode(place)


def attribute(root: Path, name: str, paths: Iterable[str]) -> dict[str, str]:
    """Return an attribute's value by path: a word, or ``set``, ``unset``, ``unspecified``."""
    given = b"".join(os.fsencode(path) + b"\0" for path in paths)
    out = Git(str(root)).require("check-attr", "-z", "--stdin", name, stdin=given).split(b"\0")
    return {
        os.fsdecode(path): value.decode("utf-8", "replace") for path, value in zip(out[::3], out[2::3], strict=False)
    }


def ignores(root: Path, path: str) -> bool:
    """Say whether git ignores a path, wherever that is said."""
    # Without the option that every other call has: this command takes its paths as they are, and refuses it.
    return Git(str(root)).ask("--no-literal-pathspecs", "check-ignore", "--quiet", "--", path) is not None


def known_default_branch(root: Path) -> str | None:
    """Return the short name of the branch that origin/HEAD names; None where this clone was not told."""
    found = Git(str(root)).ask("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
    return found.removeprefix(_REMOTE).decode("utf-8", "replace") if found else None


def learning_default_branch(root: Path) -> str:
    """Return the commands by which a clone with an origin gets to know its default branch, however it was cloned.

    A clone of one branch or tag has never heard of the others, and a shallow one lacks what lies behind them.
    """
    git = Git(str(root))
    named = "git remote set-head origin --auto"
    every = b"refs/heads/*:" in (git.ask("config", "--get-all", "remote.origin.fetch") or b"")
    shallow = is_shallow(git)
    if every and not shallow:
        return f"git fetch origin && {named}"
    return f"git remote set-branches origin '*' && git fetch {'--unshallow ' if shallow else ''}origin && {named}"


def sizes(root: Path, commit: str) -> dict[str, int]:
    """Return the bytes that git keeps of every file of a commit; of one in Git LFS, those of its pointer."""
    found = {}
    for record in Git(str(root)).require("ls-tree", "-r", "-l", "-z", "--full-tree", commit).split(b"\0")[:-1]:
        head, _, path = record.partition(b"\t")
        size = head.split()[3]
        found[os.fsdecode(path)] = int(size) if size.isdigit() else 0
    return found


def tagged(root: Path, prefix: str) -> dict[str, str]:
    """Return the commit of each tag that begins with ``prefix``, by the tag's name; the object of what is none."""
    listed = "--format=%(refname)%00%(objectname)%00%(*objectname)"
    lines = Git(str(root)).require("for-each-ref", listed, f"refs/tags/{prefix}*").splitlines()
    found = {}
    for line in lines:
        name, itself, peeled = line.decode("utf-8", "surrogateescape").split("\0")
        found[name.removeprefix("refs/tags/")] = peeled or itself
    return found
