"""modelrelease.yaml: where it is, what it says, and the folder that its paths are relative to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, escape_controls, invalid
from modelrelease.records.canonical import digest_of
from modelrelease.records.config import Config
from modelrelease.records.files import read_bytes, resolved
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.text import decode
from modelrelease.records.validation import validate

CONFIG_FILE = "modelrelease.yaml"


@dataclass(frozen=True)
class Project:
    """A repository that uses the kit. ``config`` is None where it has no modelrelease.yaml."""

    root: Path
    config: Config | None
    config_path: str

    def require_config(self) -> Config:
        """Return the config; InvalidInput (MR209) where there is none."""
        if self.config is None:
            todo = "add one, or name it with --config"
            raise invalid(CONFIG_FILE, Code.UNREADABLE, f"is not in {self.root} or above it", todo)
        return self.config

    def read(self, path: str) -> bytes:
        """Return a file of the work tree; see :func:`tree_reader`."""
        return tree_reader(self.root)(path)


def find_project(start: Path, config: Path | None = None) -> Project:
    """Return the project around ``start``, or the one whose config is named.

    Raises InvalidInput where the config is named and missing, or malformed.
    """
    if config is None:
        folders = [resolved(start), *resolved(start).parents]
        config = next((folder / CONFIG_FILE for folder in folders if (folder / CONFIG_FILE).is_file()), None)
        if config is None:
            return Project(folders[0], None, CONFIG_FILE)
    shown = escape_controls(config.name)
    if config.is_symlink():  # it would choose another policy, and another root, under the same name
        raise invalid(escape_controls(str(config)), Code.UNREADABLE, "is a link", "put the file itself there")
    data = read_bytes(config, escape_controls(str(config)))
    return Project(resolved(config.parent), parse_config(data, shown), shown)


def parse_config(data: bytes, path: str) -> Config:
    """Return the config in ``data``, named ``path`` in findings."""
    return validate(Config, read_yaml(decode(data, path), path))


def policy_digest(config: Config) -> str:
    """Return the digest of what somebody has decided of the gate's policy, whatever else the config says.

    What is at its default is left out, written or not: it means the same, so a key that a later version of modelrelease
    brings changes nobody's digest. The other side of it: a default is for good, since another one would change
    decisions under the same digest. Order and formatting of the file do not count.
    """
    return digest_of(config.gate.model_dump(mode="json", exclude_defaults=True))


def is_inside(path: str) -> bool:
    """Say whether ``path``, which a pull request may have written, stays below the folder that it is relative to."""
    plain = PurePosixPath(path)
    return not (plain.is_absolute() or ".." in plain.parts or "\\" in path or "\0" in path)


def outside(path: str) -> InvalidInput:
    """Return the error (MR209) of a path that leads out of the repository, ready to raise."""
    todo = "name a file inside the repository, relative to its root"
    return invalid(path, Code.UNREADABLE, "lies outside the repository", todo)


def tree_reader(root: Path) -> Callable[[str], bytes]:
    """Return a reader of files below ``root``: a suite names paths, and none of them may lead out of it."""
    home = resolved(root)

    def read(path: str) -> bytes:
        if not is_inside(path) or not resolved(home / path, path).is_relative_to(home):
            raise outside(path)
        return read_bytes(home / path, path)

    return read
