"""The card and the changelog as they are published: complete, and made only from what the tag has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelrelease.errors import Refused
from modelrelease.flows.card import Written, plan_card
from modelrelease.flows.release.as_tagged import refuse_untagged_papers
from modelrelease.flows.release.subject import Subject
from modelrelease.records.ledger import Event
from modelrelease.records.version_story import Override as ToldOverride


def published_texts(
    subject: Subject, texts: Written, overrides: Mapping[str, Event], results: Path | None
) -> dict[str, bytes]:
    """Return card and changelog by name; ``overrides`` are told of, ``results`` None where it is not scored yet.

    Refused where the card lacks what a published one has (MR430 to MR434), or is made from what the tag does not have
    (MR708).
    """
    refuse_untagged_papers(subject)
    project = subject.grounds.project
    told = tuple(_told(event) for event in overrides.values())
    plan = plan_card(project, project.root / subject.folder, texts, told, results)
    if lacking := plan.lacking():
        raise Refused(lacking)
    return {file.path.name: file.after for file in plan.files}


def _told(event: Event) -> ToldOverride:
    assert event.override is not None
    return ToldOverride(
        metric=event.override.metric,
        author=event.by.name or event.by.login or "unknown",
        reason=event.reason or "",
        date=event.at[:10],
        expires=event.override.until,
    )
