"""What changed item by item, as plain text; terminal, Markdown and HTML put it in their own frames."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.numbers import show_count, show_delta
from modelrelease.records.comparison import Diff
from modelrelease.records.item_changes import ItemChange, ItemSide, TaskItems
from modelrelease.records.word_diff import CAME, GONE, SAME, Runs, shares_words, word_runs

_MARKS = {SAME: ("", ""), GONE: ("[-", "-]"), CAME: ("{+", "+}")}
_AROUND = 60


def task_words(diff: Diff, task: TaskItems) -> tuple[str, str]:
    """Return what a task's items are called that lost and that gained: right or wrong, or by how much."""
    binary = all(row.binary for row in diff.metrics if row.task == task.task)
    return ("broken", "fixed") if binary else ("worse", "better")


def task_counts(diff: Diff, task: TaskItems) -> str | None:
    """Return ``16 broken, 21 fixed``, and how many were only answered otherwise; None where nothing changed."""
    worse, better = task_words(diff, task)
    counts = []
    if task.broken or task.fixed:
        counts = [f"{show_count(task.broken)} {worse}", f"{show_count(task.fixed)} {better}"]
    if task.other_answers:
        counts.append(f"{show_count(task.other_answers)} answered otherwise with the same score")
    return ", ".join(counts) or None


def left_out(diff: Diff, task: TaskItems) -> str | None:
    """Return how many of a task's changed items are not shown; None where all of them are."""
    worse, better = task_words(diff, task)
    shown = [sum(item.direction == direction for item in task.items) for direction in ("broken", "fixed")]
    counts = ((task.broken - shown[0], worse), (task.fixed - shown[1], better))
    rest = [f"{show_count(count)} {word}" for count, word in counts if count > 0]
    return f"not shown: {' and '.join(rest)}; --all shows all" if rest else None


def score_words(item: ItemChange) -> str:
    """Return an item's scores on both sides: ``acc 1 → 0, acc_norm 1``."""
    words = []
    for score in item.scores:
        before, after = f"{score.baseline:.4g}", f"{score.candidate:.4g}"
        changed = score.baseline != score.candidate
        words.append(f"{score.metric} {before} → {after}" if changed else f"{score.metric} {before}")
    return ", ".join(words)


def gap_words(item: ItemChange) -> str | None:
    """Return how far the right choice was ahead of the best other one, before and after; None without choices."""
    before, after = item.baseline.gap, item.candidate.gap
    if before is None or after is None:
        return None
    return f"right choice ahead by {show_delta(before, False)} → {show_delta(after, False)} nats"


def aligned(item: ItemChange) -> Runs | None:
    """Return both answers word by word; None where they are choices, missing, or have too little in common."""
    before, after = item.baseline.answer, item.candidate.answer
    if before is None or after is None or item.baseline.gap is not None or before == after:
        return None
    runs = word_runs(before, after)
    return runs if shares_words(runs) else None


def item_lines(item: ItemChange) -> Iterator[tuple[str, str]]:
    """Yield what is known of an item, as name and text: words that went in ``[-…-]``, that came in ``{+…+}``."""
    for name, text in (("input", item.input), ("target", item.target)):
        if text is not None:
            yield name, text
    runs = aligned(item)
    if runs is not None:
        yield "answer", "".join(_marked(kind, text) for kind, text in runs)
    else:
        for name, side in (("baseline", item.baseline), ("candidate", item.candidate)):
            if side.answer is not None:
                yield name, side.answer
    taken = taken_words(item)
    if taken is not None:
        yield "taken", taken
    gap = gap_words(item)
    if gap is not None:
        yield "gap", gap


def taken_words(item: ItemChange) -> str | None:
    """Return what was taken from both outputs; None where it is the outputs themselves."""
    before, after = item.baseline, item.candidate
    one, other = before.prediction, after.prediction
    return None if one is None and other is None else f"{_or_same(before)} → {_or_same(after)}"


def _or_same(side: ItemSide) -> str:
    return side.prediction if side.prediction is not None else "the whole answer" if side.answer else "nothing"


def _marked(kind: str, text: str) -> str:
    before, after = _MARKS[kind]
    if kind == SAME and len(text) > 2 * _AROUND + 20:
        text = f"{text[:_AROUND]} … {text[-_AROUND:]}"
    return f"{before}{text}{after}"
