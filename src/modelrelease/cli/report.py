"""Show a comparison that was made before: as a pull request's comment, as one HTML page, or as JUnit XML."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelrelease.cli.output import say

EXAMPLE = "modelrelease report .modelrelease/pull-request --format junit --out report.xml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "comparison", type=Path, metavar="COMPARISON", help="a comparison.json, or a folder that holds one"
    )
    formats = ("markdown", "html", "junit")
    parser.add_argument("--format", choices=formats, default="markdown", help="what is written (default: markdown)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there instead of printing it")


def run(arguments: argparse.Namespace) -> int:
    """Render; exit 0 whatever the decision is, 2 where the file is malformed."""
    from modelrelease.errors import escape_controls
    from modelrelease.records.comparisons import read_comparison
    from modelrelease.records.files import write_atomic
    from modelrelease.reports.comment import SUMMARY_LIMIT, About, comment_markdown
    from modelrelease.reports.html_comparison import comparison_html
    from modelrelease.reports.junit import comparison_junit

    comparison = read_comparison(arguments.comparison)
    if arguments.format == "junit":
        text = comparison_junit(comparison)
    elif arguments.format == "html":
        text = comparison_html(comparison)
    else:
        text = comment_markdown(comparison, About(), limit=SUMMARY_LIMIT)
    if arguments.out is None:
        say(text)
    else:
        write_atomic(arguments.out, text.encode())
        say(f"written to {escape_controls(str(arguments.out))}\n")
    return 0
