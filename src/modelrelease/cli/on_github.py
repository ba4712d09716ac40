"""What commands that write to GitHub share: the client of this job's token, whom it writes as, where reports go."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from modelrelease.cli.common import open_project
from modelrelease.cli.output import complain
from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, escape_controls

if TYPE_CHECKING:
    from pathlib import Path

    from modelrelease.github.client import Client
    from modelrelease.github.comments import Run
    from modelrelease.github.writing import Author
    from modelrelease.records.config import Config
    from modelrelease.settings import GitHubEnvironment

PAUSE: float | None = None
"""Seconds between requests and between writes; None is PyGithub's own pace, which GitHub asks for."""


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def tell(line: str) -> None:
    """Say on stderr what a person who waits wants to know."""
    complain(escape_controls(line) + "\n")


def client_of(environment: GitHubEnvironment, longest: float | None = None) -> Client:
    """Return a client of the job's token; Unavailable (exit 3) where there is none.

    ``longest``: seconds that it may spend on asking again in all.
    """
    from modelrelease.github.client import API_URL, Client
    from modelrelease.github.patience import MAX_WAIT, Patience

    if environment.token is None:
        todo = "pass `GITHUB_TOKEN: ${{ github.token }}` under `env:`, or export GH_TOKEN"
        raise Unavailable(Finding("GITHUB_TOKEN", Code.UNAVAILABLE, "there is no token", todo))
    patience = Patience(sleep, time.time, tell, left=MAX_WAIT if longest is None else longest)
    return Client(environment.api_url or API_URL, environment.token, patience, pause=PAUSE)


def author_of(client: Client, environment: GitHubEnvironment, said: int | None) -> Author:
    """Return who the token writes as: whom ``said`` names; in a job its own bot, which cannot be asked; or we ask."""
    from modelrelease.github.writing import BOT, Author, whoami

    if said:
        return Author(said)
    return BOT if environment.run_id is not None else whoami(client)


def this_run(environment: GitHubEnvironment) -> Run:
    """Return the job's run and attempt, ``Run(0, 0)`` outside of one."""
    from modelrelease.github.comments import Run

    return Run(_number(environment.run_id), _number(environment.run_attempt))


def _number(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else 0


def configured(config: Path | None, name: str | None) -> Config:
    """Return what the repository's config says, or would by default: a job may be without a checkout.

    ``name`` goes before its own. InvalidInput (MR208) where it is no model's name.
    """
    from modelrelease.records.config import Config
    from modelrelease.records.located import Located
    from modelrelease.records.validation import validate

    found = open_project(config).config or Config(schema_version=1)
    if name is None:
        return found
    named = validate(Config, Located({"schema_version": 1, "name": name}, "--name"))
    return found.model_copy(update={"name": named.name})


def into_summary(markdown: str) -> None:
    """Put what GitHub did not take where whoever looks for it finds it: on the run's page."""
    from modelrelease.github.workflow import write_summary
    from modelrelease.settings import workflow_files

    try:
        write_summary(workflow_files().summary, markdown)
    except Unavailable as error:  # GitHub's answer is what has to be told
        tell(str(error))
