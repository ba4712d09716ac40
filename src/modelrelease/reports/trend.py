"""How a metric went from version to version, as mermaid charts, which GitHub draws.

Source of the syntax: https://mermaid.js.org/syntax/xyChart.html. Labels are data: only characters that the chart's
grammar gives no meaning to get in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from modelrelease.errors import shorten
from modelrelease.numbers import in_points
from modelrelease.records.comparison import Comparison, MetricComparison

MAX_CHARTS = 4
_HEAD = ("```mermaid", "---", "config:", "  xyChart:", "    width: 700", "    height: 240", "---", "xychart-beta")
_MAX_LABEL = 24
_MAX_VALUE = 1e12


def trend_charts(comparison: Comparison) -> Iterator[str]:
    """Yield one chart for each metric that ``trends`` gives."""
    for row, points in trends(comparison):
        scale = 100 if in_points(row.range) else 1
        yield "\n".join(_chart(row, [(version, value * scale) for version, value in points]))


def trends(comparison: Comparison) -> Iterator[tuple[MetricComparison, list[tuple[str, float]]]]:
    """Yield the gate metrics that an earlier version has a value of, at most ``MAX_CHARTS``.

    With each of them version and value, in its own unit, from old to new.
    """
    gates = (row for row in comparison.metrics if row.role == "gate")
    found = ((row, list(_points(comparison, row))) for row in gates)
    yield from islice(((row, points) for row, points in found if len(points) > 1), MAX_CHARTS)


def _points(comparison: Comparison, row: MetricComparison) -> Iterator[tuple[str, float]]:
    """Yield version and value from old to new; nothing where the candidate has no value."""
    name, label = f"{row.task}/{row.metric}", comparison.candidate.label if comparison.candidate else ""
    if row.candidate is None:
        return
    past = [(version.version, version.values[name]) for version in comparison.history if name in version.values]
    for version, value in [*past, (label, row.candidate)]:
        if math.isfinite(value) and abs(value) < _MAX_VALUE:
            yield version, value


def _chart(row: MetricComparison, points: list[tuple[str, float]]) -> Iterator[str]:
    values = [value for _, value in points]
    low, high = min(values), max(values)
    room = (high - low) / 4 or abs(high) / 10 or 1.0
    bottom, top = low - room, high + room
    if in_points(row.range) and low >= 0 and high <= 100:
        bottom, top = max(bottom, 0.0), min(top, 100.0)
    unit = "points" if in_points(row.range) else row.metric
    yield from _HEAD
    yield f"    title {_label(f'{row.task}/{row.metric}')}"
    yield f"    x-axis [{', '.join(_label(version.removeprefix('model_')) for version, _ in points)}]"
    yield f"    y-axis {_label(unit)} {_number(bottom)} --> {_number(top)}"
    yield f"    line [{', '.join(map(_number, values))}]"
    yield "```"


def _label(text: str) -> str:
    """Return ``text`` in quotes, every character that could mean something replaced."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "_./-") else " " for c in text)
    return f'"{shorten(" ".join(plain.split()), _MAX_LABEL) or "unnamed"}"'


def _number(value: float) -> str:
    """Return a number as the grammar has it, without an exponent."""
    return format(Decimal(f"{value:.4g}"), "f")
