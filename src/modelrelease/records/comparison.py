"""comparison.json: two evaluations held against each other, and what follows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelrelease.records.base import Document, Name, Part, Sha256
from modelrelease.records.changes import Changes
from modelrelease.records.config import CommentPolicy, Context
from modelrelease.records.item_changes import TaskItems
from modelrelease.records.resolution import Resolution

Verdict = Literal[
    "better", "equivalent", "inconclusive", "regressed", "incomparable", "missing", "error", "no-baseline"
]
Decision = Literal["promote", "block", "not-needed"]
Role = Literal["gate", "info"]
Subject = Literal["model", "prompt", "engine", "dataset"]

COMPARISON_FILE = "comparison.json"
MAX_EXAMPLES = 20
MAX_FIELD = 500
MAX_HISTORY = 12


class ScoredAgain(Part):
    """How many of a side's items its record did not cover, so that they were scored in the comparison's own job."""

    items: int = Field(ge=0)
    of: int = Field(ge=1)
    why: tuple[str, ...]


class Side(Part):
    """One of the two evaluations. ``age`` in days, ``resolved_by`` the rule that chose it.

    ``dirty``: the work tree was not what ``git_sha`` has, so the commit alone does not say what was scored.

    ``engine`` and ``environment`` are how and where its numbers were made, in words.
    """

    label: str
    version: str | None
    model_digest: Sha256
    suite_digest: Sha256
    samples_sha256: Sha256
    started: str | None
    git_sha: str | None
    dirty: bool | None = None
    resolved_by: str
    age: float | None = None
    engine: str
    environment: str
    scored_again: ScoredAgain | None = None


class Difference(Part):
    """A fact in which the two sides differ, or that forbids comparing ``task``."""

    what: str
    baseline: str | None
    candidate: str | None
    task: str | None = None


class Comparability(Part):
    """What is the same, what differs, and what therefore is not compared."""

    same: tuple[str, ...]
    differs: tuple[Difference, ...]
    refused: tuple[Difference, ...]


class PolicyAnswer(Part):
    """What one policy decides. ``source_ref`` is a path or a git ref."""

    source_ref: str
    digest: Sha256
    decision: Decision
    headline: str
    reasons: tuple[str, ...]


class PastVersion(Part):
    """The values of an earlier version, by ``task/metric``; only those that were asked the same."""

    version: str
    values: dict[str, float]


class Power(Part):
    """What n items can show with 80 % power if nothing changed; items for the margin in use."""

    mde: float | None
    items_needed_low: int | None
    items_needed_high: int | None


class Example(Part):
    """One item that changed sides; texts cut to ``MAX_FIELD`` characters."""

    task: str
    item_id: str
    direction: Literal["fixed", "broken"]
    input: str | None
    target: str | None
    baseline: str | None
    candidate: str | None


class Flips(Part):
    """Items whose score rose (fixed) or fell (broken), in the metric's good direction."""

    fixed: int = Field(ge=0)
    broken: int = Field(ge=0)
    examples: tuple[Example, ...] = Field(default=(), max_length=MAX_EXAMPLES)


class SliceComparison(Part):
    """The same metric on part of the items; information, never a verdict."""

    field: str
    value: str
    n: int
    baseline: float
    candidate: float
    delta: float
    ci_low: float | None
    ci_high: float | None
    fixed: int
    broken: int


class MetricComparison(Part):
    """One metric. ``delta`` and its intervals are candidate minus baseline, in the metric's unit.

    ``ci_low``/``ci_high``: two-sided 1−α. ``ni_low``: lower end of the two-sided 1−2α interval of the
    *improvement* (sign turned where lower is better); "not inferior" means it is above −margin.
    """

    task: str
    metric: str
    role: Role
    higher_is_better: bool
    binary: bool
    range: tuple[float, float | None]
    n: int
    baseline: float | None
    candidate: float | None
    delta: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ni_low: float | None = None
    p_difference: float | None = None
    p_exact: float | None = None
    p_holm: float | None = None
    p_noninferior: float | None = None
    method: str | None = None
    margin: float | None = None
    verdict: Verdict
    loss_within_margin: bool = False
    reason: str
    power: Power | None = None
    flips: Flips | None = None
    slices: tuple[SliceComparison, ...] = ()
    slices_left_out: int = Field(default=0, ge=0)


class Diff(Document):
    """Two evaluations side by side, without a policy: what ``modelrelease diff --json`` prints.

    ``confidence`` is the coverage of the metrics' ``ci_low`` and ``ci_high``. Metrics' flips hold counts only; what
    changed item by item stands in ``items``.
    """

    schema_version: Literal[1] = 1
    baseline: Side
    candidate: Side
    subject: tuple[Subject, ...]
    comparability: Comparability
    confidence: float
    metrics: tuple[MetricComparison, ...]
    items: tuple[TaskItems, ...] = ()


class Comparison(Document):
    """comparison.json. ``decision`` is the base policy's, the first of ``policies``.

    ``baseline`` is None where nothing is live yet, ``candidate`` too where nothing had to be scored. ``notes`` are
    information that decides nothing. ``changes``: who changed which governed file, and why; rows are there only where
    ``comment`` lets item texts be shown. ``history`` goes from old to new and ends before the candidate. ``comment`` is
    what the repository asks of pull-request comments, here since the job that posts has no checkout.
    """

    schema_version: Literal[1] = 1
    name: Name | None = None
    context: Context
    resolution: Resolution | None = None
    baseline: Side | None
    candidate: Side | None
    subject: tuple[Subject, ...]
    comparability: Comparability
    confidence: float
    policies: tuple[PolicyAnswer, ...]
    metrics: tuple[MetricComparison, ...]
    decision: Decision
    headline: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    history: tuple[PastVersion, ...] = Field(default=(), max_length=MAX_HISTORY)
    changes: Changes | None = None
    comment: CommentPolicy = CommentPolicy()
