"""Who released, rolled back, revoked or excused what, when and why; whether that is whole; a version's whole chain."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from modelrelease import git
from modelrelease.cli.anchors import github_anchors
from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import say, say_json
from modelrelease.cli.releasing import doer_of, tell
from modelrelease.errors import escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelrelease.config import Project
    from modelrelease.git.append_only import Branch
    from modelrelease.release.targets.target import Target

EXAMPLE = "modelrelease ledger verify"
_WHAT = {
    "log": ("every event: who released, rolled back, revoked or excused what, when and why", "the events"),
    "verify": ("whether the ledger is whole, and its releases are what it says", "the findings"),
    "trace": ("all that is known of one version, oldest first", "the trace"),
}
"""What can be asked, with its line of help and what ``--json`` prints."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    whats = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, (line, printed) in _WHAT.items():
        what = whats.add_parser(name, help=line, description=f"{line[0].upper()}{line[1:]}.", allow_abbrev=False)
        if name == "trace":
            what.add_argument("version", metavar="VERSION", help="a version, released or not")
        add_config(what)
        what.add_argument("--offline", action="store_true", help="what this clone saw last; ask no remote")
        what.add_argument("--json", action="store_true", help=f"print {printed} as JSON")
        what.add_argument("--debug", action="store_true", help="show the traceback of an error")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; exit 1 where the ledger or a release is not as it should be."""
    project = open_project(arguments.config)
    git.work_tree(project.root)
    branch = branch_of(project, offline=arguments.offline)
    if arguments.what == "log":
        return _log(branch, arguments.json)
    return (_trace if arguments.what == "trace" else _verify)(project, branch, arguments)


def _trace(project: Project, branch: Branch, arguments: argparse.Namespace) -> int:
    from modelrelease.flows.ledger import open_ledger
    from modelrelease.flows.release.trace import trace_version
    from modelrelease.reports.trace import trace_text

    open_target = _targets(project, offline=arguments.offline)
    trace = trace_version(project, open_ledger(branch), arguments.version, open_target)
    if arguments.json:
        say_json(trace.to_bytes())
    else:
        say(trace_text(trace))
    return 0


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
        say(ledger_table(events, whole=not sys.stdout.isatty()) if events else f"{branch.name} holds no event yet\n")
    return 0


def _verify(project: Project, branch: Branch, arguments: argparse.Namespace) -> int:
    from modelrelease.errors import Refused
    from modelrelease.flows.release.audit import audit_ledger

    name = project.config.name if project.config is not None else None
    elsewhere = github_anchors(name) if not arguments.offline else None
    audit = audit_ledger(project, branch, _targets(project, offline=arguments.offline), elsewhere)
    ledger, code = audit.ledger, 3 if audit.unreached and not arguments.offline else 0
    if arguments.json:
        found = {
            "events": len(ledger.events),
            "head": ledger.head,
            "findings": list(dict.fromkeys(map(str, audit.findings))),
            "checked": audit.checked,
            "not_checked": audit.unreached,
        }
        say_json((json.dumps(found, indent=2, sort_keys=True) + "\n").encode("utf-8"))
        return 1 if audit.findings else code
    for line in audit.unreached:
        tell(f"not checked: {line}")
    if audit.findings:  # a tag that moved is as wrong for every target that its version went to
        raise Refused(list({str(finding): finding for finding in audit.findings}.values()))
    count = len(ledger.events)
    say(f"{branch.name}: {count} event{'' if count == 1 else 's'}, whole\n")
    say("".join(escape_controls(f"checked: {line}") + "\n" for line in audit.checked))
    return code


def _targets(project: Project, *, offline: bool) -> Callable[[str], Target | None]:
    """Return what opens a target; offline none but a folder's, which asks nobody."""
    from modelrelease.release.targets.address import FILE

    doer = doer_of(project)
    return lambda address: None if offline and not address.startswith(FILE) else doer.open_target(address)
