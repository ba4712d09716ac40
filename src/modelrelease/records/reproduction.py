"""reproduction.json: a recorded evaluation run again, and what explains each difference."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from modelrelease.records.base import Document, Part, Sha256
from modelrelease.records.evaluation import EVAL_FILE, Provenance, Tool
from modelrelease.records.files import sha256_of
from modelrelease.records.strict_json import read_json_file
from modelrelease.records.validation import validate

REPRODUCTION_FILE = "reproduction.json"
Outcome = Literal["exact", "equivalent", "variance-documented", "mismatch", "refused"]
REPRODUCED: tuple[Outcome, ...] = ("exact", "equivalent", "variance-documented")
"""The outcomes that bear the record out: exit 0."""
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
    """An item whose prediction flipped; ``gap`` is how far its two best choices were apart in the record, in nats.

    Where a choice is picked by its log-likelihood per character, ``gap`` is by how much the two would have to move
    towards each other, again in nats, so that twice the tolerance is the bound for it too.
    """

    task: str
    item_id: str
    gap: float | None


class Mismatch(Part):
    """An item whose difference nothing explains. ``difference``: the largest of its log-likelihoods', in nats.

    ``recorded`` and ``found`` are what the model said, cut, where that is text; ``what`` holds nothing of it.
    """

    task: str
    item_id: str
    what: str
    difference: float | None
    recorded: str | None = None
    found: str | None = None


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
    """reproduction.json. It is of the eval.json whose bytes have ``eval_sha256``, and counts for no other.

    ``identity_differences``, ``flips`` and ``mismatches`` list at most ``MAX_LISTED`` each; their counts count all.
    ``commit`` is the recorded one; ``inputs`` says where suite, prompts and datasets were read. ``information`` is
    what differs and moves no numbers. ``provenance`` is the new run's; None where nothing was run (``refused``).
    """

    schema_version: Literal[1] = 1
    scorer_version: int
    tool: Tool
    eval_sha256: Sha256
    model_digest: Sha256
    suite_digest: Sha256
    commit: str | None
    inputs: Literal["work tree", "commit"] | None = None
    outcome: Outcome
    identity_differences: tuple[IdentityDifference, ...]
    identity_difference_count: int = Field(default=0, ge=0)
    explanations: tuple[Explanation, ...]
    information: tuple[Explanation, ...] = ()
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


def read_reproduction(folder: Path) -> Reproduction | None:
    """Return the reproduction.json that counts for the eval.json beside it; None where there is none.

    One of another eval.json does not count: it is stale since the record was written again, or was copied. Raises
    InvalidInput (MR2xx) where it is malformed.
    """
    document, evaluation = folder / REPRODUCTION_FILE, folder / EVAL_FILE
    if not document.exists() or not evaluation.is_file():
        return None
    found = validate(Reproduction, read_json_file(document))
    return found if found.eval_sha256 == sha256_of(evaluation) else None
