"""The cells of a comparison's tables, as plain text; terminal and Markdown put them in their own frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelrelease.errors import shorten
from modelrelease.numbers import in_points, show_count, show_delta, show_interval, show_value
from modelrelease.records.comparison import Comparison, Diff, MetricComparison, Side

METRIC_HEADER = ("metric", "role", "n", "baseline", "candidate", "delta", "95% interval", "margin", "verdict")
METRIC_ALIGN = ("left", "left", "right", "right", "right", "right", "right", "right", "left")
DIFF_COLUMNS = (0, 2, 3, 4, 5, 6)
SLICE_HEADER = ("slice", "n", "baseline", "candidate", "delta", "95% interval", "broken", "fixed")
SLICE_ALIGN = ("left", *["right"] * 7)

POINTS_NOTE = "Shares are in points (hundredths)."


def metric_header(confidence: float) -> tuple[str, ...]:
    """Return the header of the metric table, its interval named by ``confidence``."""
    return tuple(text.replace("95%", f"{confidence:.0%}") for text in METRIC_HEADER)


def metric_row(row: MetricComparison) -> tuple[str, ...]:
    """Return one metric's cells, in the order of ``METRIC_HEADER``."""
    points = in_points(row.range)
    return (
        f"{row.task}/{row.metric}",
        row.role,
        show_count(row.n) if row.n else "–",
        show_value(row.baseline, points),
        show_value(row.candidate, points),
        show_delta(row.delta, points),
        show_interval(row.ci_low, row.ci_high, points),
        show_delta(row.margin, points, sign=False),
        row.verdict + (" (real loss inside the margin)" if row.loss_within_margin else ""),
    )


def slice_rows(row: MetricComparison) -> Iterator[tuple[str, ...]]:
    """Yield one metric's slices, in the order of ``SLICE_HEADER``."""
    points = in_points(row.range)
    for part in row.slices:
        yield (
            f"{part.field} = {part.value}",
            show_count(part.n),
            show_value(part.baseline, points),
            show_value(part.candidate, points),
            show_delta(part.delta, points),
            show_interval(part.ci_low, part.ci_high, points),
            show_count(part.broken),
            show_count(part.fixed),
        )


def side_line(side: Side) -> str:
    """Return how a side is named: its label, the digest's beginning, and where it was scored."""
    commit = f", commit {side.git_sha[:10]}" if side.git_sha else ""
    return f"{shorten(side.label, 80)} (checkpoint {side.model_digest[:12]}{commit})"


def facts(comparison: Diff) -> list[tuple[str, str]]:
    """Return the lines above the table: what is compared with what, and what differs."""
    found = [("baseline", side_line(comparison.baseline)), ("candidate", side_line(comparison.candidate))]
    if isinstance(comparison, Comparison):
        found.append(("policy", f"{comparison.policies[0].source_ref}, for a {comparison.context.replace('_', ' ')}"))
    names = [difference.what for difference in comparison.comparability.differs]
    found.append(("differs", ", ".join(dict.fromkeys(names)) or "nothing"))
    return found


def has_points(rows: Sequence[MetricComparison]) -> bool:
    """Say whether any metric is a share."""
    return any(in_points(row.range) for row in rows)
