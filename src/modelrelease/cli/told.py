"""What the actions have in common: what they have to tell, where results go, and how they run a command."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelrelease import settings
from modelrelease.cli.output import say


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
