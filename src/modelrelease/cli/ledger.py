"""Who released, rolled back, revoked or excused what, when and why; and whether that record is whole."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import say, say_json

if TYPE_CHECKING:
    from modelrelease.config import Project
    from modelrelease.git.append_only import Branch

EXAMPLE = "modelrelease ledger verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("what", choices=("log", "verify"), help="log: every event; verify: is it whole?")
    add_config(parser)
    parser.add_argument("--offline", action="store_true", help="what this clone saw last; ask no remote")
    parser.add_argument("--json", action="store_true", help="print the events, or the findings, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the ledger (exit 1 where it is not whole)."""
    project = open_project(arguments.config)
    branch = branch_of(project, offline=arguments.offline)
    return (_log if arguments.what == "log" else _verify)(branch, arguments.json)


def branch_of(project: Project, *, offline: bool) -> Branch:
    """Return where the project's ledger is kept."""
    from modelrelease.flows.ledger import ledger_branch

    name = project.config.name if project.config is not None else None
    return ledger_branch(project.root, name, offline=offline)


def _log(branch: Branch, as_json: bool) -> int:
    from modelrelease.flows.ledger import open_ledger
    from modelrelease.reports.ledger import ledger_table

    events = open_ledger(branch).events
    if as_json:
        say_json((json.dumps([event.plain() for event in events], indent=2, sort_keys=True) + "\n").encode("utf-8"))
    else:
        say(ledger_table(events) if events else f"{branch.name} holds no event yet\n")
    return 0


def _verify(branch: Branch, as_json: bool) -> int:
    from modelrelease.errors import Refused
    from modelrelease.flows.ledger import inspect_ledger

    ledger, findings = inspect_ledger(branch)
    if as_json:
        found = {"events": len(ledger.events), "findings": [str(finding) for finding in findings], "head": ledger.head}
        say_json((json.dumps(found, indent=2, sort_keys=True) + "\n").encode("utf-8"))
        return 1 if findings else 0
    if findings:
        raise Refused(findings)
    count = len(ledger.events)
    say(f"{branch.name}: {count} event{'' if count == 1 else 's'}, whole\n")
    return 0
