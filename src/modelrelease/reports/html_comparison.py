"""A comparison as one page that needs nothing else: the decision, what it rests on, what changed, where from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from modelrelease.errors import shorten
from modelrelease.records.changes import FieldChange, FileChange
from modelrelease.records.comparison import MAX_FIELD, Comparison, Example, MetricComparison
from modelrelease.records.word_diff import shares_words, word_runs
from modelrelease.reports import html_parts as parts
from modelrelease.reports import rows, words
from modelrelease.reports.changes import detail_lines, headline, record_lines
from modelrelease.reports.html_plot import trend_plot
from modelrelease.reports.html_style import STYLE
from modelrelease.reports.markup import Element, Node, el, page
from modelrelease.reports.permitted import permitted
from modelrelease.reports.trend import trends

_MAX_SENTENCE = 1000
_MAX_DETAIL = 8000
_MAX_RUNS = 100
_TONES = {"promote": "good", "block": "bad", "not-needed": "none"}
_OPEN = 3
_CHOICE = re.compile(r"\d+(: |$)")  # of which the whole is chosen, not its words


def comparison_html(comparison: Comparison) -> str:
    """Return a comparison as one HTML document, which loads nothing, runs nothing and links to nothing outside.

    What ``comparison.comment.samples`` does not allow of items and rows is not in it.
    """
    comparison = permitted(comparison)
    candidate = comparison.candidate.label if comparison.candidate else comparison.name or "comparison"
    body = [
        _decision(comparison),
        parts.bullets(f"{name}: {shorten(value, _MAX_SENTENCE)}" for name, value in _facts(comparison)),
        el("main", *_sections(comparison)),
    ]
    return page(f"{comparison.decision}: {shorten(candidate, 80)}", STYLE, body)


def _decision(comparison: Comparison) -> Element:
    unproven = any(row.role == "gate" and row.verdict == "inconclusive" for row in comparison.metrics)
    tone = "unsure" if comparison.decision == "promote" and unproven else _TONES[comparison.decision]
    said = shorten(comparison.headline, _MAX_SENTENCE) or comparison.decision
    return el("header", el("h1", said, class_=tone), class_=f"decision {tone}")


def _facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    yield from rows.facts(comparison)
    for name, side in (("candidate", comparison.candidate), ("baseline", comparison.baseline)):
        again = words.scored_again(name, side) if side is not None else ""
        if again:
            yield "again", again
    for name, why in zip(("candidate chosen", "baseline chosen"), words.chosen(comparison), strict=True):
        if why:
            yield name, why


def _sections(comparison: Comparison) -> Iterator[Node]:
    table = parts.metric_table(_gates_first(comparison), comparison.confidence, judged=True)
    yield parts.section("Metrics", table, parts.notes(comparison) if table else None, id_="metrics")
    yield parts.section("Why", _sentences(comparison.reasons), id_="why")
    yield parts.section("Warnings", _sentences(comparison.warnings), id_="warnings")
    own = [f"{answer.source_ref}: {told}" for answer, told in words.own_answers(comparison)]
    yield parts.section("What this pull request's own policy would say", _sentences(own), id_="own-policy")
    yield parts.section("Items that changed", *map(_items, _changed(comparison)), id_="items")
    yield parts.section("What changed", *_changes(comparison), id_="changes")
    slices = (parts.slice_details(row, comparison.confidence) for row in _gates_first(comparison))
    yield parts.section("Slices", *slices, id_="slices")
    yield parts.section("Trend", *_trends(comparison), id_="trend")
    yield parts.section("How and where it was scored", *_environment(comparison), id_="environment")
    yield parts.section("Notes", _sentences(comparison.notes), id_="notes")


def _gates_first(comparison: Comparison) -> list[MetricComparison]:
    return sorted(comparison.metrics, key=lambda row: row.role != "gate")


def _sentences(texts: Iterable[str]) -> Element | None:
    return parts.bullets(shorten(text, _MAX_SENTENCE) for text in texts)


def _changed(comparison: Comparison) -> list[MetricComparison]:
    return [row for row in _gates_first(comparison) if rows.changed(row)]


def _items(row: MetricComparison) -> Element:
    """One metric's examples: with both answers where texts are shown, their ids where not, else the counts alone."""
    title = f"{rows.metric_name(row)}: {rows.changed(row)}"
    examples = row.flips.examples if row.flips else ()
    shown: list[Node] = []
    for direction in ("broken", "fixed"):
        own = [example for example in examples if example.direction == direction]
        with_texts = [e for e in own if (e.input, e.target, e.baseline, e.candidate) != (None,) * 4]
        shown += [_example(row, example, is_open=n < _OPEN) for n, example in enumerate(with_texts)]
        ids = [shorten(example.item_id, 100) for example in own if example not in with_texts]
        shown.append(el("p", f"{rows.example_word(row, own[0])}: {', '.join(ids)}") if ids else None)
    return el("div", el("h3", title), *shown)


def _example(row: MetricComparison, example: Example, *, is_open: bool) -> Element:
    word, tone = rows.example_word(row, example), "bad" if example.direction == "broken" else "good"
    name = el("b", shorten(example.item_id, 100))
    preview = el("small", f" {parts.preview(example.input)}")
    values = (example.input, example.target, example.baseline, example.candidate)
    # The writer cuts these, and a file from elsewhere can hold longer ones.
    given, target, before, after = (None if value is None else shorten(value, MAX_FIELD) for value in values)
    choices = all(value is not None and _CHOICE.match(value) for value in (before, after))
    runs = [] if choices else word_runs(before or "", after or "")
    both = parts.marked(runs) if shares_words(runs) else ([before or "–"], [after or "–"])
    inside = [*parts.texts(("input", given), ("target", target)), parts.sides(*both)]
    return parts.fold(el("span", el("span", word, class_=f"tag {tone}"), name, preview), inside, is_open=is_open)


def _changes(comparison: Comparison) -> Iterator[Node]:
    """What decides numbers and verdicts, then every governed file with who changed it and why."""
    yield _sentences(
        f"{what} {path}" + (f": {detail}" if detail else "") for what, path, detail in words.changes(comparison)
    )
    for file in comparison.changes.files if comparison.changes else ():
        yield _file(file)
    if comparison.changes and comparison.changes.left_out:
        yield el("p", f"… and {comparison.changes.left_out:,} more governed files")


def _file(file: FileChange) -> Element:
    summary = f"{shorten(file.path, 200)}: {shorten(headline(file), 200)}"
    words_apart = file.model_copy(update={"fields": ()})
    detail = shorten("\n".join(detail_lines(words_apart)), _MAX_DETAIL)
    fields = [node for field in file.fields for node in _field(field)]
    return parts.fold(summary, [_sentences(record_lines(file)), *fields, el("pre", detail) if detail else None])


def _field(field: FieldChange) -> Iterator[Node]:
    """One field of a prompt or another document, word by word."""
    yield el("p", shorten(field.field, 200), class_="label")
    yield el("pre", *(parts.marked_run(run.kind, shorten(run.text, MAX_FIELD)) for run in field.words[:_MAX_RUNS]))


def _trends(comparison: Comparison) -> Iterator[Node]:
    for row, points in trends(comparison):
        yield el("div", el("h3", rows.metric_name(row)), trend_plot(row, points))


def _environment(comparison: Comparison) -> Iterator[Node]:
    found = rows.differences(comparison.comparability)
    if found and comparison.baseline is not None:
        yield parts.table(rows.DIFFERENCE_HEADER, found, ["name", "value", "value"])
    named = (("baseline", comparison.baseline), ("candidate", comparison.candidate))
    yield _sentences(f"{name}: {side.engine}; {side.environment}" for name, side in named if side is not None)
