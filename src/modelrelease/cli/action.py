"""What the composite actions run: inputs from the environment, then the command, then outputs, summary, annotations.

The exit code is an output: what follows in a job still runs, and the action's last step ends with that code.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from modelrelease import settings
from modelrelease.cli.action_release import promote, rollback
from modelrelease.cli.action_reproduction import issue, reproduce
from modelrelease.cli.output import say
from modelrelease.cli.told import Told, about_run, comparison_summary, fenced, out_folder, printed, tell_comparison
from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Unavailable, invalid
from modelrelease.github import workflow
from modelrelease.github.inputs import ACTIONS, command_line, is_true

EXAMPLE = "modelrelease action compare    # with INPUT_BASELINE, INPUT_CANDIDATE … in the environment"
_REGISTRY = "MR1"
CODES = {"promote": 0, "not-needed": 0, "block": 1}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", choices=tuple(ACTIONS), help=", ".join(ACTIONS))


def run(arguments: argparse.Namespace) -> int:
    """Run the action; exit 0 in a job once its outputs are written, with the command's code outside of one."""
    from modelrelease.cli.guard import guarded

    inputs, files = settings.action_inputs(), settings.workflow_files()
    told, errors = Told(), list[ModelreleaseError]()
    # Both streams are one in the log, so that nothing is printed before commands are off or after they are on again.
    with workflow.commands_off(say), contextlib.redirect_stderr(sys.stdout):
        code = guarded(lambda: _WORK[arguments.name](inputs, told), heard=errors.append)
    if code == InvalidInput.exit_code:  # what cannot be right decides nothing
        told = Told(known=told.known)
    findings = [finding for error in errors for finding in error.findings]
    lines = [workflow.annotation(finding) for finding in findings] + told.remarks
    say("".join(f"{line}\n" for line in lines[: workflow.MAX_ANNOTATIONS]))
    workflow.write_summary(files.summary, told.summary + _failure(errors))
    workflow.write_outputs(files.output, {**told.outputs, **told.known, "exit-code": str(code)})
    return code if files.output is None else 0


def _pull_request(inputs: Mapping[str, str], told: Told) -> int:
    from modelrelease.flows.pull_request import CANDIDATE
    from modelrelease.records.evaluation import EVAL_FILE

    code = _judge("pull-request", inputs, told)
    results = Path(told.outputs["folder"]) / CANDIDATE
    told.outputs["results"] = str(results) if (results / EVAL_FILE).exists() else ""
    return code


def _compare(inputs: Mapping[str, str], told: Told) -> int:
    return _judge("compare", inputs, told)


def _judge(name: str, inputs: Mapping[str, str], told: Told) -> int:
    """Run a command that writes comparison.json, and tell what stands there."""
    from modelrelease.records.comparison import COMPARISON_FILE
    from modelrelease.records.comparisons import read_comparison

    out = out_folder(inputs)
    told.outputs["folder"] = str(out)
    code, _ = printed(command_line(ACTIONS[name], {**inputs, "out": str(out)}))
    comparison = read_comparison(out / COMPARISON_FILE)
    tell_comparison(told, comparison, out / COMPARISON_FILE)
    told.summary = comparison_summary(comparison)
    return code


def _score(inputs: Mapping[str, str], told: Told) -> int:
    from modelrelease.records.evaluation import EVAL_FILE

    out = out_folder(inputs)
    code, table = printed(command_line(ACTIONS["score"], {**inputs, "out": str(out)}))
    told.outputs |= {"report": str(out / EVAL_FILE), "folder": str(out)}
    told.summary = fenced(table)
    return code


def _check(inputs: Mapping[str, str], told: Told) -> int:
    """Ask every change for its record, and find out what has to be scored; both are told when one of them fails."""
    problems: list[ModelreleaseError] = []
    for work in (_recorded, _resolved):
        try:
            work(inputs, told)
        except ModelreleaseError as error:
            problems.append(error)
    if problems:
        worst = max(problems, key=lambda problem: problem.exit_code)
        raise type(worst)([finding for problem in problems for finding in problem.findings])
    # What says that nothing has to be scored is a comparison too: the gate reads one document, whatever came of it.
    return 0 if told.outputs["needed"] == "true" else _judge("pull-request", inputs, told)


def _recorded(inputs: Mapping[str, str], told: Told) -> None:
    """Ask what changed who, why and when. ``recorded`` stays empty where something else kept us from an answer."""
    from modelrelease import git

    base = inputs.get("base") or git.default_branch(Path.cwd())
    told.outputs["recorded"] = ""
    if base is None:
        raise invalid("input base", Code.USAGE, "is missing, and there is no default branch", "give it under `with:`")
    try:
        printed(["check", f"--from-ref={base}", f"--to-ref={inputs.get('head') or 'HEAD'}"])
    except ModelreleaseError as error:
        if any(finding.code.value.startswith(_REGISTRY) for finding in error.findings):
            told.outputs["recorded"] = "false"
        raise
    told.outputs["recorded"] = "true"


def _resolved(inputs: Mapping[str, str], told: Told) -> None:
    from modelrelease.records.resolution import Resolution
    from modelrelease.reports.resolution import resolution_text

    _, document = printed([*command_line(ACTIONS["check"], inputs), "--json"], log=False)
    found = Resolution.model_validate_json(document)
    text, needed = resolution_text(found), found.rule != "not-needed"
    say(text)
    told.summary = fenced(text)
    told.outputs |= {
        "needed": "true" if needed else "false",
        "candidate": found.candidate or "",
        "baseline": found.baseline or "",
        "rule": found.rule,
    }


def _comment(inputs: Mapping[str, str], told: Told) -> int:
    from modelrelease.records.comparison import COMPARISON_FILE
    from modelrelease.records.comparisons import read_comparison

    gate, reason = is_true("gate", inputs), inputs.get("unless-scored", "")
    # A step that made none gives "", and the working directory is a pull request's checkout.
    place = Path(inputs.get("comparison") or out_folder({}))
    place = place / COMPARISON_FILE if place.is_dir() else place
    comparison = read_comparison(place) if place.is_file() or not reason else None
    if comparison is not None:
        tell_comparison(told, comparison, place.absolute())
    else:
        _tell_undecided(told, reason)
    code, _ = printed(command_line(ACTIONS["comment"], {**inputs, "comparison": str(place)}))
    decided = CODES[comparison.decision] if comparison is not None else Unavailable.exit_code
    return code or (decided if gate else 0)


_WORK = {
    "pull-request": _pull_request,
    "check": _check,
    "score": _score,
    "compare": _compare,
    "comment": _comment,
    "reproduce": reproduce,
    "issue": issue,
    "promote": promote,
    "rollback": rollback,
}


def _tell_undecided(told: Told, reason: str) -> None:
    from modelrelease.reports.comment import undecided_markdown

    finding = Finding("modelrelease", Code.UNAVAILABLE, "this pull request was not scored", reason)
    told.remarks.append(workflow.annotation(finding))
    told.summary = undecided_markdown(reason, about_run(None))


def _failure(errors: list[ModelreleaseError]) -> str:
    return "".join(fenced("\n".join(error.lines())) for error in errors)
