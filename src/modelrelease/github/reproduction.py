"""What the readers of the issue are told: what came of a reproduction, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease.github.comments import Run
from modelrelease.github.issues import Marker, Mine, Standing
from modelrelease.records.reproduction import Reproduction
from modelrelease.reports.comment import LIMIT, SUMMARY_LIMIT, About
from modelrelease.reports.reproduction_issue import Subject, issue_markdown, issue_title, note_markdown


@dataclass(frozen=True)
class Found:
    """A reproduction of ``subject``, or the ``reason`` why there is none."""

    reproduction: Reproduction | None
    reason: str
    subject: Subject
    about: About

    @property
    def outcome(self) -> Standing:
        """Return what came of it."""
        return self.reproduction.outcome if self.reproduction is not None else "not-run"

    @property
    def title(self) -> str:
        """Return the issue's title."""
        return issue_title(self.reproduction, self.subject)

    def issue(self) -> str:
        """Return it as an issue's Markdown."""
        return issue_markdown(self.reproduction, self.reason, self.subject, self.about, limit=LIMIT)

    def summary(self) -> str:
        """Return it as a job summary's Markdown, which is longer."""
        return issue_markdown(self.reproduction, self.reason, self.subject, self.about, limit=SUMMARY_LIMIT)

    def mine(self, author: int) -> Mine:
        """Return the issue that the user ``author`` is to write."""
        run = Run(self.about.run_id, self.about.run_attempt) if self.about.run_id is not None else Run()
        marker = Marker(self.subject.name, self.subject.version, self.outcome, run)
        note = note_markdown(self.reproduction, self.reason, self.subject, self.about)
        return Mine(marker, self.title, self.issue(), note, author)
