"""modelrelease.yaml: where things are, and the policy that decides."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from modelrelease.records.base import Change, Document, Name, Part

Context = Literal["pull_request", "release"]
OnInconclusive = Literal["warn", "block"]
Samples = Literal["text", "ids", "none"]
"""How much of the test items a report shows, from all to nothing."""


def _inside(path: str) -> str:
    plain = PurePosixPath(path)
    if not path or plain.is_absolute() or ".." in plain.parts or "\\" in path or not path.isprintable():
        raise ValueError("must be a folder inside the repository, relative to its root")
    return plain.as_posix()


Folder = Annotated[str, AfterValidator(_inside)]
"""A folder below the one of modelrelease.yaml, without a slash at its end."""


class RegistryRules(Part):
    """What a change record has to say."""

    author: Literal["git", "any"] = "git"
    reason_min_length: int = Field(default=12, ge=1)
    max_future_days: int = Field(default=1, ge=0)


class GovernedFiles(Part):
    """Patterns (gitignore dialect) of files that the registry covers."""

    paths: tuple[str, ...] = Field(min_length=1)
    license: str | None = None
    source: str | None = None


class RegistryPolicy(Part):
    """The registry's rules and what they cover."""

    rules: RegistryRules = RegistryRules()
    files: tuple[GovernedFiles, ...] = (
        GovernedFiles(paths=("prompts/**",)),
        GovernedFiles(paths=("datasets/**",)),
        GovernedFiles(paths=("evals/**",)),
    )


class MetricPolicy(Part):
    """What the gate asks of the metrics that a pattern names.

    ``margin`` is in the metric's own unit: the largest loss that still counts as the same.
    ``min`` is a hard floor on the candidate's own mean.
    """

    margin: float | None = Field(default=None, gt=0)
    min: float | None = None
    require: Literal["better"] | None = None
    role: Literal["gate", "info"] = "gate"
    allow_proven_loss: bool = True

    @model_validator(mode="after")
    def _a_gate_needs_a_margin(self) -> MetricPolicy:
        if self.role == "gate" and self.margin is None:
            raise ValueError(
                "a gate metric has no `margin`; add the largest loss that counts as the same, or `role: info`"
            )
        return self


class OnInconclusivePolicy(Part):
    """What an inconclusive metric does to the decision, by context."""

    pull_request: OnInconclusive = "warn"
    release: OnInconclusive = "block"


class GatePolicy(Part):
    """The decision rule's settings. Keys of ``metrics`` are ``task/metric`` or patterns of it."""

    # Defaults here and in its parts never change, and a new key's default is what held before there was the key: a
    # policy's digest leaves defaults out.
    alpha: float = Field(default=0.05, ge=1e-9, lt=0.5)
    min_items: int = Field(default=30, ge=2)
    on_inconclusive: OnInconclusivePolicy = OnInconclusivePolicy()
    rescore_baseline: Literal["auto", "never", "always"] = "auto"
    metrics: dict[str, MetricPolicy] = Field(default_factory=dict)


class ReleasePolicy(Part):
    """Where approved versions go, and whose consent that takes.

    ``approval``: ``other`` asks for that of somebody who is not the author of the version's commit, ``any`` for
    anybody's, by the environment that the publishing job runs in.
    """

    target: str = "file://releases"
    stage: Name = "production"
    bootstrap: str | None = None
    approval: Literal["none", "any", "other"] = "none"


class CommentPolicy(Part):
    """When a pull request gets a comment, and how much of the samples it shows."""

    mode: Literal["always", "changes", "failures", "never"] = "always"
    samples: Samples = "ids"


class Config(Document):
    """modelrelease.yaml. ``suite`` may be missing where only the registry is used."""

    schema_version: Literal[1]
    name: Name | None = None
    models: Folder = "models"
    suite: str | None = None
    registry: RegistryPolicy = RegistryPolicy()
    gate: GatePolicy = GatePolicy()
    release: ReleasePolicy = ReleasePolicy()
    comment: CommentPolicy = CommentPolicy()
    change: Change | None = None
    author: str | None = None
    reason: str | None = None
    date: str | None = None
