"""Check a pull request: find candidate and baseline, score what has to be scored, compare, decide."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.compare import add_format, show_comparison
from modelrelease.cli.resolve import add_range, range_of
from modelrelease.cli.score import add_numerics, options_of, surroundings_of

EXAMPLE = "modelrelease pull-request --base origin/main"
OUT = Path(".modelrelease") / "pull-request"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_range(parser)
    add_config(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"where comparison.json and both evaluations go (default: {OUT})"
    )
    add_numerics(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check; exit 0 for promote and not-needed, 1 for block."""
    from modelrelease.flows.pull_request import check_pull_request

    project = open_project(arguments.config)
    out = arguments.out or project.root / OUT
    comparison = check_pull_request(
        project, range_of(arguments), options_of(arguments), surroundings_of(project.root), out
    )
    show_comparison(comparison, arguments.format)
    return 1 if comparison.decision == "block" else 0
