"""What stands beside a comparison and decides nothing: how old the baseline is, the parent, the versions before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelrelease.errors import InvalidInput
from modelrelease.flows.live import read_evaluation_at, read_record
from modelrelease.flows.trees import Tree
from modelrelease.numbers import in_points, show_delta, show_few, show_items
from modelrelease.records.comparison import MAX_HISTORY, PastVersion
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.results import Results
from modelrelease.release.versions import sorted_versions

if TYPE_CHECKING:
    from modelrelease.comparison.measure import Measure

_DAY = 86_400
_SHOWN = 6


def age_in_days(started: str | None, now: str) -> float | None:
    """Return the days between two times as records write them; None where one cannot be told."""
    try:
        seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(started or "")).total_seconds()
    except (ValueError, TypeError):  # no time at all, or one without its zone
        return None
    return round(seconds / _DAY, 2)


def parent_note(tree: Tree, parent: str, candidate: Results, scratch: Path) -> str:
    """Return one line on how the candidate compares with the version it was made from, as that was recorded."""
    from modelrelease.comparison.measure import measure

    name = PurePosixPath(parent).name
    record = read_record(tree, parent, scratch)
    if record.results is None:
        return f"Its parent {name} is not compared: it has no record that can be read"
    measures = [m for m in measure(record.results, candidate, intersect=True) if m.problem is None]
    if not measures:
        return f"Its parent {name} is not compared: it was asked other items"
    return f"Against its parent {name}, as recorded: {show_few([_change(found) for found in measures], _SHOWN)}"


def _change(found: Measure) -> str:
    points = in_points(found.info.range)
    return (
        f"{found.name} {show_delta(found.delta, points)}{' points' if points else ''} ({show_items(len(found.after))})"
    )


def history(tree: Tree, models: str, candidate: Evaluation, left_out: str | None) -> tuple[PastVersion, ...]:
    """Return the recorded values of earlier versions, old to new, of the metrics that were asked the same items.

    ``left_out`` is the candidate's own name.
    """
    names = [name for name in sorted_versions(tree.versions(models)) if name != left_out]
    past = [PastVersion(version=name, values=dict(_values(tree, f"{models}/{name}", candidate))) for name in names]
    return tuple([version for version in past if version.values][-MAX_HISTORY:])


def _values(tree: Tree, folder: str, candidate: Evaluation) -> Iterator[tuple[str, float]]:
    try:
        evaluation = read_evaluation_at(tree, folder)
    except InvalidInput:  # not scored, or no record: it has no place in the trend
        return
    asked = {(task.name, task.digest, task.dataset_digest) for task in candidate.suite.tasks}
    same = {t.name for t in evaluation.suite.tasks if (t.name, t.digest, t.dataset_digest) in asked}
    for metric in evaluation.metrics:
        if metric.task in same and metric.value is not None:
            yield f"{metric.task}/{metric.metric}", metric.value
