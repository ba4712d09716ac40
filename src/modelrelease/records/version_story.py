"""What is told of a version: its papers, its numbers, its parent, and what lies between the two.

Card and changelog are written from this alone, so both say the same.
"""

from __future__ import annotations

from typing import Literal

from modelrelease.records.base import Part
from modelrelease.records.changes import Changes
from modelrelease.records.comparison import Diff
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.model import ModelRecord
from modelrelease.records.reproduction import Reproduction

ParentState = Literal["none", "absent", "not-scored", "scored"]
"""``none``: model.json names no parent; ``absent``: no such folder here; the others: it is here."""


class Override(Part):
    """A loss that somebody accepted: of ``metric`` (task/metric), until ``expires`` (a day; None: for good)."""

    metric: str
    author: str
    reason: str
    date: str
    expires: str | None


class Parent(Part):
    """The version that this one came from. ``model`` is None where it has no model.json."""

    version: str | None
    state: ParentState
    model: ModelRecord | None = None


class Judged(Part):
    """Both versions' numbers. ``by_policy``: the repository's margins were applied, so verdicts mean something."""

    diff: Diff
    by_policy: bool


class Reproduced(Part):
    """The last reproduction. ``current`` is False where eval.json is another one since."""

    record: Reproduction
    current: bool


class VersionStory(Part):
    """Everything that card and changelog are made of. ``samples``: how much of the items they may show.

    ``changes`` are the governed files' since the parent; where they are None, ``changes_unknown`` says why.
    """

    folder: str
    version: str
    model: ModelRecord
    evaluation: Evaluation | None
    parent: Parent
    judged: Judged | None
    changes: Changes | None
    changes_unknown: str | None
    reproduced: Reproduced | None
    overrides: tuple[Override, ...] = ()
    samples: Literal["ids", "text", "none"] = "ids"
