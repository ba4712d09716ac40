"""The metrics a suite can name: which kind of task they fit, their direction, range and version.

The arithmetic is in ``scoring.metrics``; this table is here because suites, results and reports all speak of it.
A version is raised when the same sample can get another score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["multiple_choice", "generate", "perplexity"]


@dataclass(frozen=True)
class MetricType:
    """What is known of a metric before anything is scored. ``high`` is None where it is unbounded."""

    name: str
    kind: Kind
    binary: bool
    high: float | None
    higher_is_better: bool
    unit: str
    options: frozenset[str] = frozenset()
    low: float = 0.0
    version: int = 1


_TEXT = frozenset({"extract", "take", "normalize"})

METRICS: dict[str, MetricType] = {
    metric.name: metric
    for metric in (
        MetricType("acc", "multiple_choice", True, 1.0, True, "share"),
        MetricType("acc_norm", "multiple_choice", True, 1.0, True, "share"),
        MetricType("exact_match", "generate", True, 1.0, True, "share", _TEXT),
        MetricType("contains", "generate", True, 1.0, True, "share", _TEXT),
        MetricType("regex", "generate", True, 1.0, True, "share", frozenset({"pattern"})),
        MetricType("f1", "generate", False, 1.0, True, "share", _TEXT),
        MetricType("json_valid", "generate", True, 1.0, True, "share", frozenset({"extract", "take"})),
        MetricType("nll", "perplexity", False, None, False, "nats per token"),
        MetricType("perplexity", "perplexity", False, None, False, "per token"),
        MetricType("bits_per_byte", "perplexity", False, None, False, "bits per byte"),
    )
}
