"""Hold a candidate's evaluation against a baseline's: a verdict for each metric, and the decision."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import say, say_json

if TYPE_CHECKING:
    from modelrelease.records.comparison import Comparison

EXAMPLE = "modelrelease compare models/model_v1.0 models/model_v1.1 --context pull_request"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("baseline", type=Path, metavar="BASELINE", help="an eval.json, or a folder that holds one")
    parser.add_argument("candidate", type=Path, metavar="CANDIDATE", help="likewise")
    add_config(parser)
    parser.add_argument("--policy-ref", metavar="REF", help="read the policy as committed at this git ref")
    contexts = ("pull_request", "release")
    parser.add_argument(
        "--context", choices=contexts, default="release", help="what the decision is for (default: release)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write comparison.json there")
    add_format(parser)
    parser.add_argument(
        "--on-changed-items",
        choices=("refuse", "intersect"),
        default="refuse",
        help="items that differ between the sides: refuse to compare (default), or compare the rest and list them",
    )


def run(arguments: argparse.Namespace) -> int:
    """Compare; exit 0 for promote, 1 for block."""
    from modelrelease.flows.compare import Sides, compare_files
    from modelrelease.records.files import write_atomic

    comparison = compare_files(
        open_project(arguments.config),
        Sides(arguments.baseline, arguments.candidate),
        arguments.context,
        policy_ref=arguments.policy_ref,
        intersect=arguments.on_changed_items == "intersect",
    )
    if arguments.out is not None:
        write_atomic(arguments.out / "comparison.json", comparison.to_bytes())
    show_comparison(comparison, arguments.format)
    return 0 if comparison.decision == "promote" else 1


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add ``--format`` and ``--json``."""
    formats = ("table", "json", "markdown")
    parser.add_argument("--format", choices=formats, default="table", help="what is printed (default: table)")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")


def show_comparison(comparison: Comparison, form: str) -> None:
    """Print a comparison as a table, JSON or Markdown; in a job's log no more of items than the policy allows."""
    from modelrelease import settings
    from modelrelease.reports.comment import SUMMARY_LIMIT, About, comment_markdown
    from modelrelease.reports.permitted import permitted
    from modelrelease.reports.terminal import comparison_table

    if form == "json":
        say_json(comparison.to_bytes())
    elif form == "markdown":
        say(comment_markdown(comparison, About(), limit=SUMMARY_LIMIT))
    else:
        in_a_job = settings.github_environment().run_id is not None
        say(comparison_table(permitted(comparison) if in_a_job else comparison))
