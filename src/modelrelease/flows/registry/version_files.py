"""Version folders where they stand: in the index or a commit, or in the work tree. Weights are never held in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from modelrelease.errors import Finding
from modelrelease.flows.blobs import describe_blobs
from modelrelease.flows.registry.standing import file_size, work_tree_bytes
from modelrelease.git import trees
from modelrelease.git.objects import Objects
from modelrelease.git.versions import Tree
from modelrelease.records.checkpoints import committed_file
from modelrelease.records.evaluation import CheckpointFile
from modelrelease.records.hash_memory import HashMemory
from modelrelease.records.hashing import hash_files
from modelrelease.records.strict_json import MAX_DOCUMENT

_SMALL = 1 << 20
_PLAIN = "100644"


class Files(Protocol):
    """What stands at paths: their ids where they are regular files, what they hold, and how they are described."""

    def below(self, folder: str) -> Mapping[str, trees.Entry]:
        """Return the files below a folder, by whole path."""

    def read(self, path: str) -> bytes | None:
        """Return a regular file's bytes, None where there is none."""

    def document(self, path: str) -> bytes | None:
        """Return what ``read`` does, and of what is larger than a document may be only so much that it shows."""

    def describe(self, paths: Iterable[str]) -> dict[str, CheckpointFile]:
        """Return size and sha256 of regular files; a Git LFS pointer stands for its file."""


class InGit:
    """The files of a tree or of the index."""

    def __init__(self, tree: Tree, objects: Objects, top: str) -> None:
        self._tree = tree
        self._objects = objects
        self._top = top

    @cached_property
    def _entries(self) -> dict[str, trees.Entry]:
        return self._tree.entries([self._top] if self._top else None)

    def below(self, folder: str) -> Mapping[str, trees.Entry]:
        """Return the files below a folder, by whole path."""
        return _below(self._entries, folder)

    def read(self, path: str) -> bytes | None:
        """Return a regular file's bytes, None where there is none."""
        oid = self._regular(path)
        return self._objects.read(oid) if oid is not None else None

    def document(self, path: str) -> bytes | None:
        """Return what ``read`` does, and of what is larger than a document may be only so much that it shows."""
        oid = self._regular(path)
        return self._objects.head(oid, MAX_DOCUMENT + 1) if oid is not None else None

    def _regular(self, path: str) -> str | None:
        entry = self._entries.get(path)
        return entry.oid if entry is not None and entry.mode not in (trees.LINK, trees.SUBMODULE) else None

    def describe(self, paths: Iterable[str]) -> dict[str, CheckpointFile]:
        """Return size and sha256 of regular files; a Git LFS pointer stands for its file."""
        return describe_blobs(self._objects, {path: self._entries[path].oid for path in paths})


class InWorkTree:
    """The files of the work tree that git tracks or would add; links are not followed."""

    def __init__(self, root: str, paths: Iterable[str], memory: HashMemory | None) -> None:
        self._root = root
        self._memory = memory
        self._entries = {path: trees.Entry(self._mode(path), "") for path in paths}

    def below(self, folder: str) -> Mapping[str, trees.Entry]:
        """Return the files below a folder, by whole path."""
        return _below(self._entries, folder)

    def read(self, path: str) -> bytes | None:
        """Return a regular file's bytes, None where there is none."""
        found = work_tree_bytes(self._root, path)
        return None if isinstance(found, Finding) else found

    def document(self, path: str) -> bytes | None:
        """Return what ``read`` does, and of what is larger than a document may be only so much that it shows."""
        if (file_size(self._root, path) or 0) <= MAX_DOCUMENT:
            return self.read(path)
        with Path(self._root, path).open("rb") as stream:
            return stream.read(MAX_DOCUMENT + 1)

    def describe(self, paths: Iterable[str]) -> dict[str, CheckpointFile]:
        """Return size and sha256 of regular files; a Git LFS pointer stands for its file."""
        named = list(paths)
        small = [path for path in named if (file_size(self._root, path) or 0) <= _SMALL]
        found = {path: committed_file(path, self.read(path) or b"") for path in small}
        large = [path for path in named if path not in found]
        hashed = hash_files([Path(self._root) / path for path in large], self._memory)
        for path, (size, sha256) in zip(large, hashed, strict=True):
            found[path] = CheckpointFile(path=path, size=size, sha256=sha256)
        return found

    def _mode(self, path: str) -> str:
        place = os.path.join(self._root, path)  # noqa: PTH118 - names may be bytes that pathlib would change
        if os.path.islink(place):  # noqa: PTH114
            return trees.LINK
        return trees.SUBMODULE if os.path.isdir(place) else _PLAIN  # noqa: PTH112


def _below(entries: Mapping[str, trees.Entry], folder: str) -> dict[str, trees.Entry]:
    return {path: entry for path, entry in entries.items() if path.startswith(f"{folder}/")}
