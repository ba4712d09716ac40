"""What changed between two evaluations: metric deltas, and the items that flipped, before and after."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.compare import add_format
from modelrelease.cli.output import say, say_json
from modelrelease.errors import escape_controls

EXAMPLE = "modelrelease diff models/model_v1.0 models/model_v1.1 --html diff.html"
ITEMS = 20
ITEMS_IN_HTML = 100


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
    bound = parser.add_mutually_exclusive_group()
    bound.add_argument(
        "--items",
        type=_count,
        metavar="N",
        help=f"show so many broken and so many fixed items a task (default: {ITEMS}, in HTML {ITEMS_IN_HTML})",
    )
    bound.add_argument("--all", action="store_true", help="show all items that changed")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page there")
    add_format(parser)


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of items")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Show the differences; exit 0 whatever they are."""
    from modelrelease.flows.compare import Sides, diff_files
    from modelrelease.reports.markdown import diff_markdown
    from modelrelease.reports.terminal import diff_table

    sides = Sides(arguments.baseline, arguments.candidate)
    intersect = arguments.on_changed_items == "intersect"
    usual = ITEMS if arguments.html is None else ITEMS_IN_HTML
    most = None if arguments.all else usual if arguments.items is None else arguments.items
    diff = diff_files(open_project(arguments.config), sides, intersect=intersect, most=most)
    if arguments.html is not None:
        from modelrelease.records.files import write_atomic
        from modelrelease.reports.html_diff import diff_html

        write_atomic(arguments.html, diff_html(diff).encode())
        say(f"written: {escape_controls(str(arguments.html))}\n")
    elif arguments.format == "json":
        say_json(diff.to_bytes())
    else:
        say((diff_markdown if arguments.format == "markdown" else diff_table)(diff))
    return 0
