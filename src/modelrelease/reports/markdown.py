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

# What GitHub makes mentions, references, emoji and links of, wherever it stands outside of code: an invisible space
# after it stops that; a backslash would not.
_LINKING = re.compile(r"[@#]|:(?=\S)|\bwww(?=\.)|\bgh(?=-\d)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~$#&]")
_BEGINS_A_BLOCK = re.compile(r"(?=[+\-=])|\d+(?=[.)])")
_ZERO_WIDTH_SPACE = "\u200b"
_MARKS = {"better": "🟢", "equivalent": "🟢", "inconclusive": "🟡", "regressed": "🔴"}


def comparison_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    lines = [f"**{escape(comparison.headline) or '–'}**", "", *_facts(comparison), ""]
    header = rows.metric_header(comparison.confidence)
    lines += _table(header, rows.METRIC_ALIGN, [_marked(row) for row in comparison.metrics])
    lines += [*_notes(comparison), *_bullets("Why", comparison.reasons), *_bullets("Warnings", comparison.warnings)]
    return _with_details(lines, comparison)


def diff_markdown(diff: Diff) -> str:
    """Return a diff as Markdown."""
    header, keep = rows.metric_header(diff.confidence), rows.DIFF_COLUMNS
    cells = [tuple(rows.metric_row(row)[n] for n in keep) for row in diff.metrics]
    lines = [*_facts(diff), ""]
    lines += _table([header[n] for n in keep], [rows.METRIC_ALIGN[n] for n in keep], cells)
    lines += [*_notes(diff), *_bullets("Not compared", rows.not_compared(diff))]
    return _with_details(lines, diff)


def _with_details(lines: list[str], diff: Diff | Comparison) -> str:
    for row in diff.metrics:
        lines += [*_slices(row, diff.confidence), *_flips(row)]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str, *, begins_line: bool = False) -> str:
    """Return ``text`` as Markdown that shows it, on one line, and does nothing else.

    ``begins_line``: what comes first could begin a list or a heading.
    """
    flat = _unlinked(_SPECIAL.sub(_harmless, escape_controls(" ".join(text.split()))))
    return _BEGINS_A_BLOCK.sub(r"\g<0>\\", flat, count=1) if begins_line and _BEGINS_A_BLOCK.match(flat) else flat


def _harmless(match: re.Match[str]) -> str:
    found = match.group()
    return html.escape(found) if found in "<>&" else f"\\{found}"


def _unlinked(text: str) -> str:
    return _LINKING.sub(lambda match: f"{match.group()}{_ZERO_WIDTH_SPACE}", text)


def fence(text: str) -> list[str]:
    """Return ``text`` as a code block whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}text", *[escape_controls(line) for line in text.split("\n")], ticks]


def _facts(comparison: Diff | Comparison) -> list[str]:
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


def _notes(diff: Diff | Comparison) -> list[str]:
    return [" ".join(rows.notes(diff)), ""]


def _bullets(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield f"**{title}**"
        yield ""
        yield from (f"- {escape(sentence, begins_line=True)}" for sentence in sentences)
        yield ""


def _fold(summary: str, content: Iterable[str]) -> Iterator[str]:
    # Inside a summary GitHub reads HTML, not Markdown, and still makes links.
    yield f"<details><summary>{html.escape(_unlinked(escape_controls(summary)))}</summary>"
    yield ""
    yield from content
    yield "</details>"
    yield ""


def _slices(row: MetricComparison, confidence: float) -> Iterator[str]:
    if row.slices:
        table = _table(rows.slice_header(row, confidence), rows.SLICE_ALIGN, rows.slice_rows(row))
        yield from _fold(f"{rows.metric_name(row)} by slice", table)


def _flips(row: MetricComparison) -> Iterator[str]:
    counts = rows.changed(row)
    if row.flips is None or counts is None or not row.flips.examples:
        return
    examples = (line for example in row.flips.examples for line in _example(row, example))
    yield from _fold(f"{rows.metric_name(row)}: {counts}", examples)


def _example(row: MetricComparison, example: Example) -> Iterator[str]:
    yield f"**{rows.example_word(row, example)}** {escape(shorten(example.item_id, 100))}"
    yield ""
    parts = [(name, getattr(example, name)) for name in ("input", "target", "baseline", "candidate")]
    yield from fence("\n".join(f"{name}: {value}" for name, value in parts if value is not None))
    yield ""
