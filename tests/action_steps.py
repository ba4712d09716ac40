"""Steps of a job that call ``modelrelease action``, as a composite action's do: environment in, runner's files out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import run


@dataclass
class Step:
    """What a step did: its exit code, its log, the outputs it set, the summary it wrote."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


class Steps:
    """A job's folders; its workspace is the working directory."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        self.workspace = folder / "work"
        self.workspace.mkdir()
        monkeypatch.chdir(self.workspace)

    def step(self, action: str, /, **inputs: str) -> Step:
        """Run an action's step with these inputs, and those of earlier steps."""
        output, summary = self.folder / "output", self.folder / "summary"
        for path in (output, summary):
            path.write_text("", "utf-8")
        self.monkeypatch.setenv("GITHUB_OUTPUT", str(output))
        self.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        self.monkeypatch.setenv("RUNNER_TEMP", str(self.folder))
        for key, value in inputs.items():
            self.monkeypatch.setenv(f"INPUT_{key.upper()}", value)
        ran = run(self.capsys, "action", action)
        assert ran.err == ""
        found = re.findall(r"^(\S+)<<(\S+)\n(.*)\n\2$", output.read_text("utf-8"), re.MULTILINE)
        return Step(ran.code, ran.out, {key: value for key, _, value in found}, summary.read_text("utf-8"))
