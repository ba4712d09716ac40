"""What changed in prompts, datasets and suites: by whom, why, word by word and row by row."""

from __future__ import annotations

import argparse
import os

from modelrelease.cli.output import say, say_json

EXAMPLE = "modelrelease changes --from-ref origin/main --to-ref HEAD --format markdown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--from-ref", metavar="REF", required=True, help="where to begin: a branch, a tag, a commit")
    parser.add_argument("--to-ref", metavar="REF", default="HEAD", help="where to end (default: HEAD)")
    formats = ("text", "json", "markdown")
    parser.add_argument("--format", choices=formats, default="text", help="what is printed (default: text)")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")


def run(arguments: argparse.Namespace) -> int:
    """Show the changes since the branch began; exit 0 whatever they are."""
    from modelrelease.flows.registry.changes import list_changes
    from modelrelease.flows.registry.scope import open_git, range_scope
    from modelrelease.reports.changes import changes_markdown, changes_text

    scope = range_scope(open_git(os.curdir, {}), arguments.from_ref, arguments.to_ref)
    try:
        changes = list_changes(scope, arguments.from_ref, arguments.to_ref)
    finally:
        scope.objects.close()
    if arguments.format == "json":
        say_json(changes.to_bytes())
    else:
        say((changes_markdown if arguments.format == "markdown" else changes_text)(changes))
    return 0
