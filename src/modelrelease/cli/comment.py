"""Post a comparison as a pull request's one comment, or bring the comment that is there up to date."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli import on_github
from modelrelease.cli.common import add_config
from modelrelease.cli.on_github import this_run
from modelrelease.cli.output import say
from modelrelease.errors import Unavailable, escape_controls

if TYPE_CHECKING:
    from modelrelease.github.event import Event
    from modelrelease.github.report import Report
    from modelrelease.settings import GitHubEnvironment

EXAMPLE = "modelrelease comment .modelrelease/pull-request --print"
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
        config = on_github.configured(arguments.config, arguments.name)
        policy, name = config.comment, config.name
    else:
        check_head(comparison, document, event, environment.sha)
        policy, name = comparison.comment, comparison.name
    about = about_of(comparison, event, this_run(environment), run_url(), arguments.pull_request)
    # What the comparison carries is the target branch's word: a job can show less of the items, never more.
    chosen = {"mode": arguments.mode or policy.mode, "samples": stricter(policy.samples, arguments.samples)}
    return Report(comparison, policy.model_copy(update=chosen), name, reason or "", about)


def _post(arguments: argparse.Namespace, environment: GitHubEnvironment, report: Report, *, create: bool) -> None:
    from modelrelease.github.report import checked_number, checked_repository
    from modelrelease.github.sticky import Thread, post

    repository = checked_repository(arguments.repository or environment.repository)
    number = checked_number(report.about.pull_request)
    try:
        client = on_github.client_of(environment)
        mine = report.mine(on_github.author_of(client, environment, arguments.author).id)
        thread = Thread(client, repository, number)
        posted = post(thread, mine, on_github.sleep, on_github.tell, create=create)
    except (Unavailable, ModuleNotFoundError):
        on_github.into_summary(report.summary())
        raise
    place = posted.comment.url if posted.comment is not None else f"{repository}#{number}"
    say(f"{_WORDS[posted.outcome]}: {escape_controls(place)}\n")
