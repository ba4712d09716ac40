"""What is said of a comparison beside its table, as plain text; terminal and comment put it in their own frames."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.errors import shorten
from modelrelease.numbers import in_points, round_range, show_count, show_delta, show_items
from modelrelease.records.comparison import Comparison, MetricComparison, PolicyAnswer, Power, ScoredAgain, Side
from modelrelease.records.resolution import LiveRule
from modelrelease.reports.rows import metric_name

_LIVE: dict[LiveRule, str] = {
    "input": "named by hand",
    "ledger": "live by the newest release in the ledger",
    "highest-version": "the highest scored version of the merge-base",
    "none": "nothing is live yet",
}


def chosen(comparison: Comparison) -> tuple[str, str]:
    """Return by which rules candidate and baseline were chosen, and how old the baseline is; empty where not known."""
    resolution, baseline = comparison.resolution, comparison.baseline
    words = [_LIVE[resolution.baseline_rule]] if resolution else []
    if baseline is None:
        words = ["nothing is live yet"]
    elif baseline.age is not None:
        words.append(f"scored {_age(baseline.age)}")
    return (resolution.reason if resolution else ""), ", ".join(words)


def _age(days: float) -> str:
    whole = int(days)
    return "today" if whole < 1 else f"{show_count(whole)} day{'' if whole == 1 else 's'} ago"


def scored_again(name: str, side: Side) -> str:
    """Return ``baseline scored again: 3 of 2,000 items, test set changed``; empty where it was not."""
    again: ScoredAgain | None = side.scored_again
    if again is None:
        return ""
    why = ", ".join(again.why)
    counts = f"{show_count(again.items)} of {show_items(again.of)}"
    return f"{name} scored again: {counts}" + (f", {why}" if why else "")


def own_answers(comparison: Comparison) -> Iterator[tuple[PolicyAnswer, str]]:
    """Yield the policies that do not decide, with what they say."""
    for answer in comparison.policies[1:]:
        base = comparison.policies[0]
        same = (answer.decision, answer.headline) == (base.decision, base.headline)
        yield answer, "the same" if same else answer.headline


def outcome(row: MetricComparison) -> str:
    """Return a metric's name, verdict and reason as one clause."""
    verdict = "has errors" if row.verdict == "error" else f"is {row.verdict}"
    return f"{metric_name(row)} {verdict}: {row.reason}"


def said(text: str, comparison: Comparison) -> bool:
    """Say whether a sentence tells what the headline or a gate metric's own ``outcome`` tells."""
    gates = (row for row in comparison.metrics if row.role == "gate")
    in_an_outcome = any(text.startswith(f"{row.task}/{row.metric} ") and row.reason in text for row in gates)
    return in_an_outcome or text.casefold() in comparison.headline.casefold()


def sample_size(row: MetricComparison) -> str | None:
    """Return what so many items can show and what not; None for an inconclusive metric, whose reason says it."""
    if row.power is None or row.power.mde is None or row.verdict == "inconclusive":
        return None
    return f"{metric_name(row)}: {_power(row, row.power.mde, row.power)}"


def _power(row: MetricComparison, smallest: float, power: Power) -> str:
    points = in_points(row.range)
    size, margin = (show_delta(value, points, sign=False) for value in (smallest, row.margin))
    unit = " points" if points else ""
    text = f"{show_items(row.n)} can rule out a loss of {size}{unit}, not a smaller one"
    low, high = power.items_needed_low, power.items_needed_high
    if row.margin is None or smallest <= row.margin or low is None or high is None:
        return text
    low, high = round_range(low, high)
    needed = show_count(low) if low == high else f"{show_count(low)} to {show_count(high)}"
    return f"{text}; the margin of {margin}{unit} takes {needed}"


def changes(comparison: Comparison) -> Iterator[tuple[str, str, str]]:
    """Yield the governed files that differ: what each is, its path, and how it differs."""
    for change in comparison.resolution.changes if comparison.resolution else ():
        yield change.what, shorten(change.path, 200), change.detail or ""
