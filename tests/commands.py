"""The command line, called in this process, or as a person would call it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelrelease.cli.main import main


@dataclass(frozen=True)
class Ran:
    """What a command ended with and printed."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """Run ``modelrelease`` with these arguments."""
    capsys.readouterr()
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse's own, for --help and --version
        code = -1 if not isinstance(end.code, int) else end.code
    printed = capsys.readouterr()
    return Ran(code, printed.out, printed.err)


def start(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``modelrelease`` as a process of its own in ``folder``, with a cache of its own there."""
    environment = {**os.environ, "MODELRELEASE_CACHE": str(folder / ".cache"), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "modelrelease", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=900, check=False
    )
