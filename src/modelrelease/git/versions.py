"""A tree or the index as files by path, read through one ``cat-file``."""

from __future__ import annotations

import os

from modelrelease.git import trees
from modelrelease.git.objects import Objects
from modelrelease.git.process import Git

INDEX = ":0"


class Tree:
    """The files of a commit (by its id), or of the index (``INDEX``)."""

    __slots__ = ("_git", "_objects", "name")

    def __init__(self, git: Git, objects: Objects, name: str) -> None:
        self._git = git
        self._objects = objects
        self.name = name

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, of a link its target's name; None where there is none."""
        found = self.find(path)
        return None if found is None else found[1]

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Return a file's object id and bytes; None where there is none."""
        if "\n" not in path:
            return self._objects.read_as(f"{self.name}:{path}")
        entry = self.entry(path)  # a request to cat-file ends at a line's end
        return None if entry is None else self._objects.read_as(entry.oid)

    def entry(self, path: str) -> trees.Entry | None:
        """Return what stands at ``path``, its content unread."""
        return self.entries([path]).get(path)

    def entries(self, paths: list[str] | None = None) -> dict[str, trees.Entry]:
        """Return the files, or those at or below ``paths``, with mode and object id."""
        if self.name == INDEX:
            return trees.index_entries(self._git, paths)
        return trees.tree_entries(self._git, self.name, paths)


def find_root(folder: str) -> str | None:
    """Return the top of the work tree around ``folder``; None outside of one.

    Only a ``.git`` makes one: tracked files that look like a repository could bring a config of their own.
    """
    place = os.path.abspath(folder)  # noqa: PTH100 - pathlib costs 5 ms to import
    while not os.path.lexists(os.path.join(place, ".git")):  # noqa: PTH118
        above = os.path.dirname(place)  # noqa: PTH120
        if above == place:
            return None
        place = above
    return place
