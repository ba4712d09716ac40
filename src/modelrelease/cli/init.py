"""Set a repository up for the kit: config, suite, workflow, hook and merge attributes, from what it holds.

Asks nothing, and never overwrites a file. Every choice is shown with its reason, and is yours to edit.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path

from modelrelease.cli.output import say, say_json

EXAMPLE = "modelrelease init --dry-run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--into", type=Path, metavar="DIR", default=Path(), help="a folder of the repository (default: here)"
    )
    parser.add_argument("--kit", metavar="OWNER/NAME@REF", help="what workflow and hook use (default: this kit)")
    parser.add_argument(
        "--reproduce", action="store_true", help="write the workflow that runs the live version again once a week, too"
    )
    parser.add_argument(
        "--release", action="store_true", help="write the workflows that release a version and take it back, too"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    parser.add_argument("--json", action="store_true", help="print the setup document instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Set the repository up, or say what that would be; exit 0."""
    from modelrelease.flows.init import plan_init, write_init
    from modelrelease.reports.setup import setup_text

    today = datetime.now(timezone.utc).date().isoformat()
    wanted = {"reproduce": arguments.reproduce, "release": arguments.release}
    plan = plan_init(arguments.into, today, arguments.kit, **wanted)
    setup = plan.setup.model_copy(update={"dry_run": arguments.dry_run})
    if not arguments.dry_run:
        write_init(plan)
    if arguments.json:
        say_json(setup.to_bytes())
    else:
        say(setup_text(setup))
    return 0
