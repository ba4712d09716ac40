"""What the repository lets be shown of its test items; the rest is taken out before anything is rendered.

A comparison.json can hold more than its policy allows: made under one policy and shown under another, or by a pull
request's own files.
"""

from __future__ import annotations

from typing import get_args

from modelrelease.records.changes import FileChange
from modelrelease.records.comparison import Comparison, Flips, MetricComparison
from modelrelease.records.config import Samples

_STRICTER: tuple[Samples, ...] = get_args(Samples)
_TEXTS = {"input": None, "target": None, "baseline": None, "candidate": None}


def stricter(policy: Samples, asked: Samples | None) -> Samples:
    """Return what shows less: what a comparison carries as its policy, or what a caller asks for."""
    return policy if asked is None else max(policy, asked, key=_STRICTER.index)


def permitted(comparison: Comparison) -> Comparison:
    """Return the comparison without what its ``comment.samples`` does not allow.

    ``ids``: no inputs, targets, answers and no rows' content. ``none``: no items' and rows' ids either; counts stay.
    """
    samples = comparison.comment.samples
    if samples == "text":
        return comparison
    update: dict[str, object] = {"metrics": tuple(_metric(row, samples) for row in comparison.metrics)}
    if comparison.changes is not None:
        files = tuple(_file(file, samples) for file in comparison.changes.files)
        update["changes"] = comparison.changes.model_copy(update={"files": files})
    return comparison.model_copy(update=update)


def _metric(row: MetricComparison, samples: Samples) -> MetricComparison:
    return row if row.flips is None else row.model_copy(update={"flips": _flips(row.flips, samples)})


def _flips(flips: Flips, samples: Samples) -> Flips:
    kept = flips.examples if samples == "ids" else ()
    return flips.model_copy(update={"examples": tuple(example.model_copy(update=_TEXTS) for example in kept)})


def _file(file: FileChange, samples: Samples) -> FileChange:
    if file.rows is None:
        return file
    kept = file.rows.shown if samples == "ids" else ()
    shown = tuple(row.model_copy(update={"before": None, "after": None}) for row in kept)
    return file.model_copy(update={"fields": (), "rows": file.rows.model_copy(update={"shown": shown})})
