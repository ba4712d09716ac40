"""Git's blobs as files of a checkpoint: size and sha256, read in pieces, since weights are larger than memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.git.objects import Objects
from modelrelease.records.checkpoints import committed_file
from modelrelease.records.evaluation import CheckpointFile

_SMALL = 1 << 20


def describe_blobs(objects: Objects, blobs: Mapping[str, str]) -> dict[str, CheckpointFile]:
    """Return what stands at each path, given the ids of its blobs; a Git LFS pointer stands for its file.

    Raises Unavailable (MR111) where this repository does not hold one, as in a partial clone.
    """
    sizes = objects.sizes(list(dict.fromkeys(blobs.values()))) if blobs else {}
    missing = next((path for path, oid in blobs.items() if oid not in sizes), None)
    if missing is not None:
        todo = "fetch all of it, without a `filter:`; a submodule is no place for weights"
        raise Unavailable(Finding(missing, Code.HISTORY, "git does not hold its content here", todo))
    return {path: _describe(objects, path, oid, sizes[oid]) for path, oid in blobs.items()}


def _describe(objects: Objects, path: str, oid: str, size: int) -> CheckpointFile:
    if size <= _SMALL:
        return committed_file(path, objects.read(oid) or b"")
    digest = hashlib.sha256()
    for piece in objects.stream(oid):
        digest.update(piece)
    return CheckpointFile(path=path, size=size, sha256=digest.hexdigest())
