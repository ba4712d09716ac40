"""A comparison as a pull request's comment and a job's summary: what a reviewer sees of all this.

The decision comes first, then what it rests on, then what can be unfolded. Whatever a model or a pull request can
have written goes through ``inert``.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from modelrelease.errors import shorten
from modelrelease.records.comparison import Comparison
from modelrelease.reports import comment_folds, comment_parts
from modelrelease.reports.budget import Section, fit, units, utf8_bytes
from modelrelease.reports.inert import escape, fence
from modelrelease.reports.permitted import permitted

LIMIT = 65_000
SUMMARY_LIMIT = 900_000
"""GitHub takes 65,536 characters of a comment, and does not say how it counts them, and 1 MiB of a step's summary."""
MOST_OF_A_COMMENT = 65_536
LEAST_LIMIT = 16_000

_MAX_HEADLINE = 600
_MAX_PATH = 200
_MARKS = {"promote": "🟢", "block": "🔴", "not-needed": "⚪"}
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&'*+,;=%-]{1,500}")


@dataclass(frozen=True)
class About:
    """The run that a report is of; None where it is not known, as on a laptop.

    ``download``: the results are a version's and can be brought into the branch with ``gh run download``.
    """

    head_sha: str | None = None
    run_url: str | None = None
    run_id: int | None = None
    run_attempt: int = 1
    pull_request: int | None = None
    download: bool = False


def comment_markdown(comparison: Comparison, about: About, *, limit: int = LIMIT) -> str:
    """Return a comparison as GitHub Markdown of at most ``limit``, which is ``LEAST_LIMIT`` or more.

    Up to ``MOST_OF_A_COMMENT`` it is in UTF-16 code units, above that, where it is a file's, in bytes of UTF-8.
    What ``comparison.comment.samples`` does not allow of items and rows is not in it.
    """
    if limit < LEAST_LIMIT:
        raise ValueError(f"a limit of {limit}; at least {LEAST_LIMIT} are needed")
    comparison = permitted(comparison)
    sections = [
        _decision(comparison, about),
        comment_parts.compared(comparison),
        comment_parts.metric_table(comparison),
        *comment_parts.sentences(comparison),
        *comment_folds.folds(comparison),
        *_end(comparison, about),
    ]
    in_summary = about.run_url is not None and limit < SUMMARY_LIMIT
    elsewhere = "the job summary" if in_summary else "comparison.json"
    size = units if limit <= MOST_OF_A_COMMENT else utf8_bytes
    return fit([s for s in sections if s.head or s.rows], limit, elsewhere, size)


def undecided_markdown(reason: str, about: About) -> str:
    """Return what is said where nothing was scored: that nothing is decided, and why."""
    first = f"**🔴 Nothing was decided: this pull request has not been scored.**{_of_commit(about.head_sha)}"
    why = escape(shorten(reason, _MAX_HEADLINE), begins_line=True)
    link = run_link(about)
    return "\n\n".join([first, *([why] if why else []), *([link] if link else [])]) + "\n"


def _decision(comparison: Comparison, about: About) -> Section:
    head = about.head_sha or (comparison.resolution.head if comparison.resolution else None)
    headline = escape(shorten(comparison.headline, _MAX_HEADLINE)) or comparison.decision
    line = f"**{_mark(comparison)} {headline}**{_of_commit(head)}"
    return Section((line,), stays=True)


def _mark(comparison: Comparison) -> str:
    gates = [row.verdict for row in comparison.metrics if row.role == "gate"]
    unproven = comparison.decision == "promote" and "inconclusive" in gates
    return "🟡" if unproven else _MARKS[comparison.decision]


def _of_commit(sha: str | None) -> str:
    return f" Commit {sha[:7]}." if sha and _COMMIT.fullmatch(sha) else ""


def _end(comparison: Comparison, about: About) -> list[Section]:
    link, command = run_link(about), _download(comparison, about)
    return [Section((line,), stays=True) for line in (link, command) if line]


def run_link(about: About) -> str | None:
    """Return the line that leads to the run; None where there is no address to lead to."""
    if about.run_url is None or not _ADDRESS.fullmatch(about.run_url):
        return None
    name = f"run {about.run_id}" if about.run_id is not None else "the run"
    attempt = f", attempt {about.run_attempt}" if about.run_attempt > 1 else ""
    return f"Summary, data and log: [{name}{attempt}]({about.run_url})"


def _download(comparison: Comparison, about: About) -> str | None:
    folder = comparison.resolution.candidate if comparison.resolution else None
    if not about.download or about.run_id is None or folder is None:
        return None
    if not folder.isprintable() or len(folder) > _MAX_PATH:  # then it cannot be copied from here
        return None
    command = f"gh run download {about.run_id} -n modelrelease -D {shlex.quote(folder)}"
    return "\n".join(["To bring these results into the branch:", "", *fence(command, "sh")])
