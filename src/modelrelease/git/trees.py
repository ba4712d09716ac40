"""What differs between two trees, and what stands in one: raw output, NUL-terminated, names in any bytes.

A path is text as ``os.fsdecode`` gives it: bytes that are not UTF-8 are lone surrogates, which no output shows raw.
"""

from __future__ import annotations

import os

from modelrelease.git.process import Git

LINK, SUBMODULE, UNMERGED = "120000", "160000", "000000"


class Entry:
    """What stands at a path: git's mode (``100644``, a link's, a submodule's) and the object's id."""

    __slots__ = ("mode", "oid")

    def __init__(self, mode: str, oid: str) -> None:
        self.mode = mode
        self.oid = oid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and (self.mode, self.oid) == (other.mode, other.oid)

    def __hash__(self) -> int:
        return hash((self.mode, self.oid))

    def __repr__(self) -> str:
        return f"Entry({self.mode!r}, {self.oid!r})"


class Delta:
    """A path that differs: both sides (None where it is missing), and its earlier path where it was renamed."""

    __slots__ = ("new", "old", "old_path", "path")

    def __init__(self, path: str, old: Entry | None, new: Entry | None, old_path: str) -> None:
        self.path = path
        self.old = old
        self.new = new
        self.old_path = old_path


def parse_raw(out: bytes) -> list[Delta]:
    """Return the deltas in the output of ``git diff-index --raw -z --no-abbrev``."""
    tokens = iter(out.split(b"\0"))
    deltas = []
    for head in tokens:
        if not head:
            continue
        old_mode, new_mode, old_oid, new_oid, status = head[1:].decode("ascii").split(" ")
        first = os.fsdecode(next(tokens))
        path = os.fsdecode(next(tokens)) if status[0] in "RC" else first
        old = None if status[0] == "A" else Entry(old_mode, old_oid)
        new = None if status[0] == "D" else Entry(new_mode, new_oid)
        deltas.append(Delta(path, old, new, first))
    return deltas


def staged(git: Git, tree: str, *, renames: bool = True) -> list[Delta] | None:
    """Return what differs between ``tree`` and the index; None where there is no such tree."""
    out = git.ask("diff-index", "--cached", *_diff_options(renames), tree, "--")
    return None if out is None else parse_raw(out)


def between(git: Git, old: str, new: str, *, renames: bool = True) -> list[Delta]:
    """Return what differs between two trees."""
    return parse_raw(git.require("diff-tree", "-r", *_diff_options(renames), old, new, "--"))


def _diff_options(renames: bool) -> tuple[str, ...]:
    return ("--raw", "-z", "--no-abbrev", "--ignore-submodules=dirty", "--find-renames" if renames else "--no-renames")


def index_entries(git: Git, paths: list[str] | None = None) -> dict[str, Entry]:
    """Return the index, or what of it stands at or below ``paths``; of a conflict, our side."""
    out = git.require("ls-files", "--stage", "-z", "--full-name", "--", *(paths or []))
    entries = {}
    for record in out.split(b"\0")[:-1]:
        head, _, name = record.partition(b"\t")
        mode, oid, stage = head.decode("ascii").split(" ")
        if stage in ("0", "2"):
            entries[os.fsdecode(name)] = Entry(mode, oid)
    return entries


def tree_entries(git: Git, tree: str, paths: list[str] | None = None) -> dict[str, Entry]:
    """Return the files of a tree, or those of ``paths``."""
    out = git.require("ls-tree", "-r", "-z", "--full-tree", tree, "--", *(paths or []))
    entries = {}
    for record in out.split(b"\0")[:-1]:
        head, _, name = record.partition(b"\t")
        mode, _, oid = head.decode("ascii").split(" ")
        entries[os.fsdecode(name)] = Entry(mode, oid)
    return entries


def untracked(git: Git) -> list[str]:
    """Return the files of the work tree that git neither tracks nor ignores."""
    out = git.require("ls-files", "--others", "--exclude-standard", "-z", "--full-name")
    return [os.fsdecode(name) for name in out.split(b"\0")[:-1]]


def empty_tree(git: Git) -> str:
    """Return the id of the tree without files, in the repository's own hash."""
    return git.require("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()


def unstaged(git: Git) -> list[str]:
    """Return the tracked files of the work tree that are not as in the index, or gone."""
    out = git.require("diff", "--no-ext-diff", "--no-renames", "--ignore-submodules", "--name-only", "-z")
    return [os.fsdecode(name) for name in out.split(b"\0")[:-1]]
