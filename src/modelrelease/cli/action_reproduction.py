"""What the actions ``reproduce`` and ``issue`` do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import open_project
from modelrelease.cli.output import say
from modelrelease.cli.told import Told, out_folder, printed
from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.github import workflow
from modelrelease.github.inputs import ACTIONS, command_line

if TYPE_CHECKING:
    from modelrelease.config import Project

NOTHING = "no version has a record yet, so there is nothing to run again"


def reproduce(inputs: Mapping[str, str], told: Told) -> int:
    """Run a version's recorded evaluation again, the live one's unless another is named.

    Which one, and whose, is told whatever comes of it: an issue has to say of what it speaks.
    """
    model = inputs.get("model", "")
    told.known |= {"outcome": "", "model": model, "name": ""}
    project = open_project(Path(inputs["config"]) if inputs.get("config") else None)
    told.known["name"] = (project.config.name if project.config else None) or ""
    if not model:
        model = _live(project, told)
    if model:
        return _reproduce(model, inputs, told)
    told.remarks.append(workflow.remark("warning", NOTHING))
    told.summary = f"{NOTHING}\n"
    return 0


def _live(project: Project, told: Told) -> str:
    from modelrelease.flows.resolve import live_version

    live = live_version(project, lambda line: told.remarks.append(workflow.remark("warning", line)))
    told.known["model"] = live or ""
    return str(project.root / live) if live is not None else ""


def _reproduce(model: str, inputs: Mapping[str, str], told: Told) -> int:
    from modelrelease.records.files import write_atomic
    from modelrelease.records.reproduction import REPRODUCTION_FILE, Reproduction
    from modelrelease.reports.reproduction import headline, reproduction_markdown, reproduction_table

    out = out_folder(inputs)
    command, *arguments = command_line(ACTIONS["reproduce"], {**inputs, "model": model, "out": str(out)})
    code, document = printed([command, "--json", *arguments], log=False)
    reproduction = Reproduction.model_validate_json(document)
    if reproduction.outcome == "refused":
        # The command left no file, and what stands in a folder that was named is of another run.
        out = out_folder({}) if inputs.get("out") else out
        write_atomic(out / REPRODUCTION_FILE, document.encode())
    told.known["outcome"] = reproduction.outcome
    told.outputs |= {"report": str(out / REPRODUCTION_FILE), "folder": str(out)}
    shown = told.known["model"]
    told.summary = reproduction_markdown(reproduction, shown)
    say(reproduction_table(reproduction, told.outputs["report"]))
    if code:
        told.remarks.append(workflow.remark("error", f"{shown} does not reproduce: {headline(reproduction)}"))
    return code


def issue(inputs: Mapping[str, str], told: Told) -> int:
    """See to the issue about a reproduction, or about there being none."""
    from modelrelease.records.reproduction import REPRODUCTION_FILE

    reason = inputs.get("unless-run", "")
    # A step that made none gives "", and the working directory may be a checkout.
    place = Path(inputs.get("reproduction") or out_folder({}))
    place = place / REPRODUCTION_FILE if place.is_dir() else place
    if place.is_file():
        told.outputs["report"] = str(place.absolute())
    elif reason:
        finding = Finding("modelrelease", Code.UNAVAILABLE, "the live version was not run again", reason)
        told.remarks.append(workflow.annotation(finding))
    code, _ = printed(command_line(ACTIONS["issue"], {**inputs, "reproduction": str(place)}))
    return code
