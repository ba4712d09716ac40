"""reproduction.json: a recorded evaluation run again, and what explains each difference."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelrelease.records.base import Document, Part, Sha256
from modelrelease.records.evaluation import Provenance, Tool

REPRODUCTION_FILE = "reproduction.json"
Outcome = Literal["exact", "equivalent", "variance-documented", "mismatch", "refused"]
MAX_LISTED = 100


class IdentityDifference(Part):
    """Something that was not the recorded experiment: nothing can be said of numbers that it gives.

    ``what``: checkpoint, tokenizer, chat template, suite, prompt, dataset, row, scorer …; ``where`` a path, task or
    row. ``recorded`` and ``found`` are digests or texts.
    """

    what: str
    where: str | None
    recorded: str | None
    found: str | None


class Explanation(Part):
    """A difference in how numbers were made (dtype, attention, GPU, library, batch plan, threads)."""

    what: str
    recorded: str | None
    found: str | None


class CloseFlip(Part):
    """An item whose prediction flipped; ``gap`` is how far its two best choices were apart in the record, in nats."""

    task: str
    item_id: str
    gap: float | None


class Mismatch(Part):
    """An item whose difference nothing explains. ``difference``: the largest of its log-likelihoods', in nats."""

    task: str
    item_id: str
    what: str
    difference: float | None


class ReproducedMetric(Part):
    """A metric's value as recorded and as it came out again."""

    task: str
    metric: str
    recorded: float | None
    reproduced: float | None


class NoiseFloor(Part):
    """What `--permute-batches` measured on this machine: the largest difference between plans, in nats."""

    plans: int = Field(ge=1)
    max_abs_difference: float = Field(ge=0)


class Reproduction(Document):
    """reproduction.json. It is of the eval.json whose bytes have ``eval_sha256``.

    ``flips`` and ``mismatches`` list at most ``MAX_LISTED`` each; ``flip_count`` and ``mismatch_count`` count them all.
    """

    schema_version: Literal[1] = 1
    scorer_version: int
    tool: Tool
    eval_sha256: Sha256
    model_digest: Sha256
    suite_digest: Sha256
    commit: str | None
    outcome: Outcome
    identity_differences: tuple[IdentityDifference, ...]
    explanations: tuple[Explanation, ...]
    tolerance: float
    max_abs_difference: float | None
    items: int = Field(ge=0)
    flip_count: int = Field(ge=0)
    flips: tuple[CloseFlip, ...]
    mismatch_count: int = Field(ge=0)
    mismatches: tuple[Mismatch, ...]
    metrics: tuple[ReproducedMetric, ...]
    noise: NoiseFloor | None
    provenance: Provenance | None
