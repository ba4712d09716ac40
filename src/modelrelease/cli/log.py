"""Who changed what, why and when, from the first commit on."""

from __future__ import annotations

import argparse
import json
import os

from modelrelease.cli.output import say, say_json

EXAMPLE = "modelrelease log datasets/qa.jsonl --row q17"
_WIDTHS = {"author": 24, "reason": 60, "what": 60, "path": 50}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="governed files (default: all of them)")
    parser.add_argument("--row", metavar="ID", help="only what changed the row with this id, and how")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the table; exit 0 also where it is empty."""
    from modelrelease.errors import escape_controls, shorten
    from modelrelease.flows.registry.log import change_log
    from modelrelease.flows.registry.scope import open_git, staged_scope
    from modelrelease.flows.registry.stamp import relative_paths

    git = open_git(os.curdir, {})
    scope = staged_scope(git)
    try:
        entries = change_log(scope, relative_paths(git, arguments.paths, os.curdir), arguments.row)
    finally:
        scope.objects.close()
    if arguments.json:
        rows = [entry.as_json() for entry in entries]
        say_json((json.dumps(rows, indent=2, sort_keys=True) + "\n").encode("ascii"))
        return 0
    if not entries:
        say("no change is recorded\n")
        return 0
    from tabulate import tabulate

    columns = ("date", "author", "reason", "what", "path", "commit")
    cells = [
        [shorten(escape_controls(getattr(entry, name)), _WIDTHS.get(name, 20)) for name in columns] for entry in entries
    ]
    say(tabulate(cells, headers=["date", "author", "reason", "what", "file", "commit"], disable_numparse=True) + "\n")
    return 0
