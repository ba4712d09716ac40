"""A name for the present state of a dataset: an annotated tag that says what it holds."""

from __future__ import annotations

import hashlib
import re

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, invalid
from modelrelease.git.objects import Objects
from modelrelease.git.process import Git
from modelrelease.git.versions import Tree
from modelrelease.registry import formats
from modelrelease.registry.rows import diff_rows

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")


def snapshot(git: Git, name: str, path: str, *, push: bool) -> str:
    """Tag the commit at HEAD as ``dataset/NAME@vN``, the next N; return the tag.

    The message names the file, its sha256, and for rows their number and digest. Raises InvalidInput (MR209) where
    HEAD has no such file, Refused (MR116) where the work tree or the index holds another.
    """
    if not _NAME.fullmatch(name):
        raise invalid(name, Code.USAGE, "is no name for a snapshot", "use letters, digits, `_`, `-` and `.`")
    objects = Objects(git)
    try:
        found = Tree(git, objects, "HEAD").entry(path)
        if found is None:
            raise invalid(path, Code.UNREADABLE, "is not in HEAD", "commit it first")
        if git.ask("diff", "--quiet", "HEAD", "--", path) is None:
            raise Refused(Finding(path, Code.NOT_STAMPED, "is not as in HEAD", "commit it first, or put it back"))
        message = _message(objects, path, found.oid)
    finally:
        objects.close()
    tag = f"dataset/{name}@v{_next(git, name)}"
    git.require("tag", "--annotate", "--file=-", "--cleanup=verbatim", tag, "HEAD", stdin=message.encode("utf-8"))
    if push:
        git.require("push", "--quiet", "origin", f"refs/tags/{tag}")
    return tag


def _next(git: Git, name: str) -> int:
    tags = (git.ask("tag", "--list", f"dataset/{name}@v*") or b"").decode("utf-8", "replace").split("\n")
    numbers = [int(tag.rpartition("@v")[2]) for tag in tags if tag.rpartition("@v")[2].isdecimal()]
    return max(numbers, default=0) + 1


def _message(objects: Objects, path: str, oid: str) -> str:
    head = objects.head(oid, 1024)
    digest = hashlib.sha256()
    for piece in objects.stream(oid):
        digest.update(piece)
    lines = [path, "", f"sha256: {formats.lfs_oid(head) or digest.hexdigest()}"]
    if formats.lfs_oid(head) is None and _has_rows(objects, path, oid):
        rows = diff_rows((), objects.stream(oid), path)
        lines += [f"rows: {rows.added}", f"digest: {rows.delta:064x}"]
    return "\n".join(lines) + "\n"


def _has_rows(objects: Objects, path: str, oid: str) -> bool:
    return formats.holds_rows(path) or formats.read_governed(objects.read(oid) or b"", path).kind == formats.ROWS
