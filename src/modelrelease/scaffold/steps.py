"""What a person does after init, as commands. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from modelrelease.scaffold.file_plan import FilePlan

_FIRST = "models/model_v1.0"
_AGAIN = "have the live version run again once a week, if a runner may take the time: modelrelease init --reproduce"
_MESSAGE = "Check models, prompts and test sets with modelrelease"


def next_steps(
    suite: str,
    tasks: int,
    versions: Sequence[str],
    files: Sequence[FilePlan],
    has_remote: bool,
    offered: bool = False,
) -> tuple[str, ...]:
    """Return the next three steps, commands after a colon; fewer where nothing is left to commit.

    Something to score, a commit, a runner; where the suite has no task yet, that comes first and the runner later.
    ``offered``: where there is a version, that it can be run again each week comes last.
    """
    if tasks:
        again = (_AGAIN,) if offered and versions else ()
        return (_score(versions), *_commit(files, versions), _runner(has_remote), *again)
    task = f"write a task into {suite}, and see which margin it can have: modelrelease init"
    return (task, _score(versions), *_commit(files, versions))


def _score(versions: Sequence[str]) -> str:
    if versions:
        return f"see that it can be scored: modelrelease score {shlex.quote(versions[-1])}"
    todo = "put a checkpoint, as save_pretrained writes it, into"
    return f"{todo} {_FIRST}/checkpoint: modelrelease record {_FIRST} && modelrelease score {_FIRST}"


def _commit(files: Sequence[FilePlan], versions: Sequence[str]) -> tuple[str, ...]:
    """The version goes along: without its record nothing is live that a first pull request is held against."""
    written = [plan.path for plan in files if plan.after is not None]
    if not written:
        return ()
    paths = " ".join(shlex.quote(path) for path in [*written, versions[-1] if versions else _FIRST])
    commands = f"git add -- {paths} && git commit -m {shlex.quote(_MESSAGE)}"
    return (f"look at what was written, and commit it with the version's record: {commands}",)


def _runner(has_remote: bool) -> str:
    commands = "pre-commit install && gh variable set MODELRELEASE_RUNNER --body self-hosted"
    if not has_remote:
        return f"push it to GitHub, install the hook, name the runner: gh repo create --source . --push && {commands}"
    return f"install the hook, and name the runner that scores: {commands}"
