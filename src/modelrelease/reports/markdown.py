"""A comparison as GitHub Markdown: the decision first, then tables, then folds.

Everything that can come from a model or a pull request is data: inside a code fence longer than any in it, or
escaped so that it makes no mention, link, image, HTML or table cell.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from modelrelease.errors import escape_controls, shorten
from modelrelease.records.comparison import Comparison, Diff, Example, MetricComparison
from modelrelease.reports import rows

# What Markdown, HTML or GitHub (mentions, issue references, emoji, bare links) gives a meaning to; a sign only
# where it would begin a list, a colon only where a word follows it.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~@&$]|^[+\-=]|:(?=\S)")
_ZERO_WIDTH_SPACE = "\u200b"
_MARKS = {"better": "🟢", "equivalent": "🟢", "inconclusive": "🟡", "regressed": "🔴"}


def comparison_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    lines = [f"**{escape(comparison.headline)}**", "", *_facts(comparison), ""]
    header = rows.metric_header(comparison.confidence)
    lines += _table(header, rows.METRIC_ALIGN, [_marked(row) for row in comparison.metrics])
    lines += _points(comparison)
    lines += [*_bullets("Why", comparison.reasons), *_bullets("Warnings", comparison.warnings)]
    for row in comparison.metrics:
        lines += [*_slices(row), *_flips(row)]
    return "\n".join(lines).rstrip() + "\n"


def diff_markdown(diff: Diff) -> str:
    """Return a diff as Markdown."""
    header, keep = rows.metric_header(diff.confidence), rows.DIFF_COLUMNS
    lines = [*_facts(diff), ""]
    cells = [tuple(rows.metric_row(row)[n] for n in keep) for row in diff.metrics]
    lines += _table([header[n] for n in keep], [rows.METRIC_ALIGN[n] for n in keep], cells)
    lines += _points(diff)
    for row in diff.metrics:
        lines += [*_slices(row), *_flips(row)]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Return ``text`` as Markdown that shows it, on one line, and does nothing else."""
    flat = escape_controls(" ".join(text.split()))
    return _SPECIAL.sub(_harmless, flat)


def _harmless(match: re.Match[str]) -> str:
    character = match.group()
    if character in "<>&":
        return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}[character]
    # A backslash does not stop GitHub's mentions and issue references; an invisible space after it does.
    return f"{character}{_ZERO_WIDTH_SPACE}" if character in "@#:" else f"\\{character}"


def fence(text: str) -> list[str]:
    """Return ``text`` as a code block whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}text", *[escape_controls(line) for line in text.split("\n")], ticks]


def _facts(comparison: Diff) -> list[str]:
    return ["  \n".join(f"{name}: {escape(value)}" for name, value in rows.facts(comparison))]


def _marked(row: MetricComparison) -> tuple[str, ...]:
    *cells, verdict = rows.metric_row(row)
    return (*cells, f"{_MARKS.get(row.verdict, '⚪')} {verdict}")


def _table(header: Sequence[str], align: Sequence[str], cells: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join("---:" if side == "right" else "---" for side in align) + " |"
    for row in cells:
        yield "| " + " | ".join(escape(cell) for cell in row) + " |"
    yield ""


def _points(diff: Diff) -> list[str]:
    return [rows.POINTS_NOTE, ""] if rows.has_points(diff.metrics) else []


def _bullets(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield f"**{title}**"
        yield ""
        yield from (f"- {escape(sentence)}" for sentence in sentences)
        yield ""


def _fold(summary: str, content: Iterable[str]) -> Iterator[str]:
    # Inside a summary GitHub reads HTML, not Markdown.
    yield f"<details><summary>{html.escape(escape_controls(summary))}</summary>"
    yield ""
    yield from content
    yield "</details>"
    yield ""


def _slices(row: MetricComparison) -> Iterator[str]:
    if row.slices:
        table = _table(rows.SLICE_HEADER, rows.SLICE_ALIGN, rows.slice_rows(row))
        yield from _fold(f"{row.task}/{row.metric} by slice", table)


def _flips(row: MetricComparison) -> Iterator[str]:
    if row.flips is None or not row.flips.examples:
        return
    counts = f"{row.flips.broken} broken, {row.flips.fixed} fixed"
    examples = (line for example in row.flips.examples for line in _example(example))
    yield from _fold(f"{row.task}/{row.metric}: {counts}", examples)


def _example(example: Example) -> Iterator[str]:
    yield f"**{example.direction}** {escape(shorten(example.item_id, 100))}"
    yield ""
    parts = [(name, getattr(example, name)) for name in ("input", "target", "baseline", "candidate")]
    yield from fence("\n".join(f"{name}: {value}" for name, value in parts if value is not None))
    yield ""
