"""Post a comparison as a pull request's one comment, or bring the comment that is there up to date."""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import complain, say
from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, escape_controls

if TYPE_CHECKING:
    from modelrelease.github.client import Client
    from modelrelease.github.comments import Run
    from modelrelease.github.event import Event
    from modelrelease.github.report import Report
    from modelrelease.records.config import CommentPolicy
    from modelrelease.settings import GitHubEnvironment

EXAMPLE = "modelrelease comment .modelrelease/pull-request --print"
PAUSE: float | None = None
"""Seconds between requests and between writes; None is PyGithub's own pace, which GitHub asks for."""

_WORDS = {
    "created": "comment made",
    "updated": "comment brought up to date",
    "unchanged": "comment left as it is: it is of this run or of a newer one",
    "absent": "no comment made: there is nothing to report",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "comparison", type=Path, metavar="COMPARISON", help="a comparison.json, or a folder that holds one"
    )
    add_config(parser)
    parser.add_argument("--repository", metavar="OWNER/NAME", help="default: the job's")
    parser.add_argument("--pull-request", type=int, metavar="N", help="default: the event's")
    modes, samples = ("always", "changes", "failures", "never"), ("ids", "text", "none")
    parser.add_argument("--mode", choices=modes, help="when a comment is made (default: as the comparison says)")
    parser.add_argument("--samples", choices=samples, help="show no more of items than this (default: likewise)")
    parser.add_argument("--unless-scored", metavar="REASON", help="what to say where COMPARISON does not exist")
    parser.add_argument("--name", help="whose comment it is where COMPARISON does not exist (default: the config's)")
    parser.add_argument("--author", type=int, metavar="ID", help="the user that the token writes as (default: asked)")
    parser.add_argument("--print", action="store_true", help="print the comment, and post nothing")


def run(arguments: argparse.Namespace) -> int:
    """Post; exit 0 whatever the decision is, 2 for input that cannot be right, 3 where GitHub does not take it."""
    from modelrelease.github.comments import intent
    from modelrelease.github.event import Event, read_event
    from modelrelease.settings import github_environment

    environment = github_environment()
    event = read_event(Path(environment.event_path)) if environment.event_path else Event()
    report = _report(arguments, environment, event)
    wanted = intent(report.policy.mode, report.decision)
    if arguments.print:
        say(report.comment())
    elif wanted == "nothing":
        say("no comment: its mode is never\n")
    elif event.merge_group is not None and arguments.pull_request is None:
        say("no comment: a merge group is no pull request\n")
    else:
        _post(arguments, environment, report, create=wanted == "write")
    return 0


def _report(arguments: argparse.Namespace, environment: GitHubEnvironment, event: Event) -> Report:
    from modelrelease.github.report import Report, about_of, check_head
    from modelrelease.records.comparison import COMPARISON_FILE
    from modelrelease.records.comparisons import read_comparison
    from modelrelease.reports.permitted import stricter
    from modelrelease.settings import run_url

    place: Path = arguments.comparison
    document = place / COMPARISON_FILE if place.is_dir() else place
    reason: str | None = arguments.unless_scored
    comparison = read_comparison(document) if reason is None or document.exists() else None
    if comparison is None:
        policy, name = _configured(arguments)
    else:
        check_head(comparison, document, event, environment.sha)
        policy, name = comparison.comment, comparison.name
    about = about_of(comparison, event, this_run(environment), run_url(), arguments.pull_request)
    # What the comparison carries is the target branch's word: a job can show less of the items, never more.
    chosen = {"mode": arguments.mode or policy.mode, "samples": stricter(policy.samples, arguments.samples)}
    return Report(comparison, policy.model_copy(update=chosen), name, reason or "", about)


def _configured(arguments: argparse.Namespace) -> tuple[CommentPolicy, str | None]:
    """Return what the repository says of comments, where no comparison does; a job may be without a checkout."""
    from modelrelease.records.config import CommentPolicy, Config
    from modelrelease.records.located import Located
    from modelrelease.records.validation import validate

    config = open_project(arguments.config).config
    if arguments.name is not None:
        named = validate(Config, Located({"schema_version": 1, "name": arguments.name}, "--name"))
        return config.comment if config is not None else CommentPolicy(), named.name
    return (config.comment, config.name) if config is not None else (CommentPolicy(), None)


def this_run(environment: GitHubEnvironment) -> Run:
    """Return the job's run and attempt, ``Run(0, 0)`` outside of one."""
    from modelrelease.github.comments import Run

    return Run(_number(environment.run_id), _number(environment.run_attempt))


def _number(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else 0


def _post(arguments: argparse.Namespace, environment: GitHubEnvironment, report: Report, *, create: bool) -> None:
    from modelrelease.github.report import checked_number, checked_repository
    from modelrelease.github.sticky import Thread, post

    repository = checked_repository(arguments.repository or environment.repository)
    number = checked_number(report.about.pull_request)
    try:
        client = _client(environment)
        mine = report.mine(arguments.author or _author(client, environment))
        posted = post(Thread(client, repository, number), mine, time.sleep, _tell, create=create)
    except (Unavailable, ModuleNotFoundError):
        # Whoever looks for the report finds it on the run's page.
        _into_summary(report.summary())
        raise
    place = posted.comment.url if posted.comment is not None else f"{repository}#{number}"
    say(f"{_WORDS[posted.outcome]}: {escape_controls(place)}\n")


def _client(environment: GitHubEnvironment) -> Client:
    from modelrelease.github.client import API_URL, Client
    from modelrelease.github.patience import Patience

    if environment.token is None:
        todo = "pass `GITHUB_TOKEN: ${{ github.token }}` under `env:`, or export GH_TOKEN"
        raise Unavailable(Finding("GITHUB_TOKEN", Code.UNAVAILABLE, "there is no token", todo))
    patience = Patience(time.sleep, time.time, _tell)
    return Client(environment.api_url or API_URL, environment.token, patience, pause=PAUSE)


def _author(client: Client, environment: GitHubEnvironment) -> int:
    """Return who the token writes as: in a job the job's own bot, which cannot be asked; else whom GitHub names."""
    from modelrelease.github.comments import BOT_ID
    from modelrelease.github.sticky import whoami

    return BOT_ID if environment.run_id is not None else whoami(client)


def _tell(line: str) -> None:
    complain(escape_controls(line) + "\n")


def _into_summary(markdown: str) -> None:
    from modelrelease.github.workflow import write_summary
    from modelrelease.settings import workflow_files

    try:
        write_summary(workflow_files().summary, markdown)
    except Unavailable as error:  # GitHub's answer is what has to be told
        _tell(str(error))
