"""What the actions have in common: what they have to tell, where results go, and how they run a command."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease import settings
from modelrelease.cli.output import say
from modelrelease.github import workflow

if TYPE_CHECKING:
    from modelrelease.records.comparison import Comparison
    from modelrelease.reports.comment import About


@dataclass
class Told:
    """What an action has to tell, as far as it got: outputs, the job summary, remarks on the run's page.

    ``known`` are outputs that hold whatever comes after them, also where the rest is taken back.
    """

    outputs: dict[str, str] = field(default_factory=lambda: {"decision": "", "verdicts": "{}", "report": ""})
    summary: str = ""
    remarks: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)


def out_folder(inputs: Mapping[str, str]) -> Path:
    """Return where results go: as asked, else a new folder outside of the workspace, which could hold links."""
    if chosen := inputs.get("out"):
        return Path(chosen).absolute()
    return Path(tempfile.mkdtemp(prefix="modelrelease-", dir=settings.workflow_files().temporary))


def printed(argv: list[str], *, log: bool = True) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed, which goes to the log too."""
    from modelrelease.cli.main import run_command

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = run_command(argv)
    if log:
        say(said.getvalue())
    return code, said.getvalue()


def tell_comparison(told: Told, comparison: Comparison, place: Path) -> None:
    """Tell the decision in ``comparison``, which stands at ``place``."""
    verdicts = {f"{row.task}/{row.metric}": row.verdict for row in comparison.metrics}
    told.outputs |= {
        "decision": comparison.decision,
        "verdicts": json.dumps(verdicts, separators=(",", ":")),
        "report": str(place),
    }
    if comparison.decision == "block":
        told.remarks.append(workflow.remark("error", comparison.headline))
    told.remarks += [workflow.remark("warning", warning) for warning in comparison.warnings]


def comparison_summary(comparison: Comparison) -> str:
    """Return a comparison as the run's page shows it."""
    from modelrelease.reports.comment import SUMMARY_LIMIT, comment_markdown

    return comment_markdown(comparison, about_run(comparison), limit=SUMMARY_LIMIT)


def about_run(comparison: Comparison | None) -> About:
    """Return what this run is: of which commit, and where it is found."""
    from modelrelease.cli.on_github import this_run
    from modelrelease.github.event import Event, read_event
    from modelrelease.github.report import about_of

    environment = settings.github_environment()
    event = read_event(Path(environment.event_path)) if environment.event_path else Event()
    return about_of(comparison, event, this_run(environment), settings.run_url(), None)


def fenced(text: str) -> str:
    """Return what a command printed as Markdown, where nothing of it is obeyed; nothing for nothing."""
    from modelrelease.reports.inert import fence

    return "\n".join(fence(text)) + "\n" if text else ""
