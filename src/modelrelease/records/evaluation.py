"""eval.json: what was scored, with what, and what came of it.

Everything that may differ between two honest runs stands in ``provenance``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelrelease.records.base import Document, Part, Sha256
from modelrelease.records.metric_types import Kind

SCORER_VERSION = 1
"""Raised when the same inputs can get other numbers."""

EVAL_FILE = "eval.json"
VERSION_PREFIX = "model_v"
SAMPLES_FILE = "samples.jsonl"


class Tool(Part):
    name: Literal["modelrelease"] = "modelrelease"
    version: str


class CheckpointFile(Part):
    """One file of a checkpoint; ``path`` is relative to it, ``size`` in bytes."""

    path: str
    size: int = Field(ge=0)
    sha256: Sha256


class Model(Part):
    """The checkpoint that was scored. ``version`` is its folder's name where that is a version."""

    version: str | None
    digest: Sha256
    files: tuple[CheckpointFile, ...]
    tokenizer_digest: Sha256
    chat_template_digest: Sha256 | None
    source: str


class ScoredTask(Part):
    """One task as scored. ``digest`` is of its scoring part: what tells differing tasks apart."""

    name: str
    kind: Kind
    digest: Sha256
    dataset: str
    dataset_digest: Sha256
    prompt_digest: Sha256 | None
    items: int = Field(ge=1)
    path_taken: str


class ScoredSuite(Part):
    name: str
    digest: Sha256
    tasks: tuple[ScoredTask, ...] = Field(min_length=1)


class Engine(Part):
    """How numbers were made. ``batch_plan_digest`` covers what was batched with what."""

    name: str
    dtype: str
    device: str
    attention: str
    batch_tokens: int = Field(ge=1)
    batch_plan_digest: Sha256
    deterministic: bool
    seed: int
    allow_truncation: bool
    tolerance: float | None
    max_length: int | None


class Environment(Part):
    """Where numbers were made, as far as it can move their last bits."""

    python: str
    torch: str
    transformers: str
    tokenizers: str
    cuda: str | None
    driver: str | None
    gpus: tuple[str, ...]
    cpu: str
    machine: str
    threads: int
    os: str


class SliceResult(Part):
    """A metric over the items whose ``field`` has ``value``."""

    field: str
    value: str
    n: int = Field(ge=0)
    mean: float | None


CONFIDENCE = 0.95
"""What the intervals of an evaluation cover."""


def method_of(*, binary: bool) -> str:
    """Return how eval.json calls the interval of a metric (stats.mean_interval)."""
    return "wilson" if binary else "normal"


class MetricResult(Part):
    """A metric over a task: the mean of its items' scores. ``n`` counts items with a score.

    ``value``, ``stderr`` and the interval are None where no item could be scored.
    """

    task: str
    metric: str
    value: float | None
    stderr: float | None
    ci_low: float | None
    ci_high: float | None
    confidence: float
    method: str
    n: int = Field(ge=0)
    binary: bool
    range: tuple[float, float | None]
    higher_is_better: bool
    version: int
    slices: tuple[SliceResult, ...] = ()


class SamplesFile(Part):
    """The samples beside eval.json; ``path`` is a bare file name."""

    path: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    sha256: Sha256
    count: int = Field(ge=1)


class Flags(Part):
    """How many samples carry each flag."""

    truncated: int = Field(ge=0)
    boundary_mismatch: int = Field(ge=0)
    ties: int = Field(ge=0)
    errors: int = Field(ge=0)


class Provenance(Part):
    """What may differ between two honest runs. Seconds and bytes; ``started`` in UTC."""

    git_sha: str | None
    dirty: bool | None
    started: str
    seconds: float
    tokens_per_second: float
    peak_memory: int
    host: str
    run_url: str | None


class Evaluation(Document):
    """eval.json."""

    schema_version: Literal[1] = 1
    scorer_version: int
    tool: Tool
    model: Model
    suite: ScoredSuite
    engine: Engine
    environment: Environment
    metrics: tuple[MetricResult, ...]
    samples: SamplesFile
    flags: Flags
    provenance: Provenance
