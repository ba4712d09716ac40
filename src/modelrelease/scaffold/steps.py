"""What a person does after init, as commands. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from modelrelease.scaffold.file_plan import FilePlan

_FIRST = "models/model_v1.0"
_AGAIN = "have the live version run again once a week, if a runner may take the time: modelrelease init --reproduce"
_MESSAGE = "Check models, prompts and test sets with modelrelease"
_CONFIG = "modelrelease.yaml"
_FEW = 6
_CREATE = "gh repo create --private --source . --push"
_STAMP = 'modelrelease stamp --reason "Begin to keep change records" --add'
_RUNNER = "gh variable set MODELRELEASE_RUNNER --body self-hosted"
_RELEASE_RUNNER = "gh variable set MODELRELEASE_RELEASE_RUNNER --body modelrelease-release"


@dataclass(frozen=True)
class Releasing:
    """What the config says of releases, where their workflows were asked for.

    ``prefix`` stands before a version in its tag, ``bootstrap`` is the version that may be the first, ``folder``: the
    target is one.
    """

    prefix: str
    bootstrap: str | None
    folder: bool


@dataclass(frozen=True)
class Situation:
    """What the steps follow from. ``inputs``: the test sets and prompts of the suite's tasks, by path.

    ``offered``: there could also be the workflow that runs the live version again. ``releasing``: None where its
    workflows were not asked for.
    """

    suite: str
    inputs: tuple[str, ...]
    versions: tuple[str, ...]
    files: tuple[FilePlan, ...]
    has_remote: bool
    offered: bool = False
    releasing: Releasing | None = None

    @property
    def version(self) -> str:
        """The version folder that the steps are about: the newest, else the first that there will be."""
        return self.versions[-1] if self.versions else _FIRST


def next_steps(found: Situation) -> tuple[str, ...]:
    """Return the next steps, commands after a colon, or words alone; fewer where nothing is left to commit.

    Something to score, a commit, a runner; where the suite has no task yet, that comes first and the runner later.
    With the workflows of releases also what a first release needs, up to its tag.
    """
    if found.releasing is not None:
        return (*_task(found), _score(found), *_released(found, found.releasing))
    if not found.inputs:
        return (*_task(found), _score(found), *_commit(found))
    again = (_AGAIN,) if found.offered and found.versions else ()
    return (_score(found), *_commit(found), _runner(found.has_remote), *again)


def _task(found: Situation) -> tuple[str, ...]:
    if found.inputs:
        return ()
    return (f"write a task into {found.suite}, and see which margin it can have: modelrelease init",)


def _score(found: Situation) -> str:
    if found.versions:
        return f"see that it can be scored: modelrelease score {shlex.quote(found.version)}"
    todo = "put a checkpoint, as save_pretrained writes it, into"
    return f"{todo} {_FIRST}/checkpoint: modelrelease record {_FIRST} && modelrelease score {_FIRST}"


def _commit(found: Situation) -> tuple[str, ...]:
    """The version goes along: without its record nothing is live that a first pull request is held against."""
    written = [plan.path for plan in found.files if plan.after is not None]
    if found.releasing is not None:  # what the steps before have changed
        written += [_CONFIG, found.suite]
    if not written:
        return ()
    paths = dict.fromkeys([*written, *_places(found.inputs), found.version])
    commands = f"git add -- {' '.join(map(shlex.quote, paths))} && {_STAMP} && git commit -m {shlex.quote(_MESSAGE)}"
    return (f"look at what was written, and commit it with the suite's inputs and the version's record: {commands}",)


def _places(inputs: Sequence[str]) -> list[str]:
    """The files themselves; the folders that hold them where a line of files could not be read, or not be copied."""
    if len(inputs) <= _FEW and all(path.isprintable() for path in inputs):
        return list(inputs)
    folders = [str(PurePosixPath(path).parent) for path in inputs]
    return [path if folder == "." else f"{folder}/" for path, folder in zip(inputs, folders, strict=True)]


def _runner(has_remote: bool) -> str:
    commands = f"pre-commit install && {_RUNNER}"
    if not has_remote:
        return f"push it to GitHub, install the hook, name the runner: {_CREATE} && {commands}"
    return f"install the hook, and name the runner that scores: {commands}"


def _released(found: Situation, releasing: Releasing) -> tuple[str, ...]:
    """What lies between a version that was scored and its release; in this order, each works when it is its turn."""
    name = PurePosixPath(found.version).name
    steps = [f"write its card, and fill in what it leaves open: modelrelease card {shlex.quote(found.version)} --write"]
    if releasing.bootstrap is None:
        steps.append(f"name the version that may be the first, under `release` in {_CONFIG}: bootstrap: {name}")
    if releasing.folder:
        steps.append(
            f"name a target that outlives the job, under `release` in {_CONFIG}; a folder is lost with GitHub's "
            "runner, and kept only where `publish` runs on a runner of your own: target: hf://ORGANISATION/NAME"
        )
    push = "git push" if found.has_remote else _CREATE
    tag = shlex.quote(f"{releasing.prefix}{name}")
    return (
        *steps,
        *_commit(found),
        f"push it, install the hook, and name two runners, since pull requests leave things on theirs: "
        f"{push} && pre-commit install && {_RUNNER} && {_RELEASE_RUNNER}",
        "make the environments `production`, `rollback` and `rollback-plan` before the first run, which would make "
        "them without any protection (Settings, Environments; docs/release-workflows.md says what each needs)",
        "see what is still missing: modelrelease doctor",
        f"release it, by the tag of the merged commit: git tag {tag} && git push origin {tag}",
    )
