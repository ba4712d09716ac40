"""comparison.json: two evaluations held against each other, and what follows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelrelease.records.base import Document, Part, Sha256

Verdict = Literal[
    "better", "equivalent", "inconclusive", "regressed", "incomparable", "missing", "error", "no-baseline"
]
Decision = Literal["promote", "block", "not-needed"]
Role = Literal["gate", "info"]
Subject = Literal["model", "prompt", "engine", "dataset"]

MAX_EXAMPLES = 20
MAX_FIELD = 500


class Side(Part):
    """One of the two evaluations. ``age`` in days, ``resolved_by`` the rule that chose it."""

    label: str
    version: str | None
    model_digest: Sha256
    suite_digest: Sha256
    samples_sha256: Sha256
    started: str | None
    git_sha: str | None
    resolved_by: str
    age: float | None = None


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
    reasons: tuple[str, ...]


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


class Diff(Document):
    """Two evaluations side by side, without a policy: what ``modelrelease diff --json`` prints.

    ``confidence`` is the coverage of the metrics' ``ci_low`` and ``ci_high``.
    """

    schema_version: Literal[1] = 1
    baseline: Side
    candidate: Side
    subject: tuple[Subject, ...]
    comparability: Comparability
    confidence: float
    metrics: tuple[MetricComparison, ...]


class Comparison(Diff):
    """comparison.json. ``decision`` is the base policy's."""

    context: Literal["pull_request", "release"]
    policies: tuple[PolicyAnswer, ...]
    decision: Decision
    headline: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
