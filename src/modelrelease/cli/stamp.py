"""Write the change record of what changed: author from git, date of today, and the reason that you give."""

from __future__ import annotations

import argparse
import os
import sys

from modelrelease.cli.output import complain, say

EXAMPLE = 'modelrelease stamp --reason "Ask for the answer first: 40 of 200 replies hit the token limit" --add'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files to stamp (default: all that changed)")
    parser.add_argument("--reason", metavar="TEXT", help="why it changed; asked for on a terminal where one is needed")
    parser.add_argument("--add", action="store_true", help="stage what was stamped; of what changed, what is staged")


def run(arguments: argparse.Namespace) -> int:
    """Stamp; exit 0, 1 where the reason is missing or refused."""
    from modelrelease.flows.registry.check import today
    from modelrelease.flows.registry.scope import open_git
    from modelrelease.flows.registry.stamp import relative_paths, stamp_changes
    from modelrelease.flows.registry.stamp_plan import Stamp
    from modelrelease.settings import commit_environment

    git = open_git(os.curdir, commit_environment())
    paths = relative_paths(git, arguments.paths, os.getcwd())  # noqa: PTH109
    stamped = stamp_changes(git, paths, Stamp(arguments.reason, today(), _ask), add=arguments.add)
    if not stamped.files:
        say("nothing to stamp: what changed has its record\n")
        return 0
    say("".join(f"{line}\n" for line in stamped.lines()))
    if not arguments.add:
        say("stage it with `git add`, or stamp with --add\n")
    return 0


def _ask() -> str | None:
    """Return a reason typed on a terminal; None where there is nobody to ask."""
    if not (sys.stdin is not None and sys.stdin.isatty()):
        return None
    complain("why did it change? ")
    return sys.stdin.readline().strip() or None
