"""What the papers of a checkpoint say of its surroundings: the work tree, the suite's prompts, data, logs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import InvalidInput, Unavailable, escape_controls, invalid
from modelrelease.records.checkpoints import files_digest
from modelrelease.records.datasets import DATASET_SUFFIXES, read_dataset
from modelrelease.records.digests import dataset_digest
from modelrelease.records.evaluation import CheckpointFile
from modelrelease.records.files import read_bytes, resolved, sha256_of
from modelrelease.records.model import TRAINER_STATE, GitState, LogFile, PromptInUse, TrainingSet
from modelrelease.records.prompts import read_prompt
from modelrelease.records.strict_json import read_json_file
from modelrelease.release.commands import without_credentials
from modelrelease.release.versions import version_key
from modelrelease.scoring.suites import read_tasks

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

MAX_ROWS_READ = 64 << 20
"""Bytes. A larger training set gets the digest of its bytes: for that of its rows all of it would be held at once."""


@dataclass(frozen=True)
class WorkTree:
    """A git work tree. ``root`` is the folder that paths in papers are relative to; None outside of one."""

    root: Path | None
    state: GitState | None


def find_work_tree(*folders: Path) -> WorkTree:
    """Return the work tree around the first of ``folders`` that is in one; without git there is none."""
    for folder in folders:
        try:
            root = git.work_tree(_existing(folder))
            head = git.head(root)
        except (InvalidInput, Unavailable):
            continue
        remote = git.remote_url(root)
        address = without_credentials(remote) if remote else None
        return WorkTree(root, GitState(sha=head.sha, dirty=head.dirty, branch=git.branch(root), remote=address))
    return WorkTree(None, None)


def prompts_in_use(project: Project) -> tuple[PromptInUse, ...]:
    """Return the prompts of the configured suite by path; none without a config or a suite.

    Raises InvalidInput where the suite or a prompt of it is missing or malformed.
    """
    if project.config is None or project.config.suite is None:
        return ()
    paths = sorted({task.prompt for task in read_tasks(project.config.suite, project.read) if task.prompt is not None})
    return tuple(PromptInUse(path=path, digest=read_prompt(project.read(path), path).digest) for path in paths)


def training_sets(tree: WorkTree, paths: Paths) -> tuple[TrainingSet, ...]:
    """Return files and folders that were trained on, with their digests.

    A .jsonl, .csv or .json file of up to ``MAX_ROWS_READ`` bytes that is a dataset (its rows have ids) has the digest
    of its rows, any other file that of its bytes, a folder that of the list of its files. ``git_sha`` is the commit
    that is checked out, where it has the file just so. Raises InvalidInput (MR209) where there is nothing to read.
    """
    return tuple(_training_set(tree, Path(path)) for path in several(paths))


def log_files(tree: WorkTree, paths: Paths) -> tuple[LogFile, ...]:
    """Return logs with the digests of their bytes; InvalidInput (MR209) where there is no file."""
    return tuple(LogFile(path=shown_path(tree, Path(path)), sha256=_file_digest(Path(path))) for path in several(paths))


def several(paths: Paths) -> Iterable[str | os.PathLike[str]]:
    """Return ``paths`` as several: one alone, which iterates as letters, is that one."""
    return (paths,) if isinstance(paths, str | os.PathLike) else paths


def trainer_progress(paths: Iterable[str | os.PathLike[str]]) -> tuple[int | None, float | None, float | None]:
    """Return the steps, epochs and last loss that a Trainer's state among ``paths`` tells; None for what it lacks."""
    path = next((Path(path) for path in paths if Path(path).name == TRAINER_STATE), None)
    try:
        state = read_json_file(path).value if path is not None else None
    except InvalidInput:  # it is recorded as a log all the same
        return None, None, None
    if not isinstance(state, dict):
        return None, None, None
    history = state.get("log_history")
    entries = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    losses = [loss for entry in entries if (loss := _number(entry.get("loss"))) is not None]
    steps, epochs = state.get("global_step"), _number(state.get("epoch"))
    return (
        steps if type(steps) is int and steps >= 0 else None,
        epochs if epochs is not None and epochs >= 0 else None,
        losses[-1] if losses else None,
    )


def require_parent(folder: Path, parent: str | os.PathLike[str] | None) -> str | None:
    """Return the name of the version that ``folder``'s comes from, given its name or its folder.

    Raises InvalidInput: MR411 where that is no name of a version, is the version itself, or has no folder beside it.
    """
    if parent is None:
        return None
    name = Path(parent).name
    shown = escape_controls(str(parent))
    if version_key(name) is None:
        raise invalid(shown, Code.VERSION_NAME, "is no version", "name the parent as model_vX.Y or model_vX.Y.Z")
    if name == resolved(folder).name:
        raise invalid(shown, Code.VERSION_NAME, "would be its own parent", "name the version that it was made from")
    if not (resolved(folder).parent / name).is_dir():
        todo = "name a version whose folder stands beside this one's"
        raise invalid(shown, Code.VERSION_NAME, "has no folder beside this version's", todo)
    return name


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def shown_path(tree: WorkTree, path: Path) -> str:
    """Return how papers name a file: relative to the repository where it is inside, as given elsewhere."""
    place = resolved(path)
    inside = tree.root is not None and place.is_relative_to(resolved(tree.root))
    return escape_controls(place.relative_to(resolved(tree.root)).as_posix() if tree.root and inside else str(path))


def _training_set(tree: WorkTree, path: Path) -> TrainingSet:
    digest = _folder_digest(path) if path.is_dir() else _rows_digest(path) or _file_digest(path)
    return TrainingSet(path=shown_path(tree, path), digest=digest, git_sha=_commit(tree, path))


def _commit(tree: WorkTree, path: Path) -> str | None:
    if tree.root is None or tree.state is None or not resolved(path).is_relative_to(resolved(tree.root)):
        return None
    inside = resolved(path).relative_to(resolved(tree.root)).as_posix()
    try:
        return tree.state.sha if tree.state.sha and git.is_committed(tree.root, inside) else None
    except Unavailable:
        return None


def _rows_digest(path: Path) -> str | None:
    if path.suffix.lower() not in DATASET_SUFFIXES or not path.is_file() or path.stat().st_size > MAX_ROWS_READ:
        return None
    try:
        return dataset_digest(row.digest for row in read_dataset(read_bytes(path), str(path)))
    except InvalidInput:  # no test set, whose rows have ids
        return None


def _folder_digest(folder: Path) -> str:
    files = []
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            name = escape_controls(path.relative_to(folder).as_posix())
            files.append(CheckpointFile(path=name, size=path.stat().st_size, sha256=_file_digest(path)))
    if not files:
        raise invalid(escape_controls(str(folder)), Code.UNREADABLE, "is an empty folder", "name what was trained on")
    return files_digest(files)


def _file_digest(path: Path) -> str:
    """sha256_of, where what is wrong with the file is the person's to mend."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise invalid(escape_controls(str(path)), Code.UNREADABLE, what, "name an existing file")
    try:
        return sha256_of(path)
    except OSError as error:
        what = error.strerror or str(error)
        raise invalid(escape_controls(str(path)), Code.UNREADABLE, what, "make it readable") from error


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest around it that is there already."""
    place = resolved(folder)
    return next(place for place in (place, *place.parents) if place.is_dir())
