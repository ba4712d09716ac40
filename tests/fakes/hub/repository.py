"""One repository of the Hub: a bare git repository, in which large files are Git LFS pointers."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_POINTER = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_POINTER_SIZES = range(100, 200)
_FIELD, _RECORD = "\x1f", "\x1e"
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "acme"), ("EMAIL", "acme@example.org"))
}


class NoSuchRevision(Exception):
    """The name is no branch, tag or commit here."""


class HeadMoved(Exception):
    """The branch is not where the writer believed it to be."""


class NoSuchFile(Exception):
    """A file that is to be deleted is not there."""


@dataclass(frozen=True)
class Entry:
    """A file or folder of a tree; ``lfs`` is the sha256 and size of what a pointer stands for."""

    path: str
    oid: str
    size: int
    folder: bool = False
    lfs: tuple[str, int] | None = None


@dataclass(frozen=True)
class Commit:
    """One commit of a branch."""

    id: str
    author: str
    date: str
    title: str
    message: str


def pointer(sha256: str, size: int) -> bytes:
    """Return the text that git keeps of a large file. Source: the Git LFS specification."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


class Repository:
    """A bare repository at ``path``; what it does is what git does."""

    def __init__(self, path: Path, *, private: bool = False) -> None:
        self.path = path
        self.private = private
        self._trees: dict[str, list[Entry]] = {}
        if not path.exists():
            path.mkdir(parents=True)
            self.git("init", "--quiet", "--bare", "--initial-branch=main")
            attributes = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
            self.commit("main", None, "initial commit", {".gitattributes": attributes}, ())

    def git(self, *arguments: str, data: bytes | None = None) -> bytes:
        """Run git; CalledProcessError where it fails."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        alone = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C", **_IDENTITY}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            input=data,
            capture_output=True,
            check=True,
            env={**outside, **alone},
        )
        return done.stdout

    def refs(self) -> dict[str, str]:
        """Return the commit of every ref by its full name; an annotated tag's is the commit it is of."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)").decode()
        rows = [line.split() for line in listed.splitlines()]
        return {row[0]: row[-1] for row in rows}

    def resolve(self, revision: str) -> str:
        """Return the commit that a branch, a tag or an id names, in this order."""
        if revision in self._trees:
            return revision
        refs = self.refs()
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if name in refs:
                return refs[name]
        try:
            return self.git("rev-parse", "--quiet", "--verify", f"{revision}^{{commit}}").decode().strip()
        except subprocess.CalledProcessError:
            raise NoSuchRevision(revision) from None

    def tree(self, commit: str) -> list[Entry]:
        """Return all files and folders of a commit; those of one commit never change."""
        if commit not in self._trees:
            self._trees[commit] = self._listed(commit)
        return self._trees[commit]

    def _listed(self, commit: str) -> list[Entry]:
        listed = self.git("ls-tree", "-r", "-t", "-l", "-z", commit).decode().split("\0")
        found = []
        for line in filter(None, listed):
            meta, path = line.split("\t", 1)
            _, kind, oid, size = meta.split()
            found.append(Entry(path, oid, 0 if size == "-" else int(size), kind == "tree"))
        pointers = self._pointers([entry.oid for entry in found if entry.size in _POINTER_SIZES])
        return [
            Entry(one.path, one.oid, one.size, one.folder, pointers.get(one.oid)) if one.oid in pointers else one
            for one in found
        ]

    def _pointers(self, oids: list[str]) -> dict[str, tuple[str, int]]:
        blobs = self.blobs(oids)
        matches = {oid: _POINTER.fullmatch(data) for oid, data in blobs.items()}
        return {oid: (match[1].decode(), int(match[2])) for oid, match in matches.items() if match}

    def blobs(self, oids: list[str]) -> dict[str, bytes]:
        """Return the contents of blobs, asked for in one go."""
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        out = self.git("cat-file", "--batch", data="".join(f"{oid}\n" for oid in wanted).encode())
        found, at = {}, 0
        for oid in wanted:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            found[oid] = out[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found

    def log(self, commit: str) -> Iterator[Commit]:
        """Yield a commit and all before it."""
        form = _FIELD.join(("%H", "%an", "%cI", "%s", "%b")) + _RECORD
        for record in self.git("log", f"--format={form}", commit).decode().split(_RECORD):
            if record.strip("\n"):
                yield Commit(*record.strip("\n").split(_FIELD))

    def commit(
        self,
        branch: str,
        parent: str | None,
        message: str,
        files: Mapping[str, bytes],
        deleted: tuple[str, ...] | list[str],
    ) -> str:
        """Commit and move ``branch`` in one step; HeadMoved where it is not at ``parent`` (any commit if None).

        A name in ``deleted`` that ends with a slash is a folder.
        """
        ref = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        old = self.refs().get(ref)
        if old is None and (branch != "main" or self.refs()):
            raise NoSuchRevision(branch)
        if parent is not None and parent != old:
            raise HeadMoved
        if old is not None:
            there = {entry.path for entry in self.tree(old)}
            if missing := [path for path in deleted if path.rstrip("/") not in there]:
                raise NoSuchFile(missing[0])
        scratch = f"refs/scratch/{uuid.uuid4().hex}"
        self.git("fast-import", "--quiet", "--done", data=_stream(scratch, old, message, files, deleted))
        new = self.git("rev-parse", scratch).decode().strip()
        self.git("update-ref", "-d", scratch)
        try:
            self.git("update-ref", ref, new, old or "0" * 40)
        except subprocess.CalledProcessError:
            raise HeadMoved from None
        return new

    def create_ref(self, name: str, commit: str) -> bool:
        """Create a ref, and say whether there was none."""
        try:
            self.git("update-ref", name, commit, "0" * 40)
        except subprocess.CalledProcessError:
            return False
        return True


def _stream(
    ref: str, parent: str | None, message: str, files: Mapping[str, bytes], deleted: tuple[str, ...] | list[str]
) -> bytes:
    """Return a commit in the words of git fast-import."""
    lines = [f"commit {ref}\n".encode(), b"committer acme <acme@example.org> now\n", _data(message.encode())]
    if parent is not None:
        lines.append(f"from {parent}\n".encode())
    lines += [b"D " + _quoted(path.rstrip("/")) + b"\n" for path in deleted]
    for path, data in files.items():
        lines += [b"M 100644 inline " + _quoted(path) + b"\n", _data(data)]
    return b"".join([b"feature date-format=now\n", *lines, b"done\n"])


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    plain = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'.encode()
