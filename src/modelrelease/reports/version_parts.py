"""The parts of a version's card and changelog, as lines of Markdown. Whatever people or models wrote is made inert."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from modelrelease.errors import shorten
from modelrelease.numbers import in_points, show_count, show_few, show_items, show_value
from modelrelease.records.comparison import MAX_FIELD, Diff, MetricComparison
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.version_story import Judged, VersionStory
from modelrelease.reports import rows, words
from modelrelease.reports.inert import code, escape, table_head, table_row

MAX_METRICS = 60
MAX_BULLETS = 20
MAX_SENTENCE = 600
_FEW = 3
_PROBLEMS = ("incomparable", "missing", "error")
_SAID = {
    "regressed": "🔴 worse in",
    "better": "🟢 better in",
    "equivalent": "🟢 the same within the margin in",
    "inconclusive": "🟡 not proven in",
    "problem": "⚪ not comparable in",
}
_VERSION = re.compile(r"model_v[0-9]+(?:\.[0-9]+){1,2}")
_NUMBER = re.compile(r"[0-9a-f]{40,64}")


def version_name(name: str) -> str:
    """Return a version's name as Markdown that shows it; `model_v1.0` as it is, which every renderer leaves alone."""
    return name if _VERSION.fullmatch(name) else escape(name)


def headline(story: VersionStory) -> str:
    """Return in one line what is known of the version against its parent, and what is not."""
    parent = version_name(story.parent.version or "its parent")
    if story.evaluation is None:
        return "**Not scored yet: nothing is known of how good it is.**"
    if story.parent.state == "none":
        return "**model.json names no parent: there is nothing to compare it with.**"
    if story.parent.state == "absent":
        return f"**Its parent {parent} is not in this repository: nothing is compared.**"
    if story.judged is None:
        return f"**{parent} has not been scored: nothing is compared.**"
    return f"**Against {parent}: {_verdicts(story.judged)}.**"


def _verdicts(judged: Judged) -> str:
    if not judged.by_policy:
        return "no policy says which metrics decide; the intervals below say what is known"
    groups: dict[str, list[str]] = {name: [] for name in _SAID}
    for row in judged.diff.metrics:
        if row.role == "gate":
            groups["problem" if row.verdict in _PROBLEMS else row.verdict].append(rows.metric_name(row))
    told = [f"{_SAID[name]} {escape(show_few(names, _FEW))}" for name, names in groups.items() if names]
    return "; ".join(told) or "no metric that decides is there"


def values_table(evaluation: Evaluation) -> Iterator[str]:
    """Yield the version's own metrics with their intervals."""
    metrics = evaluation.metrics[:MAX_METRICS]
    confidence = f"{metrics[0].confidence:.0%} interval" if metrics else "interval"
    yield from table_head(("metric", "n", "value", confidence), ("left", "right", "right", "right"))
    for metric in metrics:
        points = in_points(metric.range)
        low, high = (show_value(end, points) for end in (metric.ci_low, metric.ci_high))
        interval = "–" if metric.ci_low is None or metric.ci_high is None else f"{low} – {high}"
        name = shorten(f"{metric.task}/{metric.metric}", rows.MAX_NAME) + ("" if metric.higher_is_better else " ↓")
        yield table_row((name, show_count(metric.n), show_value(metric.value, points), interval))
    yield from _rest(len(evaluation.metrics) - len(metrics), "metrics in eval.json")


def comparison_table(story: VersionStory, judged: Judged) -> Iterator[str]:
    """Yield every metric of both versions: values, delta, interval, and the verdict where a policy gives one."""
    keep = (0, 2, 3, 4, 5, 6, 7, 8) if judged.by_policy else rows.DIFF_COLUMNS
    header = list(rows.metric_header(judged.diff.confidence))
    header[3], header[4] = story.parent.version or "parent", story.version
    yield from table_head([header[n] for n in keep], [rows.METRIC_ALIGN[n] for n in keep])
    shown = sorted(judged.diff.metrics, key=lambda row: row.role != "gate")[:MAX_METRICS]
    for row in shown:
        cells = _cells(row) if judged.by_policy else rows.metric_row(row)
        yield table_row(cells[n] for n in keep)
    yield from _rest(len(judged.diff.metrics) - len(shown), "metrics")
    notes = rows.notes(judged.diff)
    if judged.by_policy and any(row.role == "info" for row in shown):
        notes.append("(info): decides nothing.")
    if notes:
        yield ""
        yield " ".join(notes)


def _cells(row: MetricComparison) -> tuple[str, ...]:
    name, *cells, verdict = rows.metric_row(row)
    if row.role == "info":  # without a margin nothing is asked of it, so nothing is "not proven"
        unasked = row.verdict == "inconclusive" and row.margin is None
        return (f"{name} (info)", *cells, "–" if unasked else verdict)
    return (name, *cells, f"{rows.verdict_mark(row)} {verdict}")


def judgements(story: VersionStory, judged: Judged) -> Iterator[str]:
    """Yield why each metric that decides has its verdict, what could not be compared, and on how many items."""
    metrics = judged.diff.metrics
    told = [row for row in metrics if (row.role == "gate" and judged.by_policy) or row.verdict in _PROBLEMS]
    yield from (_sentence(_outcome(row, story)) for row in told[:MAX_BULLETS])
    counts = {(m.task, m.metric): m.n for m in story.evaluation.metrics} if story.evaluation else {}
    for row in metrics[:MAX_METRICS]:
        own = counts.get((row.task, row.metric), row.n)
        if 0 < row.n < own:
            name = rows.metric_name(row)
            told_n = f"compared on the {show_items(row.n)}, of {show_count(own)}, that both versions were asked alike"
            yield _sentence(f"{name} is {told_n}")


def _outcome(row: MetricComparison, story: VersionStory) -> str:
    """Return a verdict with its reason; here, where nobody compares, baseline and candidate have names."""
    names = {"the baseline": story.parent.version or "the parent", "the candidate": story.version}
    text = words.outcome(row)
    for role, name in names.items() if row.verdict in _PROBLEMS else ():
        text = text.replace(role, name)
    return text


def regressions(story: VersionStory) -> list[str]:
    """Return the lines that say which items got worse, or that none did, or that nobody knows."""
    if story.judged is None or not any(row.flips for row in story.judged.diff.metrics):
        return ["Not known: nothing was compared."]
    broken = list(bullets(list(_broken_items(story, story.judged.diff))))
    return broken or ["None: no item that was compared got worse."]


def _broken_items(story: VersionStory, diff: Diff) -> Iterator[str]:
    """Yield the items that got worse, a metric a line, as far as the policy lets them be named."""
    for row in diff.metrics[:MAX_METRICS]:
        if row.flips is None or not row.flips.broken:
            continue
        worse, better = rows.change_words(row)
        counts = (
            f"{show_count(row.flips.broken)} of {show_items(row.n)} {worse}, {show_count(row.flips.fixed)} {better}"
        )
        said = f"{rows.metric_name(row)}: {counts}"
        ids = [example.item_id for example in row.flips.examples if example.direction == "broken"]
        if story.samples == "none" or not ids:
            yield escape(said, begins_line=True)
            continue
        left = row.flips.broken - len(ids)
        more = f" and {show_count(left)} more" if left > 0 else ""
        yield f"{escape(said, begins_line=True)}: {', '.join(code(shorten(name, 100)) for name in ids)}{more}"


def scored_line(story: VersionStory, evaluation: Evaluation) -> str:
    """Return by what, when and where the version was scored; before it what a table of values alone leaves unsaid."""
    engine, place = evaluation.engine, evaluation.environment
    machine = ", ".join((*place.gpus, place.cpu))
    facts = (
        f"{show_items(evaluation.samples.count)} of the suite {evaluation.suite.name}",
        f"{evaluation.tool.name} {evaluation.tool.version}, {engine.name} {place.transformers}, torch {place.torch}",
        f"{engine.dtype}, {engine.attention} on {engine.device.partition(':')[0]} ({machine})",
    )
    said = f"Scored {escape(evaluation.provenance.started[:10])}: {escape(shorten('; '.join(facts), MAX_SENTENCE))}."
    return " ".join([*(_value_notes(evaluation) if story.judged is None else []), said])


def _value_notes(evaluation: Evaluation) -> list[str]:
    points = any(in_points(metric.range) for metric in evaluation.metrics)
    lower = not all(metric.higher_is_better for metric in evaluation.metrics)
    return [rows.POINTS_NOTE] * points + [rows.LOWER_NOTE] * lower


def bullets(sentences: Sequence[str]) -> Iterator[str]:
    """Yield a list of sentences that are inert already."""
    yield from (f"- {sentence}" for sentence in sentences[:MAX_BULLETS])
    if len(sentences) > MAX_BULLETS:
        yield f"- … and {show_count(len(sentences) - MAX_BULLETS)} more"


def short_digest(digest: str | None) -> str:
    """Return a digest's or a commit's beginning as code, a dash where there is none."""
    return "–" if digest is None else code(digest[:12] if _NUMBER.fullmatch(digest) else shorten(digest, MAX_FIELD))


def _sentence(text: str) -> str:
    return escape(shorten(text, MAX_SENTENCE), begins_line=True)


def _rest(count: int, what: str) -> Iterator[str]:
    if count > 0:
        yield ""
        yield f"… and {show_count(count)} more {what}"
