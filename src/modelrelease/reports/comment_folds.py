"""The folded part of a comment: items that changed, slices, the trend, the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from modelrelease.errors import shorten
from modelrelease.numbers import show_count
from modelrelease.records.comparison import MAX_FIELD, Comparison, Difference, Example, MetricComparison, Side
from modelrelease.reports import rows
from modelrelease.reports.budget import Section
from modelrelease.reports.changes import detail_lines
from modelrelease.reports.comment_parts import FOLD_RANK, gates_first
from modelrelease.reports.inert import FOLD_END, bullet, code, escape, fence, fold_head, table_head, table_row
from modelrelease.reports.markdown import example_lines
from modelrelease.reports.trend import trend_charts

_DIGEST = re.compile(r"[0-9a-f]{40,64}")
_MAX_ID = 100
MAX_CHANGE = 8_000
_FEW = 3


def folds(comparison: Comparison) -> Iterator[Section]:
    """Yield what can be unfolded, most wanted first."""
    yield from _items(comparison)
    yield _words(comparison)
    for row in gates_first(comparison):
        if row.slices:
            head = table_head(rows.slice_header(row, comparison.confidence), rows.SLICE_ALIGN)
            yield _fold(f"{rows.metric_name(row)} by slice", head, map(table_row, rows.slice_rows(row)))
    charts = [f"{chart}\n" for chart in trend_charts(comparison)]
    yield _fold(f"Trend over {len(comparison.history) + 1} versions", [], charts)
    yield _environment(comparison)


def _fold(summary: str, head: Iterable[str], content: Iterable[str]) -> Section:
    lines = tuple(content)
    return Section((fold_head(summary), "", *head), lines, ("", FOLD_END), FOLD_RANK) if lines else Section()


def _items(comparison: Comparison) -> Iterator[Section]:
    changed = [row for row in gates_first(comparison) if rows.changed(row)]
    if comparison.comment.samples == "text":
        yield from map(_texts, changed)
    elif comparison.comment.samples == "ids":
        told = [_counts(row) for row in changed if row.role == "gate"]
        counts = f": {'; '.join(told)}" if 0 < len(told) <= _FEW else ""
        yield _fold(f"Items that changed{counts}", [], [line for row in changed for line in _ids(row)])
    elif changed:
        yield Section(("**Items that changed**", ""), tuple(bullet(_counts(row)) for row in changed), rank=FOLD_RANK)


def _words(comparison: Comparison) -> Section:
    """Prompts word by word and datasets row by row, a code block a file."""
    files = comparison.changes.files if comparison.changes else ()
    told = ((file.path, list(detail_lines(file))) for file in files)
    blocks = (
        "\n".join([f"{code(shorten(path, MAX_FIELD))}:", "", *fence(shorten("\n".join(lines), MAX_CHANGE)), ""])
        for path, lines in told
        if lines
    )
    return _fold("What changed, word by word", [], blocks)


def _counts(row: MetricComparison) -> str:
    return f"{rows.metric_name(row)} {rows.changed(row)}"


def _ids(row: MetricComparison) -> Iterator[str]:
    """Yield a metric's changed items, the broken ones in one line and the fixed ones in another."""
    assert row.flips is not None
    words = rows.change_words(row)
    for direction, word, count in (("broken", words[0], row.flips.broken), ("fixed", words[1], row.flips.fixed)):
        if count:
            ids = [code(shorten(e.item_id, _MAX_ID)) for e in row.flips.examples if e.direction == direction]
            rest = f"{' and ' if ids else ''}{show_count(count - len(ids))} more" if count > len(ids) else ""
            name = escape(rows.metric_name(row), begins_line=True)
            yield f"- {name}, {show_count(count)} {word}: {', '.join(ids)}{rest}"


def _texts(row: MetricComparison) -> Section:
    examples = row.flips.examples if row.flips else ()
    blocks = ("\n".join(example_lines(row, _cut(example))) for example in examples)
    return _fold(f"{rows.metric_name(row)}: {rows.changed(row)}", [], blocks)


def _cut(example: Example) -> Example:
    """The writer cuts these, and a file from elsewhere can hold longer ones."""
    texts = {name: getattr(example, name) for name in ("input", "target", "baseline", "candidate")}
    return example.model_copy(update={k: shorten(v, MAX_FIELD) for k, v in texts.items() if v is not None})


def _environment(comparison: Comparison) -> Section:
    baseline, candidate = comparison.baseline, comparison.candidate
    if candidate is None:
        return Section()
    cells: list[tuple[str, ...]] = list(_facts(candidate))
    header: tuple[str, ...] = ("", "candidate")
    if baseline is not None:
        header = ("", "baseline", "candidate")
        own = dict(_facts(baseline))
        cells = [(name, own[name], value) for name, value in _facts(candidate)]
        cells += [_difference(found) for found in comparison.comparability.differs if found.what not in _IN_FACTS]
    head = table_head(header, ("left",) * len(header))
    return _fold("How and where it was scored", head, (table_row(row, codes=(1, 2)) for row in cells))


_IN_FACTS = {"model", "suite", "engine", "libraries", "machine", "threads"}


def _facts(side: Side) -> Iterator[tuple[str, str]]:
    yield "version", shorten(side.label, _MAX_ID)
    yield "checkpoint", side.model_digest[:12]
    yield "suite", side.suite_digest[:12]
    yield "commit", (side.git_sha or "–")[:10] + (rows.LOCAL if side.git_sha and side.dirty else "")
    yield "scored", shorten(side.started or "–", _MAX_ID)
    yield "engine", shorten(side.engine, MAX_FIELD)
    yield "environment", shorten(side.environment, MAX_FIELD)


def _difference(found: Difference) -> tuple[str, str, str]:
    task = f" of {found.task}" if found.task else ""
    values = (found.baseline or "–", found.candidate or "–")
    before, after = (value[:12] if _DIGEST.fullmatch(value) else shorten(value, MAX_FIELD) for value in values)
    return shorten(f"{found.what}{task}", _MAX_ID), before, after
