"""What changed item by item between two evaluations: part of what ``modelrelease diff --json`` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelrelease.records.base import Part

MAX_ITEM_TEXT = 4000


class ItemScore(Part):
    """One metric's score of an item on both sides."""

    metric: str
    baseline: float
    candidate: float


class ItemSide(Part):
    """What a side answered. ``answer`` is its output, or its choice in words; None where a text was only scored.

    ``prediction``: what was taken from the output, where that is another text. ``gap``: the log-likelihood of the
    right choice minus the highest of the others, in nats.
    """

    answer: str | None
    prediction: str | None = None
    gap: float | None = None


class ItemChange(Part):
    """One item whose score changed; ``direction`` by the first of its task's metrics that did.

    ``input`` is None where the work tree does not hold the row that was scored. Texts are cut to ``MAX_ITEM_TEXT``.
    """

    item_id: str
    direction: Literal["broken", "fixed"]
    scores: tuple[ItemScore, ...]
    input: str | None
    target: str | None
    baseline: ItemSide
    candidate: ItemSide


class TaskItems(Part):
    """A task's items: how many of ``n`` changed, and those that are shown, broken before fixed.

    ``other_answers``: items that were answered otherwise, with the same scores.
    """

    task: str
    n: int = Field(ge=0)
    broken: int = Field(ge=0)
    fixed: int = Field(ge=0)
    other_answers: int = Field(ge=0)
    items: tuple[ItemChange, ...]
