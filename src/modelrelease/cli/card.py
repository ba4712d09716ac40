"""A version's model card and changelog, from its records: README.md keeps what people wrote, changelog.md is ours."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import complain, say, say_json

if TYPE_CHECKING:
    from modelrelease.errors import Finding
    from modelrelease.flows.card import CardPlan

EXAMPLE = "modelrelease card models/model_v1.1 --write"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("version", type=Path, metavar="VERSION", help="a version folder, such as models/model_v1.1")
    add_config(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write README.md and changelog.md (default: show them)")
    what.add_argument("--check", action="store_true", help="exit 1 where one is stale or the card lacks something")
    parser.add_argument("--json", action="store_true", help="print states and findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Show, write or check; exit 1 for --check where something is to be done, else 0."""
    from modelrelease.flows.card import Written, plan_card, write_card
    from modelrelease.reports.version_card import card_section
    from modelrelease.reports.version_changelog import changelog

    plan = plan_card(open_project(arguments.config), arguments.version, Written(card_section, changelog))
    if arguments.write:
        write_card(plan)
    findings = plan.all_wrong() if arguments.check else list(plan.findings)
    code = 1 if arguments.check and findings else 0
    if arguments.json:
        say_json(_document(plan, findings, code, written=arguments.write))
        return code
    if arguments.write:
        say(_written(plan, findings))
    elif not arguments.check:
        say(_preview(plan))
    elif not findings:
        say(f"{plan.version}: card and changelog are what the records give\n")
    _tell(plan, findings)
    return code


def _preview(plan: CardPlan) -> str:
    from modelrelease.errors import escape_controls

    blocks = []
    for file in plan.files:
        lines = [escape_controls(line) for line in file.after.decode("utf-8").splitlines()]
        blocks.append("\n".join([f"==> {escape_controls(file.shown)} ({file.state})", *lines, ""]))
    return "\n".join(blocks)


def _tell(plan: CardPlan, findings: list[Finding]) -> None:
    from modelrelease.errors import MAX_FINDINGS, escape_controls

    lines = [str(finding) for finding in findings[:MAX_FINDINGS]]
    rest = len(findings) - len(lines)
    lines += [f"… and {rest} more like these"] if rest > 0 else []
    lines += [f"note: {escape_controls(note)}" for note in plan.notes]
    complain("".join(f"{line}\n" for line in lines))


def _written(plan: CardPlan, findings: list[Finding]) -> str:
    lines = [f"{file.shown}: {'as it was' if file.state == 'current' else 'written'}" for file in plan.files]
    if findings:
        lines.append("the card still lacks what is named here; `--check` exits with 1 until it is there")
    return "".join(f"{line}\n" for line in lines)


def _document(plan: CardPlan, findings: list[Finding], code: int, *, written: bool) -> bytes:
    files = [
        {"path": file.shown, "state": file.state, "written": written and file.state != "current"} for file in plan.files
    ]
    document = {
        "schema_version": 1,
        "version": plan.version,
        "files": files,
        "findings": [
            {"path": f.path, "line": f.line, "code": f.code.value, "message": f.message, "todo": f.todo}
            for f in findings
        ],
        "notes": list(plan.notes),
        "exit_code": code,
    }
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode("ascii")
