"""Deltas with their intervals, and values over versions, as drawings: better is to the right, whatever the metric."""

from __future__ import annotations

import math
from collections.abc import Sequence

from modelrelease.numbers import in_points, show_delta, show_interval, show_value
from modelrelease.records.comparison import MetricComparison, SliceComparison
from modelrelease.reports.markup import Element, el

WIDTH, HEIGHT = 240.0, 28.0
_ROOM = 8.0
_MOST = 1e12


def reach(row: MetricComparison) -> float:
    """Return how far from zero a metric's plot has to go, in its unit; 0 where there is nothing to draw."""
    found = [row.delta, row.ci_low, row.ci_high, row.margin if row.delta is not None else None]
    found += [value for part in row.slices for value in (part.delta, part.ci_low, part.ci_high)]
    return max((abs(value) for value in found if value is not None and abs(value) < _MOST), default=0.0)


def shared_reach(row: MetricComparison, metrics: Sequence[MetricComparison]) -> float:
    """Return the reach of all shares together, so that they can be held against each other; else the metric's own."""
    if not in_points(row.range):
        return reach(row)
    return max(reach(other) for other in metrics if in_points(other.range))


def interval_plot(row: MetricComparison, part: MetricComparison | SliceComparison, scale: float, tone: str) -> Element:
    """Return a delta (a dot), its interval (a bar) and the metric's margin (a band, its edge a line).

    ``scale`` is what the half of the width stands for; ``tone`` a class of colours.
    """
    delta, low, high = part.delta, part.ci_low, part.ci_high
    points = in_points(row.range)
    label = f"change {show_delta(delta, points)}, interval {show_interval(low, high, points)}"
    middle, sign = WIDTH / 2, 1 if row.higher_is_better else -1
    drawn: list[Element] = []

    def at(value: float) -> float:
        place = middle + sign * value / scale * (middle - _ROOM) if scale else middle
        return min(max(place, 0.0), WIDTH)

    if row.margin is not None and scale and delta is not None:
        edges = sorted((at(-row.margin), at(row.margin)))
        drawn.append(el("rect", class_="band", x=edges[0], y=3.0, width=edges[1] - edges[0], height=HEIGHT - 6))
        drawn.append(el("line", class_="edge", x1=edges[0], x2=edges[0], y1=3.0, y2=HEIGHT - 3))
        label += f", margin {show_delta(row.margin, points, sign=False)}"
    drawn.append(el("line", class_="axis", x1=middle, x2=middle, y1=0.0, y2=HEIGHT))
    if low is not None and high is not None:
        drawn.append(el("line", class_="reach", x1=at(low), x2=at(high), y1=HEIGHT / 2, y2=HEIGHT / 2))
    if delta is not None and math.isfinite(delta):
        drawn.append(el("circle", class_="dot", cx=at(delta), cy=HEIGHT / 2, r=5.0))
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return el("svg", *drawn, class_=f"plot {tone}", viewBox=box, role="img", aria_label=label)


def trend_plot(row: MetricComparison, values: Sequence[tuple[str, float]]) -> Element:
    """Return a metric's values from the oldest version to the candidate, first, last, lowest and highest in words."""
    width, height, points = 480.0, 120.0, in_points(row.range)
    numbers = [value for _, value in values]
    low, high = min(numbers), max(numbers)
    span = (high - low) or 1.0
    step = (width - 120) / max(1, len(values) - 1)
    places = [
        (60 + n * step, 90 - (value - low) / span * 70 if high > low else 55.0) for n, value in enumerate(numbers)
    ]
    marks = [el("circle", class_="dot", cx=x, cy=y, r=3.5) for x, y in places]
    texts = [
        el("text", show_value(value, points), x=x, y=y - 9, text_anchor="middle")
        for (x, y), value in zip(places, numbers, strict=True)
    ]
    names = [
        el("text", version.removeprefix("model_")[:12], x=x, y=112.0, text_anchor="middle")
        for (x, _), (version, _) in zip(places, values, strict=True)
    ]
    path = el("polyline", class_="path", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places))
    label = f"from {show_value(numbers[0], points)} to {show_value(numbers[-1], points)}"
    box = f"0 0 {width:.0f} {height:.0f}"
    return el(
        "svg", path, *marks, *texts, *names, viewBox=box, width=width, height=height, role="img", aria_label=label
    )
