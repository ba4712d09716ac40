"""The command line, called in this process."""

from __future__ import annotations

from dataclasses import dataclass

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
