"""The whole chain of one version, from what it is asked with to where it went: what ``ledger trace --json`` prints.

What is not known is null, and ``notes`` say why; a version that was never released has the links it has so far.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelrelease.records.base import Document, Part, Sha256
from modelrelease.records.comparison import Role, Verdict
from modelrelease.records.ledger import Approval, EventKind, Move, Override, Person, Receipt
from modelrelease.records.model import ModelRecord
from modelrelease.records.reproduction import Outcome

Standing = Literal["not-released", "announced", "released", "live", "revoked"]
"""``announced``: a promotion was begun and has no receipt; ``live``: the stage names it."""


class TracedChange(Part):
    """One change of a governed file: who, why, when, and the commit that brought it."""

    date: str
    author: str
    reason: str
    what: str
    path: str
    commit: str


class TracedChanges(Part):
    """Prompts, test sets, suite and policy between ``since`` (None: the first commit) and the version's own commit.

    Oldest first; ``left_out`` counts those before the first shown. ``in_force``: the last change of each governed file
    that did not change since. ``unknown`` says why nothing is told.
    """

    since: str | None
    in_force: tuple[TracedChange, ...] = ()
    entries: tuple[TracedChange, ...] = ()
    left_out: int = Field(default=0, ge=0)
    unknown: str | None = None


class TracedCommit(Part):
    """The commit that the version is taken from; ``tag`` is its git tag, ``at`` ISO 8601."""

    sha: str
    at: str | None
    author: str
    subject: str
    tag: str | None


class TracedMetric(Part):
    """One metric of an evaluation, in its own unit."""

    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int = Field(ge=0)
    range: tuple[float, float | None]


class TracedScores(Part):
    """An evaluation. ``record``: ``committed`` in the version folder, or ``release``: scored when it was released.

    ``sha256`` is that of its eval.json; ``target`` is where a release published it.
    """

    record: Literal["committed", "release"]
    target: str | None = None
    started: str
    items: int = Field(ge=0)
    device: str
    dtype: str
    sha256: Sha256
    metrics: tuple[TracedMetric, ...]


class TracedVerdict(Part):
    """A metric of the release's comparison."""

    metric: str
    role: Role
    verdict: Verdict
    baseline: float | None
    candidate: float | None
    delta: float | None
    range: tuple[float, float | None]


class TracedDecision(Part):
    """Why it was released to ``target``: the announcement in the ledger, event ``sequence``.

    ``overrides`` are sequences of events, ``verdicts`` are there where the published comparison.json could be read.
    """

    sequence: int = Field(ge=1)
    at: str
    target: str
    summary: str
    baseline: str | None
    bootstrap: bool
    policy_ref: str
    policy_digest: Sha256
    comparison_sha256: Sha256
    overrides: tuple[int, ...]
    approvals: tuple[Approval, ...]
    verdicts: tuple[TracedVerdict, ...]


class TracedReproduction(Part):
    """The last time that its numbers were asked for again."""

    at: str | None
    outcome: Outcome


class TracedEvent(Part):
    """An event of the ledger that is about the version, or that put another one in its place."""

    sequence: int = Field(ge=1)
    kind: EventKind
    at: str
    by: Person
    run_url: str | None
    version: str
    target: str
    stage: str
    reason: str | None
    receipt: Receipt | None
    move: Move | None
    override: Override | None


class Trace(Document):
    """The chain, in the order in which it came about. ``model`` is the version's model.json.

    ``decision`` is on its release to ``target``, or on the last other one; ``other_decisions`` are on those to further
    targets, oldest first. An announcement that none of them is has come to nothing.
    """

    schema_version: Literal[1] = 1
    version: str
    folder: str
    standing: Standing
    target: str
    stage: str
    model_digest: Sha256 | None
    changes: TracedChanges
    model: ModelRecord | None
    scores: tuple[TracedScores, ...]
    reproduction: TracedReproduction | None
    commit: TracedCommit | None
    decision: TracedDecision | None
    other_decisions: tuple[TracedDecision, ...] = ()
    events: tuple[TracedEvent, ...]
    notes: tuple[str, ...]
