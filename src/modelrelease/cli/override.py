"""Accept one named loss of one version, for one digest and until a day: the next promotion takes it for granted."""

from __future__ import annotations

import argparse

from modelrelease.cli.output import say, say_json
from modelrelease.cli.releasing import add_reason, doer_of, grounds_of
from modelrelease.codes import Code
from modelrelease.errors import invalid

EXAMPLE = (
    'modelrelease override --version model_v1.1 --metric qa/acc --until 2026-12-31 --reason "The old items were wrong"'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--version", required=True, metavar="V", help="the version whose loss is accepted")
    parser.add_argument("--metric", required=True, action="append", metavar="M", help="the metric, as task/metric")
    parser.add_argument("--until", required=True, metavar="DATE", help="the last day on which it counts, YYYY-MM-DD")
    add_reason(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the override into the ledger; hard floors and what could not be compared stay in the way."""
    from modelrelease.flows.release.remarks import override

    (metric, *more) = arguments.metric
    if more:
        todo = "run it once for each metric"
        raise invalid("--metric", Code.USAGE, "stands several times, and an override is of one metric", todo)
    grounds = grounds_of(arguments.config)
    doer = doer_of(grounds.project)
    event, new = override(grounds, arguments.version, metric, arguments.until, arguments.reason, doer)
    if arguments.json:
        say_json(event.to_bytes())
        return 0
    loss = f"event {event.sequence}: a loss in {metric} of {event.version}, {event.model_digest[:12]}, is accepted"
    say(f"{loss} {'' if new else 'already '}until {arguments.until}; floors are not\n")
    return 0
