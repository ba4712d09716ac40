"""Say which version a pull request asks to be compared with which, and by which rule. Writes nothing."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import complain, say, say_json
from modelrelease.errors import escape_controls

if TYPE_CHECKING:
    from modelrelease.flows.resolve import Range

EXAMPLE = "modelrelease resolve --base origin/main"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_range(parser)
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print the resolution as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Resolve; exit 0 whatever the answer is."""
    from modelrelease.flows.resolve import resolve_range
    from modelrelease.reports.resolution import resolution_text

    resolved = resolve_range(open_project(arguments.config), range_of(arguments))
    for warning in resolved.warnings:
        complain(escape_controls(f"warning: {warning}") + "\n")
    resolution = resolved.resolution
    if arguments.json:
        say_json(resolution.to_bytes())
    else:
        say(resolution_text(resolution))
    return 0


def add_range(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which two trees are meant, and which versions."""
    parser.add_argument("--base", metavar="REF", help="what is merged into (default: the default branch)")
    parser.add_argument("--head", metavar="REF", help="what is merged (default: the commit that is checked out)")
    parser.add_argument("--candidate", metavar="VERSION", help="the version to score, where several are new")
    parser.add_argument(
        "--baseline", metavar="VERSION", help="the live version (default: the ledger's, or the highest with a record)"
    )


def range_of(arguments: argparse.Namespace) -> Range:
    """Return what ``add_range``'s options say."""
    from modelrelease.flows.resolve import Range

    return Range(arguments.base, arguments.head, arguments.candidate, arguments.baseline)
