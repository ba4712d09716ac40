"""What a step tells GitHub's runner: outputs, the job summary, annotations.

A runner obeys every line a step prints that looks like a command, and every line of the files it names. So what goes
into outputs is one line between delimiters that nobody can guess, what is printed as a command is escaped as
GitHub's own toolkit does it (actions/toolkit, packages/core/src/command.ts), and everything else is printed while
commands are switched off. Nothing is ever written to GITHUB_ENV or GITHUB_PATH.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from modelrelease.codes import Code
from modelrelease.errors import MAX_TEXT, Finding, Unavailable, escape_controls, shorten

MAX_ANNOTATIONS = 10
"""GitHub shows no more errors of one step."""


def annotation(finding: Finding) -> str:
    """Return the workflow command that shows ``finding`` beside its line: ``::error file=…,line=…,title=…::…``."""
    place = {"file": finding.path, "line": finding.line, "col": finding.column}
    return _command("error", place, finding.code.value, f"{finding.message}; {finding.todo}")


def remark(level: Literal["error", "warning"], text: str) -> str:
    """Return the workflow command that shows ``text`` on the run's page."""
    return _command(level, {}, "modelrelease", text)


def _command(level: str, place: Mapping[str, object], title: str, text: str) -> str:
    values = {**place, "title": title}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in values.items() if value is not None)
    return f"::{level} {properties}::{_data(shorten(text, MAX_TEXT))}"


def _data(text: str) -> str:
    # What stays a control character after this would move a terminal's cursor where the log is shown.
    return escape_controls(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def output_lines(values: Mapping[str, str], delimiter: str) -> str:
    """Return what sets ``values`` in GITHUB_OUTPUT. Each becomes one line, its control characters escaped.

    ``delimiter`` must be one that no author of a value can know.
    """
    return "".join(f"{name}<<{delimiter}\n{escape_controls(value)}\n{delimiter}\n" for name, value in values.items())


def write_outputs(path: Path | None, values: Mapping[str, str]) -> None:
    """Append ``values`` to the file that GITHUB_OUTPUT names; do nothing outside of a job."""
    _append(path, output_lines(values, f"end-{secrets.token_hex(16)}"))


def write_summary(path: Path | None, markdown: str) -> None:
    """Append ``markdown`` to the job summary, the file that GITHUB_STEP_SUMMARY names; nothing outside of a job."""
    _append(path, markdown.rstrip("\n") + "\n\n")


@contextlib.contextmanager
def commands_off(say: Callable[[str], None]) -> Iterator[None]:
    """Let the runner take everything printed in here for text, whoever wrote it.

    Also ``##[set-output name=x]y`` in the middle of a line is a command to it. ``say`` writes to stdout.
    """
    token = secrets.token_hex(16)
    say(f"::stop-commands::{token}\n")
    try:
        yield
    finally:
        say(f"\n::{token}::\n")


def _append(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        with path.open("a", encoding="utf-8", newline="\n", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise Unavailable(Finding(str(path), Code.UNAVAILABLE, message, "free the runner's disk")) from error
