"""A commit's files as a project sees them: its config, its version folders, whatever a suite names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from modelrelease import git
from modelrelease.config import parse_config
from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import CARD, CHECKPOINT_FOLDER
from modelrelease.records.config import Config
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.strict_json import read_json
from modelrelease.records.text import decode
from modelrelease.release.resolution import VersionFolder
from modelrelease.release.versions import version_key

MODEL_FILE = "model.json"


@dataclass(frozen=True)
class Tree:
    """One commit; paths are relative to ``root``, the folder of modelrelease.yaml."""

    root: Path
    commit: str
    config_path: str

    def read(self, path: str) -> bytes:
        """Return a file as committed; InvalidInput (MR209) where there is none."""
        return git.read_at(self.root, self.commit, path)

    def ids(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the ids of the contents of those of ``paths`` that are files here."""
        wanted = sorted(set(paths))
        return git.files_in(self.root, self.commit, *wanted) if wanted else {}

    @cached_property
    def config(self) -> Config | None:
        """The config as committed, None where there is none."""
        if not self.ids([self.config_path]):
            return None
        return parse_config(self.read(self.config_path), f"{self.commit[:10]}:{self.config_path}")

    def versions(self, models: str) -> dict[str, VersionFolder]:
        """Return the version folders below ``models`` by name."""
        names = [name for name in git.names_in(self.root, self.commit, models) if version_key(name)]
        return {name: self._version(f"{models}/{name}") for name in names}

    def _version(self, folder: str) -> VersionFolder:
        files = {
            PurePosixPath(path).relative_to(folder).as_posix(): content
            for path, content in git.files_in(self.root, self.commit, f"{folder}/").items()
        }
        inside = f"{CHECKPOINT_FOLDER}/"
        weights = [
            [name, content]
            for name, content in sorted(files.items())
            if name.startswith(inside) and name != inside + CARD
        ]
        papers = self._papers(f"{folder}/{MODEL_FILE}") if MODEL_FILE in files else {}
        parent = papers.get("parent")
        return VersionFolder(
            weights=digest_of(weights) if weights else None,
            address=digest_of(papers["checkpoint"]) if "checkpoint" in papers else None,
            scored=EVAL_FILE in files,
            parent=parent if isinstance(parent, str) and version_key(parent) else None,
        )

    def _papers(self, path: str) -> dict[str, Any]:
        """What model.json says; nothing where it is malformed, which is for the check of version folders to tell."""
        try:
            value = read_json(decode(self.read(path), path), path).value
        except InvalidInput:
            return {}
        return value if isinstance(value, dict) else {}
