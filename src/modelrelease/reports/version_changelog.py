"""A version's changelog.md: what changed since its parent, whether it is better, what broke, and who says so."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.errors import shorten
from modelrelease.records.comparison import MAX_FIELD, Example, MetricComparison
from modelrelease.records.version_story import VersionStory
from modelrelease.reports import rows
from modelrelease.reports.changes import detail_lines
from modelrelease.reports.inert import FOLD_END, code, fence, fold_head
from modelrelease.reports.version_origin import (
    changed_blocks,
    override_lines,
    reproduction_line,
    training_lines,
)
from modelrelease.reports.version_parts import (
    bullets,
    comparison_table,
    headline,
    judgements,
    regressions,
    scored_line,
    values_table,
    version_name,
)

MAX_WORDS = 8_000
MAX_FOLDS = 20
_WRITTEN = "Written by `modelrelease card` from the version's records; edits are overwritten."


def changelog(story: VersionStory) -> str:
    """Return the whole changelog.md as Markdown, lines end in LF; texts of items only where ``samples`` is text."""
    blocks = [
        [f"# {version_name(story.version)}"],
        [headline(story)],
        *_numbers(story),
        *changed_blocks(story),
        *_regressions(story),
        *_overrides(story),
        ["## How it was trained"],
        list(training_lines(story.model)),
        ["## Reproduction"],
        [reproduction_line(story)],
        *_words(story),
        [f"*{_WRITTEN}*"],
    ]
    return "\n\n".join("\n".join(block).strip("\n") for block in blocks if block) + "\n"


def _numbers(story: VersionStory) -> Iterator[list[str]]:
    if story.judged is not None:
        yield list(comparison_table(story, story.judged))
        yield list(bullets(list(judgements(story, story.judged))))
    elif story.evaluation is not None:
        yield list(values_table(story.evaluation))
    if story.evaluation is not None:
        yield [scored_line(story, story.evaluation)]


def _regressions(story: VersionStory) -> Iterator[list[str]]:
    yield ["## Known regressions"]
    yield regressions(story)
    if story.samples == "text" and story.judged is not None:
        for row in story.judged.diff.metrics:
            yield list(_texts(row, story))


def _texts(row: MetricComparison, story: VersionStory) -> Iterator[str]:
    """Yield the items that got worse with both answers, folded."""
    examples = [example for example in row.flips.examples if example.direction == "broken"] if row.flips else []
    if examples:
        yield fold_head(f"{rows.metric_name(row)}: both answers")
        yield ""
        for example in examples:
            yield f"{code(shorten(example.item_id, 100))}:"
            yield ""
            yield from fence("\n".join(_answers(example, story)))
            yield ""
        yield FOLD_END


def _answers(example: Example, story: VersionStory) -> Iterator[str]:
    """Yield an item's texts; the writer cuts them, and a file from elsewhere can hold longer ones."""
    sides = ((story.parent.version or "parent", example.baseline), (story.version, example.candidate))
    for name, text in (("input", example.input), ("target", example.target), *sides):
        if text is not None:
            yield f"{name}: {shorten(text, MAX_FIELD)}"


def _overrides(story: VersionStory) -> Iterator[list[str]]:
    if story.overrides:
        yield ["## Overrides"]
        yield list(override_lines(story))


def _words(story: VersionStory) -> Iterator[list[str]]:
    """Prompts word by word and test sets row by row, folded."""
    for file in (story.changes.files if story.changes else ())[:MAX_FOLDS]:
        details = list(detail_lines(file))
        if details:
            told = fence(shorten("\n".join(details), MAX_WORDS))
            yield [
                fold_head(f"What changed in {shorten(file.path, MAX_FIELD)}"),
                "",
                *told,
                "",
                FOLD_END,
            ]
