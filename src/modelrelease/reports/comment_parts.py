"""The open part of a comment: what was compared, the metrics, why, what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelrelease.errors import shorten
from modelrelease.numbers import in_points, round_range, show_count, show_delta, show_items
from modelrelease.records.comparison import Comparison, MetricComparison, Power, ScoredAgain, Side
from modelrelease.records.resolution import LiveRule, Resolution
from modelrelease.reports import rows
from modelrelease.reports.budget import Section
from modelrelease.reports.inert import FOLD_END, code, escape, fold_head, table_head, table_row

MAX_SENTENCE = 1000
_COLUMNS = (0, 2, 3, 4, 5, 6, 7, 8)
_ALONE = (0, 2, 4)
_MANY_GATES = 6
_LIVE: dict[LiveRule, str] = {
    "input": "named by hand",
    "ledger": "live by the newest release in the ledger",
    "highest-version": "the highest scored version of the merge-base",
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
        yield _side("Candidate", candidate, [resolution.reason] if resolution else [])
        yield _baseline(baseline, resolution)
    elif resolution is not None and resolution.reason not in comparison.headline:
        yield f"- {_sentence(resolution.reason)}"
    if comparison.policies and candidate is not None:
        source = code(shorten(comparison.policies[0].source_ref, rows.MAX_NAME))
        yield f"- **Policy**: {source}, for a {comparison.context.replace('_', ' ')}"


def _baseline(side: Side | None, resolution: Resolution | None) -> str:
    if side is None:
        return "- **Baseline**: none, nothing is live yet"
    words = [_LIVE[resolution.baseline_rule]] if resolution else []
    return _side("Baseline", side, words + ([f"scored {_age(side.age)}"] if side.age is not None else []))


def _side(title: str, side: Side, words: list[str]) -> str:
    why = escape(shorten(", ".join(words), MAX_SENTENCE))
    again = f"; {title.lower()} {_again(side.scored_again)}" if side.scored_again else ""
    return f"- **{title}**: {code(shorten(side.label, 80))}" + (f" ({why})" if why else "") + again


def _age(days: float) -> str:
    whole = int(days)
    return "today" if whole < 1 else f"{show_count(whole)} day{'' if whole == 1 else 's'} ago"


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
    """Yield the lists of sentences: the other policy's answer, why, what changed, notes."""
    yield _bullets("This pull request changes the policy", _policies(comparison), rank=2)
    yield from _why(comparison)
    yield _bullets("What changed", _changes(comparison), rank=3)
    yield _bullets("Notes", map(_sentence, comparison.notes), rank=4)


def _why(comparison: Comparison) -> Iterator[Section]:
    """Each gate metric once, then what is no metric's own, then what so many items can show."""
    gates = [row for row in comparison.metrics if row.role == "gate" and row.verdict != "no-baseline"]
    passing = [row for row in gates if row.verdict in {"better", "equivalent"}]
    folded = passing if len(gates) > _MANY_GATES else []
    shown = [row for row in gates if row not in folded]
    others = [text for text in (*comparison.reasons, *comparison.warnings) if not _said(text, comparison)]
    yield _bullets("Why", [*map(_gate, shown), *map(_sentence, others)], rank=2)
    yield _bullets("What this sample size can show", _powers(shown), rank=2)
    if folded:
        head = (fold_head(f"{show_count(len(folded))} more gate metrics, which pass"), "")
        lines = [f"- {text}" for text in (*map(_gate, folded), *_powers(folded))]
        yield Section(head, tuple(lines), ("", FOLD_END), rank=5)


def _said(text: str, comparison: Comparison) -> bool:
    """Say whether a sentence tells what the headline or a gate metric's own line tells."""
    gates = (row for row in comparison.metrics if row.role == "gate")
    in_a_line = any(text.startswith(f"{row.task}/{row.metric} ") and row.reason in text for row in gates)
    return in_a_line or text.casefold() in comparison.headline.casefold()


def _gate(row: MetricComparison) -> str:
    verdict = "has errors" if row.verdict == "error" else f"is {row.verdict}"
    return f"{rows.verdict_mark(row)} {_sentence(f'{rows.metric_name(row)} {verdict}: {row.reason}')}"


def _powers(gates: Sequence[MetricComparison]) -> Iterator[str]:
    """What so many items can show and what not; an inconclusive metric's own reason has said it."""
    for row in gates:
        if row.power is not None and row.power.mde is not None and row.verdict != "inconclusive":
            yield _sentence(f"{rows.metric_name(row)}: {_power(row, row.power.mde, row.power)}")


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


def _policies(comparison: Comparison) -> Iterator[str]:
    if len(comparison.policies) < 2:
        return
    base, *own = comparison.policies
    yield f"The one in force ({code(shorten(base.source_ref, rows.MAX_NAME))}) decides, as said above"
    for answer in own:
        same = answer.decision == base.decision and answer.headline == base.headline
        told = "it says the same" if same else _sentence(answer.headline)
        yield f"This pull request's own ({code(shorten(answer.source_ref, rows.MAX_NAME))}), for information: {told}"


def _changes(comparison: Comparison) -> Iterator[str]:
    for change in comparison.resolution.changes if comparison.resolution else ():
        detail = f": {_sentence(change.detail)}" if change.detail else ""
        yield f"{change.what} {code(shorten(change.path, rows.MAX_NAME))}{detail}"


def _sentence(text: str) -> str:
    return escape(shorten(text, MAX_SENTENCE), begins_line=True)


def _bullets(title: str, items: Iterator[str] | Sequence[str], rank: int) -> Section:
    lines = tuple(f"- {item}" for item in items)
    return Section((f"**{title}**", ""), lines, rank=rank) if lines else Section()
