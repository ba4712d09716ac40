"""What a promotion or a rollback would do, as data: what ``--plan --json`` prints."""

from __future__ import annotations

from typing import Literal

from modelrelease.records.base import Document, Part, Sha256

StepState = Literal["done", "to do", "blocked"]


class Step(Part):
    """One step of a promotion; ``detail`` says what it does, or why it cannot be done: a finding a line."""

    name: str
    state: StepState
    detail: str


class PromotionPlan(Document):
    """The steps of a promotion and how far they are; they end with one that is blocked, where there is one."""

    schema_version: Literal[1] = 1
    version: str
    tag: str
    commit: str
    model_digest: Sha256
    target: str
    stage: str
    live: str | None
    steps: tuple[Step, ...]

    @property
    def blocked(self) -> bool:
        """Whether something stands in the way."""
        return any(step.state == "blocked" for step in self.steps)


class MetricMove(Part):
    """A metric as both releases recorded it; it need not have been asked the same items (``same_items``).

    ``range`` is what its values can be: a share is shown in points.
    """

    metric: str
    before: float | None
    after: float | None
    same_items: bool
    range: tuple[float, float | None]


class RollbackPlan(Document):
    """What a rollback changes for users. ``prompts`` are those whose content is another one then."""

    schema_version: Literal[1] = 1
    version: str
    before: str | None
    target: str
    stage: str
    done: bool
    metrics: tuple[MetricMove, ...]
    prompts: tuple[str, ...]
    same_checkpoint: bool
