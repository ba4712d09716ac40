"""Where a version's own files are: in the commit that it was released from, as tagged, merged, or not committed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import InvalidInput, invalid
from modelrelease.flows.trees import Tree
from modelrelease.records.config import Config
from modelrelease.release.versions import version_key


@dataclass(frozen=True)
class VersionPlace:
    """A version's folder. ``tree`` is None where it is in no commit, and read from the work tree."""

    project: Project
    folder: str
    tree: Tree | None
    tag: str | None = None

    def read(self, name: str) -> bytes | None:
        """Return a file of the folder, None where there is none that can be read."""
        path = f"{self.folder}/{name}"
        try:
            if self.tree is None:
                return self.project.read(path)
            return self.tree.read(path) if self.tree.entries([path]) else None
        except InvalidInput:
            return None


def known_tag(config: Config, version: str) -> str:
    """Return the name of a version's git tag; with the model's name where there are several."""
    return f"{config.name}/{version}" if config.name else version


def check_name(version: str) -> str:
    """Return the name of a version given by name or folder; InvalidInput (MR411) where it is none."""
    name = version.rstrip("/").rpartition("/")[2]
    if version_key(name) is None:
        raise invalid(version, Code.VERSION_NAME, "is no version", "write it like model_v1.0")
    return name


def find_version(project: Project, config: Config, version: str, released_from: str | None) -> VersionPlace | None:
    """Return where the version's files are, None where no version of this name is known here.

    ``released_from`` is the commit that the ledger names; it counts where this clone has it.
    """
    for commit, tag in _commits(project, config, version, released_from):
        tree = Tree(project.root, commit, project.config_path)
        folder = f"{(tree.config or config).models}/{version}"
        if tree.entries([f"{folder}/"]):
            return VersionPlace(project, folder, tree, tag)
    folder = f"{(project.config or config).models}/{version}"
    return VersionPlace(project, folder, None) if (project.root / folder).is_dir() else None


def _commits(
    project: Project, config: Config, version: str, released_from: str | None
) -> Iterator[tuple[str, str | None]]:
    name, root = known_tag(config, version), project.root
    tagged = git.tag_commit(root, name)
    if released_from is not None and git.commit_of(root, released_from) is not None:
        yield released_from, name if tagged == released_from else None
    if tagged is not None:
        yield tagged, name
    for ref in ("HEAD", git.default_branch(root)):
        commit = git.commit_of(root, ref) if ref is not None else None
        if commit is not None:
            yield commit, None
