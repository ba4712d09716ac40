"""The parts that a diff's and a comparison's page share: tables with plots, lists, items with both answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelrelease.errors import shorten
from modelrelease.numbers import in_points, show_count
from modelrelease.records.comparison import Comparison, Diff, MetricComparison, SliceComparison
from modelrelease.records.word_diff import CAME, GONE, SAME, Runs
from modelrelease.reports import rows
from modelrelease.reports.html_plot import interval_plot, reach, shared_reach
from modelrelease.reports.markup import Element, Node, el

TONES = {"better": "good", "equivalent": "good", "inconclusive": "unsure", "regressed": "bad"}
_CHANGE_WORDS = {"good": "better", "bad": "worse", "unsure": "not clear", "none": "–"}


def section(title: str, *children: Node, id_: str) -> Element | None:
    """Return a titled section; None without anything in it."""
    kept = [child for child in children if child is not None]
    return el("section", el("h2", title), *kept, id_=id_) if kept else None


def bullets(sentences: Iterable[str]) -> Element | None:
    """Return a list of sentences; None without one."""
    items = [el("li", sentence) for sentence in sentences]
    return el("ul", *items) if items else None


def table(header: Sequence[str], lines: Iterable[Sequence[Node]], classes: Sequence[str]) -> Element:
    """Return a table that scrolls by itself where it is wider than the page; ``classes`` by column."""
    head = el("tr", *(el("th", text, class_=name, scope="col") for text, name in zip(header, classes, strict=True)))
    body = [el("tr", *(el("td", cell, class_=n) for cell, n in zip(line, classes, strict=True))) for line in lines]
    return el("div", el("table", el("thead", head), el("tbody", *body)), class_="scroll")


def tone_of(row: MetricComparison, part: MetricComparison | SliceComparison, *, judged: bool) -> str:
    """Return the colours of a change: of its verdict, or, where none judges, of the side its interval is on."""
    if judged and isinstance(part, MetricComparison):
        return TONES.get(part.verdict, "none") if part.role == "gate" else "none"
    if part.delta is None:
        return "none"
    if part.ci_low is None or part.ci_high is None:
        return "unsure"
    low, high = (part.ci_low, part.ci_high) if row.higher_is_better else (-part.ci_high, -part.ci_low)
    return "good" if low > 0 else "bad" if high < 0 else "unsure"


def change_word(row: MetricComparison, tone: str) -> str:
    """Return what a change is called where no policy judges it."""
    return "the same" if row.verdict == "equivalent" and row.delta == 0 else _CHANGE_WORDS[tone]


def metric_table(metrics: Sequence[MetricComparison], confidence: float, *, judged: bool) -> Element | None:
    """Return the metrics with their plots; with margin and verdict where a policy judges them."""
    if not metrics:
        return None
    header = ["metric", "verdict" if judged else "change", "worse ◂ 0 ▸ better", "delta", f"{confidence:.0%} interval"]
    header += ["n", "baseline", "candidate", *(["margin"] if judged else [])]
    lines = []
    for row in metrics:
        tone = tone_of(row, row, judged=judged)
        name, role, n, before, after, delta, interval, margin, verdict = rows.metric_row(row)
        word = verdict if judged else change_word(row, tone)
        info = f"{name} (info)" if judged and role == "info" else name
        plot = interval_plot(row, row, shared_reach(row, metrics), tone)
        cells: list[Node] = [info, el("span", word, class_=tone), plot, delta, interval, n, before, after]
        lines.append([*cells, *([margin] if judged else [])])
    return table(header, lines, ["name", "word", "plot", *["n"] * (len(header) - 3)])


def slice_details(row: MetricComparison, confidence: float, *, is_open: bool = False) -> Element | None:
    """Return a metric's slices, each with its plot; None without any."""
    if not row.slices:
        return None
    found = rows.slice_header(row, confidence)
    header = [found[0], "worse ◂ 0 ▸ better", *found[4:6], *found[1:4], *found[6:]]
    scale = reach(row)
    lines: list[list[Node]] = []
    for part, cells in zip(row.slices, rows.slice_rows(row), strict=True):
        plot = interval_plot(row.model_copy(update={"margin": None}), part, scale, tone_of(row, part, judged=False))
        lines.append([cells[0], plot, *cells[4:6], *cells[1:4], *cells[6:]])
    rest = rows.slices_left_out(row)
    inside = [table(header, lines, ["name", "plot", *["n"] * 7]), el("p", rest) if rest else None]
    return fold(f"{rows.metric_name(row)}, {show_count(len(row.slices))} slices", inside, is_open=is_open)


def fold(summary: Node, inside: Iterable[Node], *, is_open: bool = False) -> Element:
    """Return what can be unfolded."""
    return el("details", el("summary", summary), el("div", *inside), open="" if is_open else None)


def texts(*parts: tuple[str, Node]) -> list[Node]:
    """Return labelled blocks of text; one without any is left out."""
    found: list[Node] = []
    for label, content in parts:
        if content is not None:
            found += [el("p", label, class_="label"), el("pre", content)]
    return found


def sides(before: Sequence[Node], after: Sequence[Node]) -> Element:
    """Return both sides' answers beside each other, below each other on a phone."""
    return el(
        "div",
        el("div", el("p", "baseline", class_="label"), el("pre", *before)),
        el("div", el("p", "candidate", class_="label"), el("pre", *after)),
        class_="sides",
    )


def marked(runs: Runs) -> tuple[list[Node], list[Node]]:
    """Return both texts with what went marked in the first and what came in the second."""
    before = [marked_run(kind, text) for kind, text in runs if kind != CAME]
    return before, [marked_run(kind, text) for kind, text in runs if kind != GONE]


def marked_run(kind: str, text: str) -> Node:
    """Return a run of words as it is shown: struck out where it went, underlined where it came."""
    return text if kind == SAME else el("del" if kind == GONE else "ins", text)


def preview(text: str | None) -> str:
    """Return the beginning of a text on one line."""
    return shorten(" ".join((text or "").split()), 110)


def notes(document: Diff | Comparison) -> Element | None:
    """Return what the signs and units mean, and how a plot is read."""
    found = rows.notes(document)
    if any(row.margin is not None and row.delta is not None for row in document.metrics):
        found.append("Grey band: the margin; a bar that stays right of its left edge rules a larger loss out.")
    if any(in_points(row.range) for row in document.metrics):
        found.append("Plots of shares have one scale.")
    return el("p", el("small", " ".join(found))) if found else None
