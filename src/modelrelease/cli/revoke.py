"""Say that a released version must not be used again: no rollback and no promotion leads to it any more."""

from __future__ import annotations

import argparse

from modelrelease.cli.output import say, say_json
from modelrelease.cli.releasing import add_reason, doer_of, grounds_of

EXAMPLE = 'modelrelease revoke model_v1.0 --reason "It repeats customers\' addresses from its training set"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("version", metavar="VERSION", help="a version that was released and is not live")
    add_reason(parser)


def run(arguments: argparse.Namespace) -> int:
    """Revoke; exit 1 where it was never released, or is live."""
    from modelrelease.flows.release.remarks import revoke

    grounds = grounds_of(arguments.config)
    event = revoke(grounds, arguments.version, arguments.reason, doer_of(grounds.project))
    if event is not None and arguments.json:
        say_json(event.to_bytes())
    else:
        said = "is revoked; it stays where it is published" if event is not None else "was revoked already"
        say(f"{arguments.version} {said}\n")
    return 0
