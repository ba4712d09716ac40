"""Who released, rolled back, revoked or excused what, when and why; whether that is whole; a version's whole chain."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from modelrelease.cli.anchors import github_anchors
from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import say, say_json
from modelrelease.cli.releasing import doer_of, tell
from modelrelease.codes import Code
from modelrelease.errors import escape_controls, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelrelease.config import Project
    from modelrelease.git.append_only import Branch
    from modelrelease.release.targets.target import Target

EXAMPLE = "modelrelease ledger verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "what",
        choices=("log", "verify", "trace"),
        help="log: every event; verify: is it whole, and so? trace: all that is known of VERSION",
    )
    parser.add_argument("version", nargs="?", metavar="VERSION", help="of trace: a version, released or not")
    add_config(parser)
    parser.add_argument("--offline", action="store_true", help="what this clone saw last; ask no remote")
    parser.add_argument("--json", action="store_true", help="print the events, or the findings, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; exit 1 where the ledger or a release is not as it should be."""
    if (arguments.version is not None) != (arguments.what == "trace"):
        todo = "such as `modelrelease ledger trace model_v1.1`"
        raise invalid(f"ledger {arguments.what}", Code.USAGE, "takes a version for trace, and for nothing else", todo)
    project = open_project(arguments.config)
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
        say(ledger_table(events) if events else f"{branch.name} holds no event yet\n")
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
            "findings": [str(finding) for finding in audit.findings],
            "checked": audit.checked,
            "not_checked": audit.unreached,
        }
        say_json((json.dumps(found, indent=2, sort_keys=True) + "\n").encode("utf-8"))
        return 1 if audit.findings else code
    for line in audit.unreached:
        tell(f"not checked: {line}")
    if audit.findings:
        raise Refused(audit.findings)
    count = len(ledger.events)
    say(f"{branch.name}: {count} event{'' if count == 1 else 's'}, whole\n")
    say("".join(escape_controls(f"checked: {line}") + "\n" for line in audit.checked))
    return code


def _targets(project: Project, *, offline: bool) -> Callable[[str], Target | None]:
    """Return what opens a target; offline none but a folder's, which asks nobody."""
    from modelrelease.release.targets.address import FILE

    doer = doer_of(project)
    return lambda address: None if offline and not address.startswith(FILE) else doer.open_target(address)
