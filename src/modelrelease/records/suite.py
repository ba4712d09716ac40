"""A suite: the YAML file that names tasks, and the digest of what it asks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from modelrelease.records.base import Change, Document, Name, Part
from modelrelease.records.canonical import digest_of
from modelrelease.records.metric_types import METRICS, Kind

Normalize = Literal["none", "text", "number"]


class MetricSpec(Part):
    """A metric as a suite asks for it; a bare name is short for ``{name: …}``.

    ``extract``: a regular expression; its first group, or the whole match, is what is compared.
    ``take``: which match counts. ``normalize``: see docs/scoring.md. ``pattern``: for ``regex``.
    """

    name: str
    extract: str | None = None
    take: Literal["first", "last"] = "first"
    normalize: Normalize = "none"
    pattern: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": sorted(METRICS)}, handler.resolve_ref_schema(handler(core))]}


class Task(Part):
    """One dataset, one prompt, the metrics. Fields are named; their values stand in the rows."""

    name: Name
    kind: Kind
    dataset: str = Field(min_length=1)
    prompt: str | None = Field(default=None, min_length=1)
    choices: str | None = None
    target: str | None = None
    delimiter: str | None = None
    metrics: tuple[MetricSpec, ...] = Field(min_length=1)
    slices: tuple[str, ...] = ()
    max_new_tokens: int | None = Field(default=None, ge=1)
    stop: tuple[str, ...] = ()
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    seed: int = Field(default=0, ge=0, lt=2**63)
    repeats: int = Field(default=1, ge=1)
    cluster_by: str | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Task:
        needed = {"multiple_choice": ("prompt", "choices", "target"), "generate": ("prompt", "max_new_tokens")}
        for key in needed.get(self.kind, ("target",)):
            if getattr(self, key) is None:
                raise ValueError(f"a {self.kind} task has no `{key}`; add it")
        allowed = {"multiple_choice": {"choices", "delimiter"}, "generate": set(_GENERATION)}
        for key in ("choices", "delimiter", *_GENERATION):
            if key in self.model_fields_set and key not in allowed.get(self.kind, {"delimiter"}):
                raise ValueError(f"`{key}` has no meaning in a {self.kind} task; leave it out")
        return self

    def scoring_part(self) -> dict[str, Any]:
        """Return what decides how samples become scores: everything but prompt, data and name.

        Keys at their default are left out, so a key that a later version adds changes no digest.
        """
        return self.model_dump(mode="json", exclude={"name", "dataset", "prompt"}, exclude_defaults=True)


_GENERATION = ("max_new_tokens", "stop", "temperature", "top_p", "top_k", "seed")


class Suite(Document):
    """A suite file. Its change record stands at the top level or under ``change``."""

    schema_version: Literal[1]
    name: Name
    include: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    change: Change | None = None
    author: str | None = None
    reason: str | None = None
    date: str | None = None


def task_digest(task: Task) -> str:
    """Return the digest of one task's scoring part."""
    return digest_of(task.scoring_part())


def suite_digest(tasks: tuple[Task, ...]) -> str:
    """Return the digest of a suite's tasks by name, without prompts and data (records.md, Digests)."""
    return digest_of({task.name: task.scoring_part() for task in tasks})
