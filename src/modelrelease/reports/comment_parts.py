"""The open part of a comment: what was compared, the metrics, why, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelrelease.errors import shorten
from modelrelease.numbers import in_points, show_count, show_delta, show_items
from modelrelease.records.comparison import Comparison, MetricComparison, ScoredAgain, Side
from modelrelease.records.resolution import LiveRule, Resolution
from modelrelease.reports import rows
from modelrelease.reports.budget import Section
from modelrelease.reports.inert import FOLD_END, code, escape, fold_head, table_head, table_row

MAX_SENTENCE = 1000
_COLUMNS = (0, 2, 3, 4, 5, 6, 7, 8)
_ALONE = (0, 2, 4)
_MANY_GATES = 6
_NAMES = ("candidate", "baseline")
_LIVE: dict[LiveRule, str] = {
    "input": "named by whoever started this",
    "ledger": "live, by the newest release in the ledger",
    "highest-version": "live, the highest version at the merge-base that has been scored",
    "none": "",
}


def gates_first(comparison: Comparison) -> list[MetricComparison]:
    """Return the metrics, those that decide before those that do not."""
    return sorted(comparison.metrics, key=lambda row: row.role != "gate")


def compared(comparison: Comparison) -> Section:
    """Return which rule chose what, what had to be scored again, and whose policy decides."""
    return Section(rows=tuple(_compared(comparison)), rank=1)


def _compared(comparison: Comparison) -> Iterator[str]:
    resolution, baseline, candidate = comparison.resolution, comparison.baseline, comparison.candidate
    if candidate is not None:
        yield _side("Candidate", candidate, _candidate_words(resolution))
        live = _LIVE[resolution.baseline_rule] if resolution else ""
        yield _side("Baseline", baseline, live) if baseline else "- **Baseline**: none, nothing is live yet"
    elif resolution is not None and resolution.reason not in comparison.headline:
        yield f"- {_sentence(resolution.reason)}"
    if comparison.policies and candidate is not None:
        source = code(shorten(comparison.policies[0].source_ref, rows.MAX_NAME))
        yield f"- **Policy**: {source}, for a {comparison.context.replace('_', ' ')}"


def _candidate_words(resolution: Resolution | None) -> str:
    if resolution is None:
        return ""
    asked = "with what this pull request asks; " if resolution.rule == "changed-inputs" else ""
    return asked + resolution.reason


def _side(title: str, side: Side, why: str) -> str:
    words = [_sentence(why)] if why else []
    if side.age is not None and title == "Baseline":
        words.append(f"scored {_age(side.age)}")
    if side.scored_again is not None:
        words.append(f"{title.lower()} {_again(side.scored_again)}")
    return f"- **{title}**: {code(shorten(side.label, 80))}" + "".join(f", {word}" for word in words)


def _age(days: float) -> str:
    whole = int(days)
    return "today" if whole < 1 else f"{whole:,} day{'' if whole == 1 else 's'} ago"


def _again(again: ScoredAgain) -> str:
    why = ", ".join(again.why)
    return f"scored again: {show_count(again.items)} of {show_items(again.of)}" + (f", {_sentence(why)}" if why else "")


def metric_table(comparison: Comparison) -> Section:
    """Return the metrics as a table, gate metrics first; only their values where nothing is live yet."""
    metrics = gates_first(comparison)
    if not metrics:
        return Section()
    alone = comparison.baseline is None
    columns = _ALONE if alone else _COLUMNS
    header = rows.metric_header(comparison.confidence)
    head = table_head([header[n] for n in columns], [rows.METRIC_ALIGN[n] for n in columns])
    lines = (table_row(_cells(row)[n] for n in columns) for row in metrics)
    notes = rows.notes(comparison)
    if any(row.role == "info" for row in metrics):
        notes.append("(info): decides nothing.")
    return Section(tuple(head), tuple(lines), ("", " ".join(notes)) if notes else (), rank=1, stays=True)


def _cells(row: MetricComparison) -> tuple[str, ...]:
    name, *cells, verdict = rows.metric_row(row)
    if row.role == "info":
        return (f"{name} (info)", *cells, verdict)
    return (name, *cells, f"{rows.verdict_mark(row)} {verdict}")


def sentences(comparison: Comparison) -> Iterator[Section]:
    """Yield the lists of sentences: why, the other policy's answer, what changed, notes."""
    yield from _why(comparison)
    yield _bullets("Two policies", _policies(comparison), rank=2)
    yield _bullets("What changed", _changes(comparison), rank=3)
    yield _bullets("Notes", map(_sentence, comparison.notes), rank=4)


def _why(comparison: Comparison) -> Iterator[Section]:
    """Each gate metric once, with what so many items can show; then what is no metric's own."""
    gates = [row for row in comparison.metrics if row.role == "gate" and row.verdict != "no-baseline"]
    passing = [row for row in gates if row.verdict in {"better", "equivalent"}]
    folded = passing if len(gates) > _MANY_GATES else []
    shown = [row for row in gates if row not in folded]
    others = [text for text in (*comparison.reasons, *comparison.warnings) if not _restates(text, comparison.metrics)]
    yield _bullets("Why", [*map(_gate, shown), *map(_sentence, others)], rank=2)
    if folded:
        head = (fold_head(f"Why: {show_count(len(folded))} gate metrics that pass"), "")
        yield Section(head, tuple(f"- {_gate(row)}" for row in folded), ("", FOLD_END), rank=5)


def _restates(text: str, metrics: Sequence[MetricComparison]) -> bool:
    gates = (row for row in metrics if row.role == "gate")
    return any(text.startswith(f"{row.task}/{row.metric} ") and row.reason in text for row in gates)


def _gate(row: MetricComparison) -> str:
    verdict = "has errors" if row.verdict == "error" else f"is {row.verdict}"
    words = f"{rows.metric_name(row)} {verdict}: {row.reason}"
    return f"{rows.verdict_mark(row)} {_sentence(words)}{_power(row)}"


def _power(row: MetricComparison) -> str:
    """What so many items can show and what not; an inconclusive metric's own reason has said it."""
    if row.power is None or row.power.mde is None or row.verdict == "inconclusive":
        return ""
    points = in_points(row.range)
    unit = " points" if points else ""
    size = f"{show_delta(row.power.mde, points, sign=False)}{unit}"
    text = f". {show_items(row.n)} can rule out a loss of {size} or more, not a smaller one"
    low, high = row.power.items_needed_low, row.power.items_needed_high
    if row.margin is None or row.power.mde <= row.margin or low is None or high is None:
        return text
    needed = show_count(low) if low == high else f"{show_count(low)} to {show_count(high)}"
    return f"{text}: for the margin of {show_delta(row.margin, points, sign=False)}{unit} count on {needed}"


def _policies(comparison: Comparison) -> Iterator[str]:
    if len(comparison.policies) < 2:
        return
    base, *own = comparison.policies
    yield f"the base's decides ({code(shorten(base.source_ref, 80))}): {_sentence(base.headline)}"
    for answer in own:
        yield f"this pull request's own ({code(shorten(answer.source_ref, 80))}): {_sentence(answer.headline)}"


def _changes(comparison: Comparison) -> Iterator[str]:
    for change in comparison.resolution.changes if comparison.resolution else ():
        detail = f": {_sentence(change.detail)}" if change.detail else ""
        yield f"{change.what} {code(shorten(change.path, rows.MAX_NAME))}{detail}"


def _sentence(text: str) -> str:
    return escape(shorten(text, MAX_SENTENCE), begins_line=True)


def _bullets(title: str, items: Iterator[str] | Sequence[str], rank: int) -> Section:
    lines = tuple(f"- {item}" for item in items)
    return Section((f"**{title}**", ""), lines, rank=rank) if lines else Section()
