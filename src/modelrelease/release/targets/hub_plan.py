"""What one commit has to do so that a branch holds a release and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from modelrelease.release.targets.contents import RESERVED, nowhere, same
from modelrelease.release.targets.hub_client import Changes, Copy
from modelrelease.release.targets.target import FileDigest, PlannedFile, PlannedRelease

Tree = Mapping[str, FileDigest]
Others = Callable[[], Sequence[tuple[str, Tree]]]


def publishing(address: str, release: PlannedRelease, head: str, tree: Tree, others: Others) -> Changes:
    """Return the changes from the branch's head to a release: what is there stays, weights move by copies.

    ``others`` are further commits and their trees, asked for only where a file has no source of its own.
    Raises InvalidInput (MR705) for a file that is nowhere.
    """
    add: list[PlannedFile] = []
    copy: list[Copy] = []
    for file in release.files:
        if file.path in tree and same(file.digest, tree[file.path]):
            continue
        found = _found(file, ((head, tree),))
        if found is None and file.source is None:
            found = _found(file, others())
            if found is None:
                raise nowhere(address, file.path)
        if found is not None:
            copy.append(found)
        else:
            add.append(file)
    return Changes(tuple(add), tuple(copy), _too_many(tree, {file.path for file in release.files}))


def _found(file: PlannedFile, trees: Sequence[tuple[str, Tree]]) -> Copy | None:
    """Return a large file with the same bytes; small ones would be downloaded and sent again by the client."""
    for commit, tree in trees:
        for path, known in tree.items():
            if known.sha256 is not None and (known.sha256, known.size) == (file.digest.sha256, file.digest.size):
                return Copy(path, commit, file.path)
    return None


def mirroring(release: str, wanted: Tree, tree: Tree) -> Changes:
    """Return the changes that let a branch at ``tree`` hold what the commit ``release`` holds, all on the server."""
    copy = [
        Copy(path, release, path)
        for path, file in wanted.items()
        if path not in RESERVED and not (path in tree and same(file, tree[path]))
    ]
    return Changes((), tuple(copy), _too_many(tree, wanted))


def _too_many(tree: Tree, wanted: Tree | set[str]) -> tuple[str, ...]:
    return tuple(path for path in tree if path not in wanted and path not in RESERVED)


def clashes(release: PlannedRelease, before: Tree, after: Tree) -> list[str]:
    """Return the release's files that somebody else has changed between two commits."""
    paths = (file.path for file in release.files)
    return [
        path for path in paths if (one := before.get(path)) != (other := after.get(path)) and not _equal(one, other)
    ]


def _equal(one: FileDigest | None, other: FileDigest | None) -> bool:
    return one is not None and other is not None and same(one, other)
