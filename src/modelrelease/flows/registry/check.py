"""The registry's check as one call: staged, a range, or everything as it stands."""

from __future__ import annotations

import datetime

from modelrelease.codes import SAYS_NO
from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Refused
from modelrelease.flows.registry.scope import Scope, complete_staged, targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.flows.registry.dataset_rows import RowReader


class Checked:
    """What a check came to: every finding, what passed remarkably, and how many files it was about."""

    __slots__ = ("files", "findings", "notes")

    def __init__(self, findings: list[Finding], notes: list[str], files: int) -> None:
        self.findings = findings
        self.notes = notes
        self.files = files

    def as_json(self) -> dict[str, object]:
        """Return the result as plain values."""
        findings = [
            {
                "path": _utf8(finding.path),
                "line": finding.line,
                "column": finding.column,
                "code": finding.code.value,
                "message": _utf8(finding.message),
                "todo": _utf8(finding.todo),
            }
            for finding in self.findings
        ]
        notes = [_utf8(note) for note in self.notes]
        return {"schema_version": 1, "files": self.files, "findings": findings, "notes": notes}

    def summary(self) -> list[str]:
        """Return what a person is told where nothing is wrong."""
        from modelrelease.errors import escape_controls

        count = f"{self.files:,} governed file{'' if self.files == 1 else 's'}"
        return [f"{count}, all with their change record", *(escape_controls(note) for note in self.notes)]


def _utf8(text: str) -> str:
    """Return ``text`` with the bytes of a name that are no UTF-8 as escapes, which JSON can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def check_changes(scope: Scope, today: datetime.date, rows: RowReader | None = None) -> Checked:
    """Return what the rule says of everything that changed in ``scope``; ``rows`` looks at new rows on the way."""
    from modelrelease.flows.registry.authors import KnownAuthors
    from modelrelease.flows.registry.examine import Examiner
    from modelrelease.registry.judge import Judge

    if scope.range is None:
        complete_staged(scope)
    paths = targets(scope)
    judge = Judge(scope.policy.rules, today, KnownAuthors(scope))
    examiner = Examiner(scope, judge, paths, rows)
    findings = dict.fromkeys(finding for path in paths for finding in examiner.examine(path))
    return Checked(list(findings), examiner.notes, len(paths))


def verdict(findings: list[Finding]) -> ModelreleaseError:
    """Return the error that findings end a command with: exit 2 where a file is malformed, 1 where the rule says no."""
    malformed = any(
        finding.code not in SAYS_NO and (finding.code.value > "MR2" or finding.code.value == "MR107")
        for finding in findings
    )
    return InvalidInput(findings) if malformed else Refused(findings)


def today() -> datetime.date:
    """Return the day it is here."""
    return datetime.date.today()  # noqa: DTZ011 - the day on the calendar of whoever commits
