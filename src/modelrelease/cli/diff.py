"""What changed between two evaluations: metric deltas, and the items that flipped, before and after."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.compare import add_format
from modelrelease.cli.output import say, say_json

EXAMPLE = "modelrelease diff models/model_v1.0 models/model_v1.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("baseline", type=Path, metavar="BASELINE", help="an eval.json, or a folder that holds one")
    parser.add_argument("candidate", type=Path, metavar="CANDIDATE", help="likewise")
    add_config(parser)
    parser.add_argument(
        "--on-changed-items",
        choices=("refuse", "intersect"),
        default="refuse",
        help="items that differ between the sides: refuse to compare (default), or compare the rest",
    )
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the differences; exit 0 whatever they are."""
    from modelrelease.flows.compare import Sides, diff_files
    from modelrelease.reports.markdown import diff_markdown
    from modelrelease.reports.terminal import diff_table

    sides = Sides(arguments.baseline, arguments.candidate)
    intersect = arguments.on_changed_items == "intersect"
    diff = diff_files(open_project(arguments.config), sides, intersect=intersect)
    if arguments.format == "json":
        say_json(diff.to_bytes())
    else:
        say((diff_markdown if arguments.format == "markdown" else diff_table)(diff))
    return 0
