"""What a person does after init: the next three steps, as commands. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from modelrelease.scaffold.file_plan import FilePlan

_MESSAGE = "Check models, prompts and test sets with modelrelease"


def next_steps(
    suite: str, tasks: int, versions: Sequence[str], files: Sequence[FilePlan], has_remote: bool
) -> tuple[str, ...]:
    """Return the next steps: something to score, a commit, a pull request; commands after a colon."""
    return (_score(suite, tasks, versions), *_commit(files), _pull_request(has_remote))


def _score(suite: str, tasks: int, versions: Sequence[str]) -> str:
    command = f"modelrelease score {shlex.quote(versions[-1]) if versions else 'models/model_v1.0'}"
    checkpoint = (
        "" if versions else "put a checkpoint into models/model_v1.0/checkpoint, as save_pretrained writes it, and "
    )
    if not tasks:
        return f"write a task into {suite}, {checkpoint}see that it can be scored: {command}"
    return f"{checkpoint}see that it can be scored: {command}"


def _commit(files: Sequence[FilePlan]) -> tuple[str, ...]:
    written = [plan.path for plan in files if plan.after is not None]
    if not written:
        return ()
    paths = " ".join(shlex.quote(path) for path in written)
    return (f"look at what was written, and commit it: git add -- {paths} && git commit -m {shlex.quote(_MESSAGE)}",)


def _pull_request(has_remote: bool) -> str:
    commands = "pre-commit install && gh variable set MODELRELEASE_RUNNER --body self-hosted"
    if not has_remote:
        return f"push it to GitHub, install the hook, name the runner: gh repo create --source . --push && {commands}"
    return f"install the hook, and name the runner that scores: {commands}"
