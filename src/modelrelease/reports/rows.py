"""The cells of a comparison's tables, as plain text; terminal and Markdown put them in their own frames."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelrelease.errors import shorten
from modelrelease.numbers import in_points, show_count, show_delta, show_interval, show_value
from modelrelease.records.comparison import Comparability, Comparison, Diff, Difference, Example, MetricComparison, Side

METRIC_HEADER = ("metric", "role", "n", "baseline", "candidate", "delta", "interval", "margin", "verdict")
METRIC_ALIGN = ("left", "left", "right", "right", "right", "right", "right", "right", "left")
DIFF_COLUMNS = (0, 2, 3, 4, 5, 6)
SLICE_HEADER = ("slice", "n", "baseline", "candidate", "delta")
SLICE_ALIGN = ("left", *["right"] * 7)

POINTS_NOTE = "Shares are in points (hundredths)."
LOWER_NOTE = "↓: lower is better."
MAX_NAME = 100
_MARKS = {"better": "🟢", "equivalent": "🟢", "inconclusive": "🟡", "regressed": "🔴"}
LOCAL = " with local changes"
"""What stands behind a commit that is not all that was scored."""


def metric_header(confidence: float) -> tuple[str, ...]:
    """Return the header of the metric table, its interval named by ``confidence``."""
    return tuple(f"{confidence:.0%} interval" if text == "interval" else text for text in METRIC_HEADER)


def metric_name(row: MetricComparison) -> str:
    """Return ``task/metric``, cut to what a line bears."""
    return shorten(f"{row.task}/{row.metric}", MAX_NAME)


def metric_row(row: MetricComparison) -> tuple[str, ...]:
    """Return one metric's cells, in the order of ``METRIC_HEADER``."""
    points = in_points(row.range)
    return (
        metric_name(row) + ("" if row.higher_is_better else " ↓"),
        row.role,
        show_count(row.n) if row.n else "–",
        show_value(row.baseline, points),
        show_value(row.candidate, points),
        show_delta(row.delta, points),
        show_interval(row.ci_low, row.ci_high, points),
        show_delta(row.margin, points, sign=False),
        row.verdict + (" (real loss inside the margin)" if row.loss_within_margin else ""),
    )


def verdict_mark(row: MetricComparison) -> str:
    """Return the sign of a metric's verdict, where colours show."""
    return _MARKS.get(row.verdict, "⚪")


def slices_left_out(row: MetricComparison) -> str | None:
    """Return how many slices are not there, since there are too many; None where all are."""
    return f"… and {show_count(row.slices_left_out)} more slices" if row.slices_left_out else None


def slice_rows(row: MetricComparison) -> Iterator[tuple[str, ...]]:
    """Yield one metric's slices, in the order of ``slice_header``."""
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
    commit = f", commit {side.git_sha[:10]}{LOCAL if side.dirty else ''}" if side.git_sha else ""
    return f"{shorten(side.label, 80)} (checkpoint {side.model_digest[:12]}{commit})"


def facts(comparison: Diff | Comparison) -> list[tuple[str, str]]:
    """Return the lines above the table: what is compared with what, and what differs."""
    sides = (("baseline", comparison.baseline), ("candidate", comparison.candidate))
    found = [(name, side_line(side)) for name, side in sides if side is not None]
    if isinstance(comparison, Comparison) and comparison.policies:
        found.append(("policy", f"{comparison.policies[0].source_ref}, for a {comparison.context.replace('_', ' ')}"))
    if comparison.baseline is None:
        return found
    if isinstance(comparison, Comparison) or not comparison.comparability.differs:
        names = [difference.what for difference in comparison.comparability.differs]
        found.append(("differs", ", ".join(dict.fromkeys(names)) or "nothing"))
    return found


_DIGEST = re.compile(r"[0-9a-f]{40,64}")
_GROUPS = (
    ("model", "tokenizer", "chat template"),
    ("platform", "libraries", "driver", "machine", "threads"),
    ("engine", "batch tokens", "truncation", "scorer"),
    ("suite",),
    ("prompt",),
    ("dataset",),
)
_ORDER = [what for group in _GROUPS for what in group]
MAX_VALUE = 120
DIFFERENCE_HEADER = ("differs", "baseline", "candidate")


def differences(comparability: Comparability) -> list[tuple[str, str, str]]:
    """Return what differs and both values of it, digests cut: model, environment, engine, suite, prompts, datasets."""
    found = sorted(comparability.differs, key=lambda one: _ORDER.index(one.what) if one.what in _ORDER else -1)
    return [_difference(one) for one in found]


def _difference(found: Difference) -> tuple[str, str, str]:
    task = f" of {found.task}" if found.task else ""
    values = ("–" if value is None else value for value in (found.baseline, found.candidate))
    before, after = (value[:12] if _DIGEST.fullmatch(value) else shorten(value, MAX_VALUE) for value in values)
    return shorten(f"{found.what}{task}", MAX_NAME), before, after


def notes(diff: Diff | Comparison) -> list[str]:
    """Return what the table's signs and units mean, as far as they occur."""
    found = [POINTS_NOTE] if any(in_points(row.range) for row in diff.metrics) else []
    return found + ([LOWER_NOTE] if not all(row.higher_is_better for row in diff.metrics) else [])


def not_compared(diff: Diff | Comparison) -> list[str]:
    """Return which tasks and metrics could not be compared, and why."""
    return [f"{refused.task}: {refused.what}" for refused in diff.comparability.refused]


def change_words(row: MetricComparison) -> tuple[str, str]:
    """Return what an item is called that lost and one that gained: right or wrong, or by how much."""
    return ("broken", "fixed") if row.binary else ("worse", "better")


def changed(row: MetricComparison) -> str | None:
    """Return how many items changed, ``3 broken, 1 fixed``; None where none did or nothing was compared."""
    if row.flips is None or not row.flips.broken + row.flips.fixed:
        return None
    worse, better = change_words(row)
    return f"{show_count(row.flips.broken)} {worse}, {show_count(row.flips.fixed)} {better}"


def example_word(row: MetricComparison, example: Example) -> str:
    """Return what the example's item is called."""
    return change_words(row)[example.direction == "fixed"]


def slice_header(row: MetricComparison, confidence: float) -> tuple[str, ...]:
    """Return the header of a metric's slices."""
    return (*SLICE_HEADER, f"{confidence:.0%} interval", *change_words(row))
