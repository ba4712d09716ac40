"""A diff as one page that needs nothing else: what differs, deltas, slices, then the items, broken before fixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from modelrelease.errors import shorten
from modelrelease.numbers import show_count
from modelrelease.records.comparison import Diff
from modelrelease.records.item_changes import ItemChange, TaskItems
from modelrelease.reports import html_parts as parts
from modelrelease.reports import items, rows
from modelrelease.reports.html_style import STYLE
from modelrelease.reports.markup import Element, Node, el, page

_OPEN = 3
_TONES = {"broken": "bad", "fixed": "good"}


def diff_html(diff: Diff) -> str:
    """Return a diff as one HTML document, which loads nothing, runs nothing and links to nothing outside."""
    title = f"{shorten(diff.baseline.label, 80)} → {shorten(diff.candidate.label, 80)}"
    sections = [
        parts.section("What differs", *_differences(diff), id_="differs"),
        parts.section("Metrics", *_metrics(diff), id_="metrics"),
        parts.section("Slices", *(parts.slice_details(row, diff.confidence) for row in diff.metrics), id_="slices"),
        parts.section("Broken items", *_items(diff, "broken"), id_="broken"),
        parts.section("Fixed items", *_items(diff, "fixed"), id_="fixed"),
        parts.section("Other items", *_others(diff), id_="others"),
    ]
    kept = [found for found in sections if found is not None]
    header = el("header", el("h1", title), _lead(diff), _nav(kept))
    return page(title, STYLE, [header, el("main", *kept)])


def _nav(sections: list[Element]) -> Element:
    links = []
    for found in sections:
        title = found.children[0]
        if isinstance(title, Element):
            links.append(el("a", *title.children, href=f"#{dict(found.attributes)['id']}"))
    return el("nav", *links)


def _lead(diff: Diff) -> Element:
    """What a reader takes away: how many metrics went which way, and how many items."""
    tones = [(row, parts.tone_of(row, row, judged=False)) for row in diff.metrics if row.delta is not None]
    counts = Counter(parts.change_word(row, tone) for row, tone in tones)
    words = {"better": "good", "worse": "bad", "not clear": "unsure", "the same": "none"}
    told: list[Node] = []
    for word, tone in words.items():
        if counts[word]:
            told += [", " if told else None, el("b", f"{counts[word]} {word}", class_=tone)]
    metrics = (
        [f"{len(tones)} metric{'' if len(tones) == 1 else 's'} compared: ", *told] if told else ["Nothing compared"]
    )
    return el("p", *metrics, ". Items: ", *_item_counts(diff), ".", class_="lead")


def _item_counts(diff: Diff) -> Iterator[Node]:
    """Right-or-wrong items apart from those that got a little better or worse, which is nearly all of them."""
    counts: dict[str, int] = {}
    for task in diff.items:
        for word, count in zip(items.task_words(diff, task), (task.broken, task.fixed), strict=True):
            counts[word] = counts.get(word, 0) + count
    for number, (word, count) in enumerate(counts.items()):
        tone = "none" if not count else "bad" if word in {"broken", "worse"} else "good"
        yield ", " if number else None
        yield el("b", f"{show_count(count)} {word}", class_=tone)
    if not counts:
        yield "none compared"


def _differences(diff: Diff) -> Iterator[Node]:
    named = (("baseline", diff.baseline), ("candidate", diff.candidate))
    yield parts.bullets(f"{name}: {rows.side_line(side)}; {shorten(side.environment, 300)}" for name, side in named)
    found = rows.differences(diff.comparability)
    if found:
        yield parts.table(rows.DIFFERENCE_HEADER, found, ["name", "value", "value"])
    else:
        yield el("p", "Nothing: the same model, environment, engine, suite, prompts and datasets.")
    if diff.comparability.same:
        yield el("p", f"The same on both sides: {', '.join(diff.comparability.same)}.", class_="soft")


def _metrics(diff: Diff) -> Iterator[Node]:
    table = parts.metric_table(diff.metrics, diff.confidence, judged=False)
    yield table if table is not None else el("p", "No metric.")
    yield parts.notes(diff)
    refused = parts.bullets(rows.not_compared(diff))
    if refused is not None:
        yield el("h3", "Not compared")
        yield refused


def _items(diff: Diff, direction: Literal["broken", "fixed"]) -> Iterator[Node]:
    for task in diff.items:
        total = task.broken if direction == "broken" else task.fixed
        if not total:
            continue
        shown = [item for item in task.items if item.direction == direction]
        word = items.task_words(diff, task)[direction == "fixed"]
        rest = f", {show_count(len(shown))} shown (--all shows all)" if len(shown) < total else ""
        yield el("h3", f"{shorten(task.task, rows.MAX_NAME)}: {show_count(total)} of {show_count(task.n)} {word}{rest}")
        for number, item in enumerate(shown):
            yield _item(item, word, is_open=number < _OPEN)


def _item(item: ItemChange, word: str, *, is_open: bool) -> Element:
    summary = el(
        "span",
        el("span", word, class_=f"tag {_TONES[item.direction]}"),
        el("b", shorten(item.item_id, 100)),
        el("small", f" {shorten(items.score_words(item), 200)}"),
        el("small", f" · {parts.preview(item.input)}") if item.input else None,
    )
    gap = items.gap_words(item)
    return parts.fold(
        summary,
        [
            *parts.texts(("input", item.input), ("target", item.target)),
            _answers(item),
            *parts.texts(("taken from the answer", items.taken_words(item))),
            el("p", gap, class_="soft") if gap else None,
        ],
        is_open=is_open,
    )


def _answers(item: ItemChange) -> Node:
    before, after = item.baseline.answer, item.candidate.answer
    if before is None and after is None:
        return None
    runs = items.aligned(item)
    if runs is not None:
        return parts.sides(*parts.marked(runs))
    return parts.sides([before if before is not None else "–"], [after if after is not None else "–"])


def _others(diff: Diff) -> Iterator[Node]:
    told = [f"{shorten(task.task, rows.MAX_NAME)}: {_other(task)}" for task in diff.items]
    yield parts.bullets(told)


def _other(task: TaskItems) -> str:
    rest = task.n - task.broken - task.fixed
    otherwise = f", {show_count(task.other_answers)} of them answered otherwise" if task.other_answers else ""
    return f"{show_count(rest)} of {show_count(task.n)} with the same scores{otherwise}"
