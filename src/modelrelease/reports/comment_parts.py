"""The open part of a comment: what was compared, the metrics, why, what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelrelease.errors import shorten
from modelrelease.numbers import show_count
from modelrelease.records.changes import FileChange
from modelrelease.records.comparison import Comparison, MetricComparison, PolicyAnswer, Side
from modelrelease.reports import rows, words
from modelrelease.reports.budget import Section
from modelrelease.reports.changes import headline, record_lines
from modelrelease.reports.inert import FOLD_END, code, escape, fold_head, table_head, table_row

MAX_SENTENCE = 1000
MAX_RECORDS = 5
FOLD_RANK = 5
"""Folds lose rows together, all of them after the open part."""

_COLUMNS = (0, 2, 3, 4, 5, 6, 7, 8)
_ALONE = (0, 2, 4)
_MANY_GATES = 6


def gates_first(comparison: Comparison) -> list[MetricComparison]:
    """Return the metrics, those that decide before those that do not."""
    return sorted(comparison.metrics, key=lambda row: row.role != "gate")


def compared(comparison: Comparison) -> Section:
    """Return which rule chose what, what had to be scored again, and whose policy decides."""
    return Section(rows=tuple(_compared(comparison)), rank=1)


def _compared(comparison: Comparison) -> Iterator[str]:
    why_candidate, why_baseline = words.chosen(comparison)
    baseline, candidate = comparison.baseline, comparison.candidate
    if candidate is not None:
        yield f"- **Candidate**: {_side('candidate', candidate, why_candidate)}"
        shown = _side("baseline", baseline, why_baseline) if baseline else f"none, {why_baseline}"
        yield f"- **Baseline**: {shown}"
    elif why_candidate and why_candidate not in comparison.headline:
        yield f"- {_sentence(why_candidate)}"
    if comparison.policies and candidate is not None:
        yield f"- **Policy**: {_source(comparison.policies[0])}, for a {comparison.context.replace('_', ' ')}"


def _side(name: str, side: Side, why: str) -> str:
    again = words.scored_again(name, side)
    shown = code(shorten(side.label, 80)) + (f" ({_sentence(why)})" if why else "")
    return shown + (f"; {_sentence(again)}" if again else "")


def _source(answer: PolicyAnswer) -> str:
    return code(shorten(answer.source_ref, rows.MAX_NAME))


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
    others = [text for text in (*comparison.reasons, *comparison.warnings) if not words.said(text, comparison)]
    yield _bullets("Why", [*map(_gate, shown), *map(_sentence, others)], rank=2)
    yield _bullets("What this sample size can show", _sample_sizes(shown), rank=2)
    if folded:
        head = (fold_head(f"{show_count(len(folded))} more gate metrics, which pass"), "")
        lines = [f"- {text}" for text in (*map(_gate, folded), *_sample_sizes(folded))]
        yield Section(head, tuple(lines), ("", FOLD_END), FOLD_RANK)


def _gate(row: MetricComparison) -> str:
    return f"{rows.verdict_mark(row)} {_sentence(words.outcome(row))}"


def _sample_sizes(gates: Iterable[MetricComparison]) -> Iterator[str]:
    return (_sentence(text) for text in map(words.sample_size, gates) if text)


def _policies(comparison: Comparison) -> Iterator[str]:
    answers = list(words.own_answers(comparison))
    if answers:
        yield f"The one in force ({_source(comparison.policies[0])}) decides, as said above"
    for answer, told in answers:
        yield f"This pull request's own ({_source(answer)}), for information: {_sentence(told)}"


def _changes(comparison: Comparison) -> Iterator[str]:
    """Yield what decides numbers and verdicts, then the other governed files; each with who changed it and why."""
    files = {file.path: file for file in comparison.changes.files} if comparison.changes else {}
    for what, path, detail in words.changes(comparison):
        said = f"{what} {code(path)}" + (f": {_sentence(detail)}" if detail else "")
        yield said + _who(files.pop(path, None))
    for path, file in files.items():
        yield f"{code(shorten(path, MAX_SENTENCE))}: {_sentence(headline(file))}" + _who(file)
    if comparison.changes and comparison.changes.left_out:
        yield f"{show_count(comparison.changes.left_out)} more governed files"


def _who(file: FileChange | None) -> str:
    lines = list(record_lines(file))[:MAX_RECORDS] if file else []
    return "".join(f"\n  - {_sentence(line)}" for line in lines)


def _sentence(text: str) -> str:
    return escape(shorten(text, MAX_SENTENCE), begins_line=True)


def _bullets(title: str, items: Iterable[str], rank: int) -> Section:
    lines = tuple(f"- {item}" for item in items)
    return Section((f"**{title}**", ""), lines, rank=rank) if lines else Section()
