"""A diff as GitHub Markdown: a table, then folds. A comparison is ``comment``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from modelrelease.errors import shorten
from modelrelease.records.comparison import Diff, Example, MetricComparison
from modelrelease.records.item_changes import ItemChange, TaskItems
from modelrelease.reports import items, rows
from modelrelease.reports.inert import FOLD_END, bullet, code, escape, fence, fold_head, table_head, table_row

_MAX_TEXT = 1000


def diff_markdown(diff: Diff) -> str:
    """Return a diff as Markdown."""
    header, keep = rows.metric_header(diff.confidence), rows.DIFF_COLUMNS
    cells = [tuple(rows.metric_row(row)[n] for n in keep) for row in diff.metrics]
    lines = [*_facts(diff), "", *_differences(diff)]
    lines += _table([header[n] for n in keep], [rows.METRIC_ALIGN[n] for n in keep], cells)
    lines += [*_notes(diff), *_bullets("Not compared", rows.not_compared(diff))]
    for row in diff.metrics:
        lines += _slices(row, diff.confidence)
    for task in diff.items:
        lines += _items(diff, task)
    return "\n".join(lines).rstrip() + "\n"


def _facts(diff: Diff) -> list[str]:
    return ["  \n".join(f"{name}: {code(value)}" for name, value in rows.facts(diff))]


def _table(header: Sequence[str], align: Sequence[str], cells: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from table_head(header, align)
    yield from map(table_row, cells)
    yield ""


def _notes(diff: Diff) -> list[str]:
    return [" ".join(rows.notes(diff)), ""]


def _bullets(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield f"**{title}**"
        yield ""
        yield from map(bullet, sentences)
        yield ""


def _fold(summary: str, content: Iterable[str]) -> Iterator[str]:
    yield fold_head(summary)
    yield ""
    yield from content
    yield FOLD_END
    yield ""


def _slices(row: MetricComparison, confidence: float) -> Iterator[str]:
    if row.slices:
        table = [*_table(rows.slice_header(row, confidence), rows.SLICE_ALIGN, rows.slice_rows(row))]
        rest = rows.slices_left_out(row)
        yield from _fold(f"{rows.metric_name(row)} by slice", [*table, *([rest, ""] if rest else [])])


def _differences(diff: Diff) -> Iterator[str]:
    found = rows.differences(diff.comparability)
    if found:
        yield from table_head(rows.DIFFERENCE_HEADER, ("left",) * 3)
        yield from (table_row(cells, codes=(1, 2)) for cells in found)
        yield ""


def _items(diff: Diff, task: TaskItems) -> Iterator[str]:
    counts = items.task_counts(diff, task)
    if counts is None:
        return
    words = dict(zip(("broken", "fixed"), items.task_words(diff, task), strict=True))
    lines = [line for item in task.items for line in _item(item, words[item.direction])]
    rest = items.left_out(diff, task)
    yield from _fold(f"{shorten(task.task, rows.MAX_NAME)}: {counts}", [*lines, *([f"{rest}", ""] if rest else [])])


def _item(item: ItemChange, word: str) -> Iterator[str]:
    yield f"**{word}** {escape(shorten(item.item_id, 100))} ({escape(shorten(items.score_words(item), 200))})"
    yield ""
    yield from fence("\n".join(f"{name}: {shorten(text, _MAX_TEXT)}" for name, text in items.item_lines(item)))
    yield ""


def example_lines(row: MetricComparison, example: Example) -> Iterator[str]:
    """Yield one item that changed: its id, and its texts in a fence."""
    yield f"**{rows.example_word(row, example)}** {escape(shorten(example.item_id, 100))}"
    yield ""
    parts = [(name, getattr(example, name)) for name in ("input", "target", "baseline", "candidate")]
    yield from fence("\n".join(f"{name}: {value}" for name, value in parts if value is not None))
    yield ""
