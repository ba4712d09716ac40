"""What a target in a folder keeps beside the files: what was released, and where a stage stands."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeVar

from pydantic import Field

from modelrelease.records.base import Document, Sha256
from modelrelease.records.evaluation import CheckpointFile
from modelrelease.records.strict_json import read_json
from modelrelease.records.text import decode
from modelrelease.records.validation import validate
from modelrelease.release.targets.target import FileDigest, PlannedRelease

MANIFEST = ".release.json"
T = TypeVar("T", bound=Document)


class Manifest(Document):
    """``.release.json`` of a version: a commit's content and message, in a folder that has no commits.

    The digest of its bytes is what names the release for good, as a commit does on the Hub.
    """

    schema_version: Literal[1] = 1
    version: str
    message: str
    files: tuple[CheckpointFile, ...] = Field(min_length=1)


class StageFile(Document):
    """``stages/<name>.json``. ``release`` is the digest of the version's ``.release.json``; ``moves`` counts."""

    schema_version: Literal[1] = 1
    stage: str
    version: str
    release: Sha256
    moves: int = Field(ge=1)


def manifest_of(release: PlannedRelease) -> Manifest:
    """Return what a folder keeps of a release."""
    listed = sorted(release.digests, key=lambda file: file.path)
    files = tuple(CheckpointFile(path=one.path, size=one.size, sha256=one.sha256 or "") for one in listed)
    return Manifest(version=release.version, message=f"{release.title}\n\n{release.body}".rstrip(), files=files)


def digests_in(manifest: Manifest) -> tuple[FileDigest, ...]:
    """Return what a manifest says the files are."""
    return tuple(FileDigest(one.path, one.size, one.sha256) for one in manifest.files)


def parse(kind: type[T], data: bytes, path: str) -> T:
    """Return one of the documents above; InvalidInput (MR2xx) where it is malformed."""
    return validate(kind, read_json(decode(data, path), path))


def commit_of(data: bytes) -> str:
    """Return what names these bytes for good: their sha256."""
    return hashlib.sha256(data).hexdigest()
