from __future__ import annotations

import json
import time
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from modelrelease.errors import InvalidInput
from modelrelease.records.located import Located
from modelrelease.records.strict_json import read_json
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.validation import validate


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Metric(Strict):
    name: str
    extract: str | None = None


class Generate(Strict):
    kind: Literal["generate"]
    prompt: str
    limit: int = 1


class Choice(Strict):
    kind: Literal["choice"]
    target: str


class Suite(Strict):
    name: str = "x"
    alpha: float = Field(default=0.05, gt=0, lt=1)
    mode: Literal["auto", "never"] | Metric = "auto"
    metrics: tuple[str | Metric, ...] = ()
    tasks: tuple[Annotated[Generate | Choice, Field(discriminator="kind")], ...] = ()
    loose: tuple[Generate | Choice, ...] = ()
    gates: dict[str, Metric] = {}
    keyed: dict[Annotated[str, Field(min_length=2)], int] = {}
    stop: str | list[str] | None = None
    nested: list[Annotated[Generate | Choice, Field(discriminator="kind")] | str] = []
    number: int | float = 1
    pair: tuple[int, str] = (1, "a")
    day: date | None = None
    flag: bool = False
    schema_: str = Field(default="s", alias="schema", pattern="^s")

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if value == "bad":
            raise ValueError("`name` says nothing; name it after what it measures")
        if value == "worse":
            raise ValueError("a name says something")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Suite:
        if self.name == "odd":
            raise ValueError("odd documents are not taken")
        if self.name == "custom":
            raise PydanticCustomError("mine", "a custom document needs more")
        return self


def complaints(value: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        validate(Suite, Located(value, "f"))
    return [str(finding).removeprefix("f:1: ") for finding in caught.value.findings]


def test_a_valid_document_becomes_a_model_by_the_rules_of_json() -> None:
    text = "metrics: [acc, {name: f1}]\nalpha: 0.1\nday: 2026-11-22\ntasks:\n- {kind: choice, target: t}\nschema: s1\n"
    suite = validate(Suite, read_yaml(text, "f"))
    assert suite.metrics == ("acc", Metric(name="f1"))
    assert (suite.alpha, suite.day, suite.schema_) == (0.1, date(2026, 11, 22), "s1")
    assert suite.tasks == (Choice(kind="choice", target="t"),)


@pytest.mark.parametrize(
    ("value", "findings"),
    [
        ({"nam": "x"}, ["MR206 unknown key `nam`; did you mean `name`?"]),
        ({"schema_": "s"}, ["MR206 unknown key `schema_`; did you mean `schema`?"]),
        ({"gates": {"a/b": {"name": "x", "zzz": 1}}}, ["MR206 unknown key `zzz`; known keys: name, extract"]),
        ({"mode": {"name": "x", "extrac": 1}}, ["MR206 unknown key `extrac`; did you mean `extract`?"]),
        ({"metrics": [{"name": "x", "extrat": "1"}]}, ["MR206 unknown key `extrat`; did you mean `extract`?"]),
        (
            {"tasks": [{"kind": "generate", "promt": "x"}]},
            [
                "MR207 `tasks[0].prompt` is missing; add it to `tasks[0]`",
                "MR206 unknown key `promt`; did you mean `prompt`?",
            ],
        ),
        (
            {"nested": [{"kind": "choice", "targt": "x"}]},
            [
                "MR207 `nested[0].target` is missing; add it to `nested[0]`",
                "MR206 unknown key `targt`; did you mean `target`?",
            ],
        ),
        ({"gates": {"*/nll": {}}}, ['MR207 `gates["*/nll"].name` is missing; add it to `gates["*/nll"]`']),
        ({"tasks": [{}]}, ["MR207 `tasks[0].kind` is missing; add it to `tasks[0]`: one of `generate`, `choice`"]),
        ({"tasks": [{"kind": "x"}]}, ['MR208 `tasks[0].kind` is "x" (text); it must be one of `generate`, `choice`']),
        ({"tasks": ["x"]}, ['MR208 `tasks[0]` is "x" (text); it must be a mapping']),
        (
            {"loose": [{"kind": "choice", "target": 1.5}]},
            ["MR208 `loose[0].target` is 1.5 (a number); it must be text"],
        ),
        ({"metrics": [5]}, ["MR208 `metrics[0]` is 5 (a whole number); it must be text or a mapping"]),
        ({"mode": "of"}, ['MR208 `mode` is "of" (text); it must be `auto` or `never` or a mapping']),
        ({"keyed": {"a": 1}}, ['MR208 `keyed.a` is "a" (text); string should have at least 2 characters']),
        ({"stop": 5}, ["MR208 `stop` is 5 (a whole number); it must be text or a list"]),
        ({"stop": ["a", None]}, ["MR208 `stop[1]` is null; it must be text"]),
        ({"number": "1"}, ['MR208 `number` is "1" (text); it must be a number']),
        ({"alpha": 1.5}, ["MR208 `alpha` is 1.5 (a number); it must be less than 1"]),
        ({"alpha": "0.1"}, ['MR208 `alpha` is "0.1" (text); it must be a number']),
        ({"alpha": True}, ["MR208 `alpha` is true; it must be a number"]),
        ({"flag": "yes"}, ['MR208 `flag` is "yes" (text); it must be true or false']),
        ({"metrics": {}}, ["MR208 `metrics` is an empty mapping; it must be a list"]),
        ({"gates": [1, 2]}, ["MR208 `gates` is [1, 2] (a list); it must be a mapping"]),
        ({"pair": [1]}, ["MR207 `pair[1]` is missing; add it to `pair`"]),
        ({"pair": [1, 2]}, ["MR208 `pair[1]` is 2 (a whole number); it must be text"]),
        ({"schema": "x"}, ["MR208 `schema` is \"x\" (text); string should match pattern '^s'"]),
        ({"name": "bad"}, ["MR208 `name` says nothing; name it after what it measures"]),
        ({"name": "worse"}, ['MR208 `name` is "worse" (text); a name says something']),
        ({"name": "odd"}, ["MR208 the document is not valid; odd documents are not taken"]),
        ({"name": "custom"}, ["MR208 the document is not valid; a custom document needs more"]),
        ({"name": ["x" * 99]}, ['MR208 `name` is ["' + "x" * 77 + "… (a list); it must be text"]),
        ({"name": {"a": 1.0}}, ['MR208 `name` is {"a": 1.0} (a mapping); it must be text']),
        ([], ["MR208 the document is an empty list; it must be a mapping"]),
        (None, ["MR208 the document is empty; it must be a mapping"]),
    ],
)
def test_every_error_is_one_finding_that_says_what_is_allowed(value: Any, findings: list[str]) -> None:
    assert complaints(value) == findings


def test_a_date_that_is_no_day_is_named() -> None:
    (finding,) = complaints({"day": "2026-02-30"})
    assert finding.startswith('MR208 `day` is "2026-02-30" (text); it must be a valid date')


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_yaml, "name: x\ntasks:\n- kind: generate\n  promt: y\n- kind: choice\n  target:\n    - 1\nfoo: 1\n"),
        (
            read_json,
            '{"name": "x",\n"tasks": [\n{"kind": "generate",\n"promt": "y"}, {"kind": "choice",\n\n"target":\n[1]},\n'
            '{"kind": "generate", "prompt": "p"}],\n"foo": 1}'.replace("\n\n", "\n"),
        ),
    ],
)
def test_findings_stand_in_the_order_of_lines_of_the_file(read: Any, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate(Suite, read(text, "s"))
    assert [str(finding).split(";")[0] for finding in caught.value.findings] == [
        "s:3: MR207 `tasks[0].prompt` is missing",
        "s:4: MR206 unknown key `promt`",
        f"s:{6 if read is read_yaml else 5}: MR208 `tasks[1].target` is [1] (a list)",
        "s:8: MR206 unknown key `foo`",
    ]


def test_a_document_with_a_million_faults_is_answered_in_seconds() -> None:
    value = {f"k{number}": 1 for number in range(100_000)} | {"x" * 100_000: 1}
    began = time.process_time()
    assert complaints(value)[0] == "MR206 unknown key `k0`; known keys: " + ", ".join(
        field.alias or name for name, field in Suite.model_fields.items()
    )
    assert time.process_time() - began < 5


def test_a_model_keeps_what_json_says_exactly() -> None:
    class Free(Strict):
        value: Any

    value = {"a": [1, 1.0, 10**30, 0.1, None, True, "é😀\u2028"]}
    assert repr(validate(Free, read_json(json.dumps({"value": value}), "f")).value) == repr(value)
