"""What a pull request's reader is told: which report, of which commit and run, and where it goes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.github.comments import Marker, Mine, Run
from modelrelease.github.event import Event
from modelrelease.records.comparison import Comparison, Decision
from modelrelease.records.config import CommentPolicy
from modelrelease.reports.comment import LIMIT, SUMMARY_LIMIT, About, comment_markdown, undecided_markdown

_REPOSITORY = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class Report:
    """A comparison, or the ``reason`` why there is none, as the repository wants it shown.

    ``name`` tells the comments of several models apart.
    """

    comparison: Comparison | None
    policy: CommentPolicy
    name: str | None
    reason: str
    about: About

    @property
    def decision(self) -> Decision | None:
        """Return the decision; None where nothing was decided."""
        return self.comparison.decision if self.comparison is not None else None

    def comment(self) -> str:
        """Return it as a comment's Markdown."""
        return self._markdown(LIMIT)

    def summary(self) -> str:
        """Return it as a job summary's Markdown, which is longer."""
        return self._markdown(SUMMARY_LIMIT)

    def _markdown(self, limit: int) -> str:
        if self.comparison is None:
            return undecided_markdown(self.reason, self.about)
        shown = self.comparison.model_copy(update={"comment": self.policy})
        return comment_markdown(shown, self.about, limit=limit)

    def mine(self, author: int) -> Mine:
        """Return the comment that the user ``author`` is to write."""
        run = Run(self.about.run_id, self.about.run_attempt) if self.about.run_id is not None else Run()
        return Mine(Marker(self.name, run, self.about.head_sha), self.comment(), author)


def check_head(comparison: Comparison, path: Path, event: Event, merge_sha: str | None) -> None:
    """Refuse (exit 2) a comparison of another commit than the event's: a comment would say of one what is of another.

    ``merge_sha`` is GITHUB_SHA: the merge commit that a pull request's job checks out unless told otherwise.
    """
    head = comparison.resolution.head if comparison.resolution is not None else None
    if head is None or event.head_sha is None or head in {event.head_sha, merge_sha}:
        return
    message = f"is of commit {head[:12]!r}, and the event is about {event.head_sha[:12]!r}"
    raise invalid(path, Code.USAGE, message, "take the comparison that this run made")


def about_of(comparison: Comparison | None, event: Event, run: Run, run_url: str | None, number: int | None) -> About:
    """Return what a report says of its run; ``number`` is a pull request named instead of the event's."""
    pull = event.pull_request
    resolution = comparison.resolution if comparison is not None else None
    versions = resolution is not None and resolution.rule in {"new-version", "changed-checkpoint"}
    return About(
        head_sha=event.head_sha or (resolution.head if resolution is not None else None),
        run_url=run_url,
        run_id=run.id or None,
        run_attempt=max(1, run.attempt),
        pull_request=number or (pull.number if pull is not None else None),
        download=versions and pull is not None and not pull.is_fork,
    )


def checked_repository(name: str | None) -> str:
    """Return ``owner/name``; InvalidInput (exit 2) where it is none, since it becomes part of an address."""
    if name is None or not _REPOSITORY.fullmatch(name):
        shown = "is not known" if name is None else f"{name[:100]!r} is none"
        raise invalid("--repository", Code.USAGE, shown, "pass OWNER/NAME")
    return name


def checked_number(number: int | None) -> int:
    """Return the pull request's number; InvalidInput (exit 2) where there is none to comment on."""
    if number is None or not 1 <= number <= 2**53:
        todo = "pass --pull-request N, or run on the event pull_request"
        raise invalid("--pull-request", Code.USAGE, "there is no pull request to comment on", todo)
    return number
