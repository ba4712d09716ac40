"""A comparison on a terminal: the decision first, then the table, then why, then what changed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from tabulate import tabulate

from modelrelease.errors import escape_controls, shorten
from modelrelease.records.comparison import Comparison, Diff, Example, MetricComparison
from modelrelease.records.item_changes import TaskItems
from modelrelease.reports import items, rows, words

WIDTH = 110
_FEW = 3
_SHOWN_TEXT = 160
_SHOWN_ANSWER = 480
_MAX_CELL = 60


def comparison_table(comparison: Comparison) -> str:
    """Return a comparison as text for a terminal, control characters escaped."""
    facts = [*_facts(comparison), *_chosen(comparison)]
    lines = [comparison.headline, "", *facts, *([""] if facts else [])]
    if comparison.metrics:
        header = rows.metric_header(comparison.confidence)
        cells = [rows.metric_row(row) for row in comparison.metrics]
        lines += [*_table(cells, header, rows.METRIC_ALIGN), *rows.notes(comparison), ""]
    own = (f"{answer.source_ref}: {told}" for answer, told in words.own_answers(comparison))
    lines += _bullets("this pull request's own policy decides nothing, and would say", own)
    lines += [*_bullets("why", comparison.reasons), *_bullets("warnings", comparison.warnings)]
    lines += _bullets(
        "changed", (f"{what} {path}" + (f": {d}" if d else "") for what, path, d in words.changes(comparison))
    )
    lines += _bullets("notes", comparison.notes)
    gates = [row for row in comparison.metrics if row.role == "gate" and rows.changed(row)]
    lines += [line for row in gates for line in _flips(row, _FEW)]
    if gates:
        lines.append("`modelrelease diff` shows more changed items, both answers word by word, and the slices.")
    return _text(lines)


def _chosen(comparison: Comparison) -> Iterator[str]:
    """By which rule a side was chosen, and what of it was scored again."""
    sides = (("candidate", comparison.candidate), ("baseline", comparison.baseline))
    for (name, side), why in zip(sides, words.chosen(comparison), strict=True):
        if why and comparison.candidate is not None:
            yield f"{'chosen':<10} {name}: {why}"
        if side is not None and side.scored_again is not None:
            yield f"{'again':<10} {words.scored_again(name, side)}"


def diff_table(diff: Diff) -> str:
    """Return a diff as text for a terminal: deltas, slices, and the items that changed, before and after."""
    header, keep = rows.metric_header(diff.confidence), rows.DIFF_COLUMNS
    cells = [tuple(rows.metric_row(row)[n] for n in keep) for row in diff.metrics]
    lines = [*_facts(diff), "", *_differences(diff)]
    lines += _table(cells, [header[n] for n in keep], [rows.METRIC_ALIGN[n] for n in keep])
    lines += [*rows.notes(diff), "", *_bullets("not compared", rows.not_compared(diff))]
    for row in diff.metrics:
        lines += _slices(row, diff.confidence)
    for task in diff.items:
        lines += _items(diff, task)
    return _text(lines)


def _differences(diff: Diff) -> Iterator[str]:
    found = rows.differences(diff.comparability)
    if found:
        cells = [tuple(shorten(cell, _MAX_CELL) for cell in row) for row in found]
        yield from _table(cells, rows.DIFFERENCE_HEADER, ("left",) * 3)
        yield ""


def _items(diff: Diff, task: TaskItems) -> Iterator[str]:
    """A task's changed items, broken before fixed, and how many are not shown."""
    counts = items.task_counts(diff, task)
    if counts is None:
        return
    yield f"{shorten(task.task, rows.MAX_NAME)}: {counts}"
    words = dict(zip(("broken", "fixed"), items.task_words(diff, task), strict=True))
    for item in task.items:
        yield f"  {words[item.direction]} {_one_line(item.item_id)}  ({_one_line(items.score_words(item))})"
        for name, text in items.item_lines(item):
            yield f"    {name:<9} {_one_line(text, _SHOWN_ANSWER if name == 'answer' else _SHOWN_TEXT)}"
    rest = items.left_out(diff, task)
    if rest is not None:
        yield f"  {rest}"
    yield ""


def _facts(comparison: Diff | Comparison) -> Iterator[str]:
    for name, value in rows.facts(comparison):
        yield f"{name:<10} {value}"


def _table(cells: Iterable[tuple[str, ...]], header: Sequence[str], align: Sequence[str]) -> list[str]:
    safe = [[escape_controls(cell) for cell in row] for row in cells]
    return tabulate(safe, headers=header, disable_numparse=True, colalign=align if safe else None).splitlines()


def _bullets(title: str, sentences: Iterable[str]) -> Iterator[str]:
    found = list(sentences)
    if found:
        yield f"{title}:"
        for sentence in found:
            yield from textwrap.wrap(escape_controls(sentence), WIDTH, initial_indent="  - ", subsequent_indent="    ")
        yield ""


def _slices(row: MetricComparison, confidence: float) -> Iterator[str]:
    if row.slices:
        yield f"{rows.metric_name(row)} by slice:"
        yield from _table(rows.slice_rows(row), rows.slice_header(row, confidence), rows.SLICE_ALIGN)
        yield from filter(None, [rows.slices_left_out(row)])
        yield ""


def _flips(row: MetricComparison, few: int) -> Iterator[str]:
    counts = rows.changed(row)
    if row.flips is None or counts is None:
        return
    yield f"{rows.metric_name(row)}: {counts}" + (", for example" if row.flips.examples else "")
    for direction in ("broken", "fixed"):
        for example in [e for e in row.flips.examples if e.direction == direction][:few]:
            yield from _example(row, example)
    yield ""


def _example(row: MetricComparison, example: Example) -> Iterator[str]:
    yield f"  {rows.example_word(row, example)} {_one_line(example.item_id)}"
    for name in ("input", "target", "baseline", "candidate"):
        value = getattr(example, name)
        if value is not None:
            yield f"    {name:<9} {_one_line(value)}"


def _one_line(text: str, most: int = _SHOWN_TEXT) -> str:
    """The end of a text is where its question stands; line ends become visible marks."""
    flat = text.strip().replace("\n", " ⏎ ")
    return shorten(flat, most)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(escape_controls(line) for line in lines).rstrip() + "\n"
