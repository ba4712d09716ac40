"""Keep one issue about whether the live version still reproduces: open while it does not, closed when it does again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli import on_github
from modelrelease.cli.common import add_config
from modelrelease.cli.output import say
from modelrelease.errors import Unavailable, escape_controls

if TYPE_CHECKING:
    from modelrelease.github.reproduction import Found
    from modelrelease.settings import GitHubEnvironment

EXAMPLE = "modelrelease issue models/model_v1.0/reproduction.json --model models/model_v1.0 --print"

_WORDS = {
    "opened": "issue opened",
    "told": "issue brought up to date, and its readers told of the new outcome",
    "closed": "issue closed: it reproduces again",
    "updated": "issue brought up to date",
    "unchanged": "issue left as it is",
    "absent": "no issue: it reproduces",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "reproduction", type=Path, metavar="REPRODUCTION", help="a reproduction.json, or a folder that holds one"
    )
    add_config(parser)
    parser.add_argument("--repository", metavar="OWNER/NAME", help="default: the job's")
    parser.add_argument("--model", metavar="MODEL", help="the version folder that was run again")
    parser.add_argument("--name", help="whose issue it is, where models share a repository (default: the config's)")
    parser.add_argument("--unless-run", metavar="REASON", help="what to say where REPRODUCTION does not exist")
    parser.add_argument("--author", type=int, metavar="ID", help="the user that the token writes as (default: asked)")
    parser.add_argument("--print", action="store_true", help="print title and text, and write nothing to GitHub")


def run(arguments: argparse.Namespace) -> int:
    """See to the issue; exit 0 whatever the outcome is, 2 for malformed input, 3 where GitHub does not take it."""
    from modelrelease.settings import github_environment

    environment = github_environment()
    found = _found(arguments, environment)
    if arguments.print:
        say(f"{found.title}\n\n{found.issue()}")
    else:
        _track(arguments, environment, found)
    return 0


def _found(arguments: argparse.Namespace, environment: GitHubEnvironment) -> Found:
    from modelrelease.github.reproduction import Found
    from modelrelease.records.reproduction import REPRODUCTION_FILE, Reproduction
    from modelrelease.records.strict_json import read_json_file
    from modelrelease.records.validation import validate
    from modelrelease.reports.comment import About
    from modelrelease.reports.reproduction_issue import Subject
    from modelrelease.settings import run_url

    place: Path = arguments.reproduction
    document = place / REPRODUCTION_FILE if place.is_dir() else place
    reason: str | None = arguments.unless_run
    name = on_github.configured(arguments.config, arguments.name).name
    is_there = reason is None or document.exists()
    reproduction = validate(Reproduction, read_json_file(document)) if is_there else None
    this = on_github.this_run(environment)
    about = About(run_url=run_url(), run_id=this.id or None, run_attempt=max(1, this.attempt))
    return Found(reproduction, reason or "", Subject(name, arguments.model), about)


def _track(arguments: argparse.Namespace, environment: GitHubEnvironment, found: Found) -> None:
    from modelrelease.github.report import checked_repository
    from modelrelease.github.tracking import Issues, track

    repository = checked_repository(arguments.repository or environment.repository)
    try:
        client = on_github.client_of(environment)
        author = on_github.author_of(client, environment, arguments.author)
        issues = Issues(client, repository, author.login)
        tracked = track(issues, found.mine(author.id), on_github.sleep, on_github.tell)
    except (Unavailable, ModuleNotFoundError):
        on_github.into_summary(found.summary())
        raise
    place = tracked.issue.url if tracked.issue is not None else repository
    say(f"{_WORDS[tracked.outcome]}: {escape_controls(place)}\n")
