"""The suite, prompts and datasets of a recorded evaluation: those of the work tree, or those of the recorded commit.

A commit's files are read out of git as they were committed. Nothing is checked out, so no filter and no hook runs, and
the user's work tree, index and HEAD stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import InvalidInput, invalid, shorten
from modelrelease.flows.trees import Tree
from modelrelease.records.checkpoint_policy.judge import LFS_POINTER
from modelrelease.records.checkpoints import committed_file
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.files import read_bytes, sha256_of
from modelrelease.records.reproduction import IdentityDifference
from modelrelease.records.results import Results
from modelrelease.records.suite import suite_digest, task_digest
from modelrelease.reproduction.identity import FoundTask, input_differences
from modelrelease.scoring.suites import LoadedSuite, LoadedTask, ReadFile, load_suite

_COMMIT = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")


@dataclass(frozen=True)
class Inputs:
    """A suite as it was read. ``differences``: what of it is not as recorded. ``files``: all that was read, by path."""

    place: Literal["work tree", "commit"]
    path: str
    suite: LoadedSuite
    differences: list[IdentityDifference]
    files: dict[str, bytes]


def recorded_inputs(project: Project, recorded: Results, suite: str | None) -> Inputs:
    """Return the inputs of ``recorded``: the work tree's where they are its own, else the recorded commit's.

    Where neither are, those that differ less, with their ``differences``. ``suite`` is the suite's path; None for the
    config's. Raises InvalidInput where they are malformed, or where the work tree's differ and the commit is not
    here (MR511).
    """
    commit = _commit(recorded.evaluation)
    here = _in_work_tree(project, recorded, suite)
    if isinstance(here, Inputs) and not here.differences:
        return here
    if commit is None:
        return _or_raise(here)
    if git.commit_of(project.root, commit) != commit:  # another one: a tag's id, or a ref that is called like an id
        raise _gone(commit, here)
    there = _in_commit(project, recorded, suite, commit)
    if isinstance(here, Inputs) and len(here.differences) < len(there.differences):
        return here
    return there


def _commit(evaluation: Evaluation) -> str | None:
    sha = evaluation.provenance.git_sha
    if sha is not None and not _COMMIT.match(sha):
        message = f"`provenance.git_sha` is {shorten(sha, 60)!r}, no commit's id"
        raise invalid("eval.json", Code.RECORDED_SETTING, message, "score again; eval.json is not edited by hand")
    return sha


def _in_work_tree(project: Project, recorded: Results, suite: str | None) -> Inputs | InvalidInput:
    """What the work tree has; the error where that is malformed, which an old commit need not be."""
    try:
        return _inputs("work tree", _suite_path(project, suite), recorded, project.read)
    except InvalidInput as error:
        return error


def _in_commit(project: Project, recorded: Results, suite: str | None, commit: str) -> Inputs:
    tree = Tree(project.root, commit, project.config_path)
    path = suite or (tree.config.suite if tree.config else None) or _suite_path(project, suite)
    return _inputs("commit", path, recorded, _CommittedFiles(project, tree))


def _suite_path(project: Project, suite: str | None) -> str:
    path = suite or project.require_config().suite
    if path is None:
        raise invalid(project.config_path, Code.MISSING_FIELD, "`suite` is missing", "add it, or pass --suite")
    return path


def _or_raise(found: Inputs | InvalidInput) -> Inputs:
    if isinstance(found, InvalidInput):
        raise found
    return found


def _gone(commit: str, here: Inputs | InvalidInput) -> InvalidInput:
    if isinstance(here, Inputs):
        first = here.differences[0]
        what = f"the work tree has another {first.what}" + (f" ({first.where})" if first.where else "")
    else:
        what = f"the work tree's inputs cannot be read ({here.findings[0].code.value})"
    message = f"was recorded at commit {commit[:12]}, which is not in this clone, and {what}"
    return invalid("eval.json", Code.RECORDED_COMMIT, message, f"run `git fetch origin {commit}`")


def _inputs(place: Literal["work tree", "commit"], path: str, recorded: Results, read: ReadFile) -> Inputs:
    files = _Remembered(read)
    suite = load_suite(path, files)
    digest = suite_digest(tuple(task.spec for task in suite.tasks))
    differences = input_differences(recorded, [found_task(task) for task in suite.tasks], digest)
    return Inputs(place, path, suite, differences, files.read)


def found_task(task: LoadedTask) -> FoundTask:
    """Return a task as it can be asked now."""
    return FoundTask(
        name=task.spec.name,
        kind=task.spec.kind,
        place=f"{task.path}:{task.line}",
        digest=task_digest(task.spec),
        dataset=task.spec.dataset,
        dataset_digest=task.dataset_digest,
        prompt=task.spec.prompt,
        prompt_digest=task.prompt_digest,
        rows=task.rows,
    )


@dataclass
class _Remembered:
    """A reader that keeps what it has read: exactly what a suite consists of."""

    source: ReadFile
    read: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, path: str) -> bytes:
        if path not in self.read:
            self.read[path] = self.source(path)
        return self.read[path]


@dataclass(frozen=True)
class _CommittedFiles:
    """Reads a commit's files; for a Git LFS pointer what it stands for, where this clone has that."""

    project: Project
    tree: Tree

    def __call__(self, path: str) -> bytes:
        data = self.tree.read(path)
        if not data.startswith(LFS_POINTER):
            return data
        wanted = committed_file(path, data).sha256
        kept = git.lfs_object(self.project.root, wanted)
        for place in (kept, self.project.root / path):
            if place is not None and place.is_file() and sha256_of(place) == wanted:
                return read_bytes(place, path)
        message = f"is kept in Git LFS, and what commit {self.tree.commit[:12]} had is not in this clone"
        raise invalid(path, Code.LFS_POINTER, message, f"run `git lfs fetch origin {self.tree.commit}`")
