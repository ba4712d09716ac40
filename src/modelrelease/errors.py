"""One hierarchy of errors, one exit code a class, and the line that a person reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code

# Text in a finding can come from a pull request: anything that could move a terminal's cursor,
# forge a second line or turn reading direction around is shown as an escape.
_UNUSUAL = re.compile(r"[^ -~]")
# What counts as printable and shows nothing: text could be hidden in it. Source: Default_Ignorable_Code_Point of
# Unicode's DerivedCoreProperties.txt, without what is not printable anyway, and the empty Braille pattern.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
MAX_TEXT = 600
MAX_FINDINGS = 20


def escape_controls(text: str) -> str:
    """Return ``text`` with every character that is not printable, or shows nothing, written as a Python escape."""
    return _UNUSUAL.sub(lambda match: c if _shows(c := match.group()) else _escape(c), text)


def _shows(character: str) -> bool:
    return character.isprintable() and not _INVISIBLE.match(character)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def shorten(text: str, limit: int) -> str:
    """Return ``text`` cut to at most ``limit`` characters, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, where, and what to do about it.

    ``line`` and ``column`` count from 1; None where the finding concerns the whole file.
    """

    path: str
    code: Code
    message: str
    todo: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return ``path:line[:column]: CODE what is wrong; what to do`` on one line."""
        where = self.path
        if self.line is not None:
            where += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        text = shorten(f"{self.message}; {self.todo}", MAX_TEXT)
        return escape_controls(f"{where}: {self.code.value} {text}")


class ModelreleaseError(Exception):
    """Something a person has to act on; ``exit_code`` is what the command ends with."""

    exit_code = 2

    def __init__(self, findings: Finding | Iterable[Finding]) -> None:
        self.findings = (findings,) if isinstance(findings, Finding) else tuple(findings)
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """Return at most ``MAX_FINDINGS`` lines, and one that counts the rest."""
        shown = [str(finding) for finding in self.findings[:MAX_FINDINGS]]
        rest = len(self.findings) - len(shown)
        return shown if rest <= 0 else [*shown, f"… and {rest} more like these"]


class Refused(ModelreleaseError):
    """Well-formed, but the policy or an integrity check says no: exit 1."""

    exit_code = 1


class InvalidInput(ModelreleaseError):
    """Malformed input, or a command misused: exit 2."""

    exit_code = 2


class Unavailable(ModelreleaseError):
    """Something outside (disk, engine, git, a server) is missing or does not let us in: exit 3."""

    exit_code = 3


def invalid(
    path: str | Path, code: Code, message: str, todo: str, line: int | None = None, column: int | None = None
) -> InvalidInput:
    """Return an :class:`InvalidInput` with one finding, ready to raise."""
    return InvalidInput(Finding(str(path), code, message, todo, line, column))
