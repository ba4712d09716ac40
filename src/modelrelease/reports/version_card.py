"""The part of a model card that is written from records: what a stranger asks before using the model."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.records.version_story import VersionStory
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
)

MORE = "[changelog.md](changelog.md)"


def card_section(story: VersionStory) -> str:
    """Return our part of README.md as Markdown without its markers, lines end in LF."""
    blocks = [
        ["## Evaluation"],
        [headline(story)],
        *_evaluation(story),
        *_against(story),
        *changed_blocks(story),
        *_overrides(story),
        ["## How it was trained"],
        list(training_lines(story.model)),
        ["## Reproduction"],
        [reproduction_line(story)],
        [f"More of it: {MORE}."],
    ]
    return "\n\n".join("\n".join(block).strip("\n") for block in blocks if block) + "\n"


def _evaluation(story: VersionStory) -> Iterator[list[str]]:
    if story.evaluation is None:
        return
    yield list(values_table(story.evaluation))
    yield [scored_line(story, story.evaluation)]


def _against(story: VersionStory) -> Iterator[list[str]]:
    if story.judged is None:
        return
    yield list(comparison_table(story, story.judged))
    yield list(bullets(list(judgements(story, story.judged))))
    yield ["### Known regressions"]
    yield regressions(story)


def _overrides(story: VersionStory) -> Iterator[list[str]]:
    if story.overrides:
        yield ["## Overrides"]
        yield list(override_lines(story))
