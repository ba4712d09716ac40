"""The registry's check as one call: staged, a range, or everything as it stands."""

from __future__ import annotations

import datetime

from modelrelease.codes import SAYS_NO, Code
from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Refused
from modelrelease.flows.registry.scope import Scope, complete_staged, targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.flows.registry.dataset_rows import RowReader
    from modelrelease.flows.registry.layout import Layout


class Checked:
    """What a check came to: every finding, what passed remarkably, and how many files it was about."""

    __slots__ = ("files", "findings", "notes", "versions")

    def __init__(self, findings: list[Finding], notes: list[str], files: int, versions: int = 0) -> None:
        self.findings = findings
        self.notes = notes
        self.files = files
        self.versions = versions

    def with_versions(self, layout: Layout) -> Checked:
        """Return the result together with that of the version folders."""
        findings = list(dict.fromkeys([*self.findings, *layout.findings]))
        return Checked(findings, [*self.notes, *layout.notes], self.files, layout.versions)

    def with_findings(self, findings: list[Finding]) -> Checked:
        """Return the result with more findings."""
        return Checked(list(dict.fromkeys([*self.findings, *findings])), self.notes, self.files, self.versions)

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
        counts = {"files": self.files, "versions": self.versions}
        return {"schema_version": 1, **counts, "findings": findings, "notes": notes}

    def summary(self) -> list[str]:
        """Return what a person is told where nothing is wrong."""
        from modelrelease.errors import escape_controls

        count = f"{self.files:,} governed file{'' if self.files == 1 else 's'}"
        versions = f"{self.versions:,} version folder{'' if self.versions == 1 else 's'}, as their papers say"
        said = [f"{count}, all with their change record", *([versions] if self.versions else [])]
        return [*said, *(escape_controls(note) for note in self.notes)]


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
    malformed = any(_is_malformed(finding.code) for finding in findings)
    return InvalidInput(findings) if malformed else Refused(findings)


def _is_malformed(code: Code) -> bool:
    if code in SAYS_NO:
        return False
    if code.value.startswith("MR42"):  # papers that can be read, and say something else than what is there
        return code == Code.ADDRESS
    return code.value > "MR2" or code == Code.LOG_LINE


def today() -> datetime.date:
    """Return the day it is here."""
    return datetime.date.today()  # noqa: DTZ011 - the day on the calendar of whoever commits
