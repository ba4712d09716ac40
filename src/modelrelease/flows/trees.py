"""A commit's files as a project sees them: its config, its version folders, whatever a suite names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from modelrelease import git
from modelrelease.config import is_inside, outside, parse_config
from modelrelease.errors import InvalidInput
from modelrelease.flows.blobs import describe_blobs
from modelrelease.git import Entry
from modelrelease.git.objects import Objects
from modelrelease.git.process import Git
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import CHECKPOINT_FOLDER, files_digest, in_digest
from modelrelease.records.config import Config
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.strict_json import read_document
from modelrelease.release.resolution import VersionFolder
from modelrelease.release.versions import version_key

_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Tree:
    """One commit; paths are relative to ``root``, the folder of modelrelease.yaml."""

    root: Path
    commit: str
    config_path: str

    def read(self, path: str) -> bytes:
        """Return a file as committed; InvalidInput (MR209) where there is none, or the path leads out."""
        if not is_inside(path):
            raise outside(path)
        return git.read_at(self.root, self.commit, path)

    def entries(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return what there is of those of ``paths`` that are files or links here."""
        wanted = sorted(path for path in set(paths) if is_inside(path))
        return git.files_in(self.root, self.commit, *wanted) if wanted else {}

    @cached_property
    def config(self) -> Config | None:
        """The config as committed, None where there is none that can be read.

        A malformed one on the target branch must not stop the pull request that mends it; the pull request's own is
        read from the work tree, and there it is an error.
        """
        if not self.entries([self.config_path]):
            return None
        try:
            return parse_config(self.read(self.config_path), f"{self.commit[:10]}:{self.config_path}")
        except InvalidInput:
            return None

    def versions(self, models: str) -> dict[str, VersionFolder]:
        """Return the version folders below ``models`` by name."""
        place = PurePosixPath(models)
        found: dict[str, dict[str, str]] = {}
        for path, entry in self.entries([f"{models}/"]).items():
            name, _, rest = PurePosixPath(path).relative_to(place).as_posix().partition("/")
            if version_key(name):
                found.setdefault(name, {})[rest] = entry.id
        return {name: self._version(f"{models}/{name}", files) for name, files in sorted(found.items())}

    def checkpoint_digest(self, folder: str) -> str | None:
        """Return the digest of a version's checkpoint as committed, None where nothing is said of it.

        It is that of :func:`read_checkpoint`; of what Git LFS keeps the pointers say enough, of what lies elsewhere
        model.json, which fetched weights are held against. A submodule is not in git.
        """
        place = f"{folder}/{CHECKPOINT_FOLDER}"
        found = {
            PurePosixPath(path).relative_to(place).as_posix(): entry
            for path, entry in self.entries([f"{place}/"]).items()
        }
        blobs = {name: entry.id for name, entry in found.items() if name != "." and in_digest(name)}
        if blobs:
            objects = Objects(Git(str(self.root)))
            try:
                return files_digest(list(describe_blobs(objects, blobs).values()))
            finally:
                objects.close()
        return _saved_digest(self._papers(f"{folder}/{MODEL_FILE}")) if self._has(f"{folder}/{MODEL_FILE}") else None

    def _has(self, path: str) -> bool:
        return path in self.entries([path])

    def _version(self, folder: str, files: dict[str, str]) -> VersionFolder:
        # A link or a submodule in the place of either folder has a content of its own: what it points to.
        inside, below = {CHECKPOINT_FOLDER, ""}, f"{CHECKPOINT_FOLDER}/"
        weights = [
            [ascii(name), content]
            for name, content in sorted(files.items())
            if name in inside or (name.startswith(below) and in_digest(name.removeprefix(below)))
        ]
        papers = self._papers(f"{folder}/{MODEL_FILE}") if MODEL_FILE in files else {}
        parent = papers.get("parent")
        return VersionFolder(
            weights=digest_of(weights) if weights else None,
            address=_address(papers),
            record=files.get(EVAL_FILE),
            parent=parent if isinstance(parent, str) and version_key(parent) else None,
        )

    def _papers(self, path: str) -> dict[str, Any]:
        """What model.json says; nothing where it is malformed, which is for the check of version folders to tell."""
        try:
            value = read_document(self.read(path), path).value
        except InvalidInput:
            return {}
        return value if isinstance(value, dict) else {}


def _address(papers: dict[str, Any]) -> str | None:
    """What model.json says of the weights: their files and digest. Where they lie is no part of what they are."""
    saved = papers.get("checkpoint")
    if not isinstance(saved, dict):
        return digest_of(saved) if "checkpoint" in papers else None
    return digest_of({key: value for key, value in saved.items() if key not in {"source", "same_as"}})


def _saved_digest(papers: dict[str, Any]) -> str | None:
    saved = papers.get("checkpoint")
    digest = saved.get("digest") if isinstance(saved, dict) else None
    return digest if isinstance(digest, str) and _DIGEST.fullmatch(digest) else None
