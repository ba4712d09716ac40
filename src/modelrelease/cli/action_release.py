"""What the actions ``promote`` and ``rollback`` do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease import git
from modelrelease.cli.output import say
from modelrelease.cli.told import Told, comparison_summary, fenced, out_folder, printed, tell_comparison
from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.github.inputs import ACTIONS, command_line, is_true

if TYPE_CHECKING:
    from modelrelease.records.comparison import Comparison
    from modelrelease.records.ledger import Event, Receipt


def promote(inputs: Mapping[str, str], told: Told) -> int:
    """Release a version; or only score it and decide, or publish what another job has decided on.

    A blocked decision is told like any other, with the ways on, and ends with 1.
    """
    from modelrelease.flows.release.decide import Blocked
    from modelrelease.records.comparison import COMPARISON_FILE

    _name_default_branch(inputs)
    decided = inputs.get("decided", "")
    out = Path(decided).absolute() if decided else out_folder(inputs)
    asked = {**inputs, "out": "" if decided else str(out)}
    command, *arguments = command_line(ACTIONS["promote"], asked)
    told.outputs |= {"digest": "", "summary": "", "commit": "", "github-release": ""}
    try:
        code, document = printed([command, "--json", *arguments], log=False)
    except Blocked as blocked:
        _tell_decision(told, blocked.comparison, out)
        raise
    if is_true("decide", inputs) and (out / COMPARISON_FILE).is_file():
        from modelrelease.records.comparisons import read_comparison

        _tell_decision(told, read_comparison(out / COMPARISON_FILE), out)
    else:
        _tell_event(told, document, out, inputs)
    return code


def _tell_decision(told: Told, comparison: Comparison, out: Path) -> None:
    from modelrelease.records.comparison import COMPARISON_FILE
    from modelrelease.reports.terminal import comparison_table

    tell_comparison(told, comparison, out / COMPARISON_FILE)
    digest = comparison.candidate.model_digest if comparison.candidate is not None else ""
    told.outputs |= {"digest": digest, "summary": comparison.headline, "folder": str(out)}
    told.summary = comparison_summary(comparison)
    say(comparison_table(comparison))


def _tell_event(told: Told, document: str, out: Path, inputs: Mapping[str, str]) -> None:
    """Tell what the ledger has of a version that is released, now or before."""
    from modelrelease.records.comparison import COMPARISON_FILE
    from modelrelease.records.ledger import Event
    from modelrelease.reports.release import event_text, promoted_text

    event = Event.model_validate_json(document)
    receipt, kept = event.receipt or _receipt(event, inputs), out / COMPARISON_FILE
    told.outputs |= {
        "decision": "promote" if event.kind == "released" and kept.is_file() else "",
        "report": str(kept) if kept.is_file() else "",
        "digest": event.model_digest,
        "summary": event_text(event),
        "commit": receipt.target_commit if receipt is not None else "",
        "github-release": (receipt.github_release or "") if receipt is not None else "",
        "folder": str(out),
    }
    text = told.outputs["summary"] + "\n"
    if is_true("decide", inputs):
        text = f"{event_text(event)}: nothing has to be decided\n"  # and the stage may be elsewhere
    elif receipt is not None:
        text = promoted_text(event.version, receipt.target_commit, event, event.target, event.stage)
    told.summary = fenced(text)
    say(text)


def _receipt(event: Event, inputs: Mapping[str, str]) -> Receipt | None:
    """Return the receipt of an earlier release, which its way forward does not repeat.

    The run that made ``event`` has read and kept the ledger: no remote is asked again.
    """
    from modelrelease.cli.releasing import grounds_of
    from modelrelease.flows.ledger import ledger_branch, open_ledger

    grounds = grounds_of(Path(inputs["config"]) if inputs.get("config") else None)
    ledger = open_ledger(ledger_branch(grounds.project.root, grounds.config.name, offline=True))
    known = ledger.state.released.get((event.target, event.version))
    return known.receipt if known is not None else None


def rollback(inputs: Mapping[str, str], told: Told) -> int:
    """Let the stage name an earlier release again, or show what that would change for users."""
    from modelrelease.records.release_plan import RollbackPlan
    from modelrelease.reports.release import rollback_text

    _name_default_branch(inputs)
    told.outputs["needed"] = ""
    command, *arguments = command_line(ACTIONS["rollback"], inputs)
    if is_true("plan", inputs):
        code, document = printed([command, "--json", *arguments], log=False)
        plan = RollbackPlan.model_validate_json(document)
        text = rollback_text(plan)
        told.outputs["needed"] = "false" if plan.done else "true"
        say(text)
    else:
        code, text = printed([command, *arguments])
    told.summary = fenced(text)
    return code


def _name_default_branch(inputs: Mapping[str, str]) -> None:
    """GitHub's checkout leaves open which branch is the default one, whose policy decides."""
    branch = inputs.get("default-branch", "")
    if branch and not git.name_default_branch(Path.cwd(), branch):
        message, todo = f"{branch!r} is no branch of origin here", "check out with `fetch-depth: 0`"
        raise invalid("input default-branch", Code.USAGE, message, todo)
