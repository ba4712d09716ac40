"""A comparison on a terminal: the decision first, then the table, then why, then what changed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from tabulate import tabulate

from modelrelease.errors import escape_controls, shorten
from modelrelease.records.comparison import Comparison, Diff, Example, MetricComparison
from modelrelease.reports import rows

WIDTH = 110
_FEW = 3
_SHOWN_TEXT = 160


def comparison_table(comparison: Comparison) -> str:
    """Return a comparison as text for a terminal, control characters escaped."""
    lines = [comparison.headline, "", *_facts(comparison), ""]
    header = rows.metric_header(comparison.confidence)
    cells = [rows.metric_row(row) for row in comparison.metrics]
    lines += _table(cells, header, rows.METRIC_ALIGN, comparison)
    lines += [*_bullets("why", comparison.reasons), *_bullets("warnings", comparison.warnings)]
    for row in comparison.metrics:
        if row.role == "gate":
            lines += _flips(row, _FEW)
    lines.append("`modelrelease diff` shows every item that changed.")
    return _text(lines)


def diff_table(diff: Diff) -> str:
    """Return a diff as text for a terminal: deltas, slices, and the items that changed, before and after."""
    lines = [*_facts(diff), ""]
    header = rows.metric_header(diff.confidence)
    keep = rows.DIFF_COLUMNS
    cells = [tuple(rows.metric_row(row)[n] for n in keep) for row in diff.metrics]
    lines += _table(cells, [header[n] for n in keep], [rows.METRIC_ALIGN[n] for n in keep], diff)
    for refused in diff.comparability.refused:
        lines += [f"{refused.task}: {refused.what}", ""]
    for row in diff.metrics:
        lines += [*_slices(row), *_flips(row, None)]
    return _text(lines)


def _facts(comparison: Diff) -> Iterator[str]:
    for name, value in rows.facts(comparison):
        yield f"{name:<10} {value}"


def _table(cells: list[tuple[str, ...]], header: Iterable[str], align: Iterable[str], diff: Diff) -> Iterator[str]:
    safe = [[escape_controls(cell) for cell in row] for row in cells]
    yield from tabulate(safe, headers=list(header), disable_numparse=True, colalign=list(align)).splitlines()
    if rows.has_points(diff.metrics):
        yield rows.POINTS_NOTE
    yield ""


def _bullets(title: str, sentences: Iterable[str]) -> Iterator[str]:
    found = list(sentences)
    if found:
        yield f"{title}:"
        for sentence in found:
            yield from textwrap.wrap(escape_controls(sentence), WIDTH, initial_indent="  - ", subsequent_indent="    ")
        yield ""


def _slices(row: MetricComparison) -> Iterator[str]:
    if row.slices:
        yield f"{row.task}/{row.metric} by slice:"
        cells = [[escape_controls(cell) for cell in cells] for cells in rows.slice_rows(row)]
        yield from tabulate(
            cells, headers=rows.SLICE_HEADER, disable_numparse=True, colalign=rows.SLICE_ALIGN
        ).splitlines()
        yield ""


def _flips(row: MetricComparison, few: int | None) -> Iterator[str]:
    if row.flips is None or not row.flips.fixed + row.flips.broken:
        return
    counts = f"{row.flips.broken} broken, {row.flips.fixed} fixed"
    yield f"{row.task}/{row.metric}: {counts}" + (", for example" if row.flips.examples else "")
    for direction in ("broken", "fixed"):
        for example in [e for e in row.flips.examples if e.direction == direction][:few]:
            yield from _example(example)
    yield ""


def _example(example: Example) -> Iterator[str]:
    yield f"  {example.direction} {_one_line(example.item_id)}"
    for name in ("input", "target", "baseline", "candidate"):
        value = getattr(example, name)
        if value is not None:
            yield f"    {name:<9} {_one_line(value)}"


def _one_line(text: str) -> str:
    """The end of a text is where its question stands; line ends become visible marks."""
    flat = text.strip().replace("\n", " ⏎ ")
    return shorten(flat, _SHOWN_TEXT)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(escape_controls(line) for line in lines).rstrip() + "\n"
