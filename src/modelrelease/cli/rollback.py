"""Let the stage name an earlier release again, verified where it is published before anything moves."""

from __future__ import annotations

import argparse

from modelrelease.cli.output import say, say_json
from modelrelease.cli.releasing import add_reason, doer_of, grounds_of
from modelrelease.codes import Code
from modelrelease.errors import invalid

_REASON = "Answers in German are cut off"
EXAMPLE = f'modelrelease rollback --to model_v1.0 --reason "{_REASON}"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--to", required=True, metavar="VERSION", help="a version that was released")
    add_reason(parser, required=False)
    shown = "verify it and show what changes for users; move nothing, and ask for no reason"
    parser.add_argument("--plan", action="store_true", help=shown)


def run(arguments: argparse.Namespace) -> int:
    """Roll back; exit 0 when the stage names the version, 1 where it is not what was released."""
    from modelrelease.flows.release.effect import effect_of
    from modelrelease.flows.release.remarks import check_reason
    from modelrelease.flows.release.stages import plan_move, roll_back
    from modelrelease.reports.release import moved_text, rollback_text

    if arguments.reason is None and not arguments.plan:
        todo = f'say why, for whoever reads the ledger, such as --reason "{_REASON}"'
        raise invalid("--reason", Code.USAGE, "is missing, and a rollback says why", todo)
    grounds = grounds_of(arguments.config)
    reason = None if arguments.reason is None else check_reason(grounds, arguments.reason, _REASON)
    doer = doer_of(grounds.project)
    plan = plan_move(grounds, arguments.to, doer)
    effect = effect_of(grounds, plan)
    if arguments.plan or reason is None:
        if arguments.json:
            say_json(effect.to_bytes())
        else:
            say(rollback_text(effect))
        return 0
    event = roll_back(grounds, plan, doer, reason)
    if arguments.json:
        say_json((event or plan.release.receipt).to_bytes())
    else:
        say(moved_text(effect, plan.release.commit, moved=event is not None))
    return 0
