"""The documents' own rules, told with the line they are broken on."""

from __future__ import annotations

import json

import pytest

from modelrelease.errors import InvalidInput
from modelrelease.records.config import Config
from modelrelease.records.schemas import DOCUMENTS, schema_bytes
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.suite import Suite, suite_digest, task_digest
from modelrelease.records.validation import validate

SUITE = """schema_version: 1
name: release
tasks:
  - name: qa
    dataset: datasets/qa.jsonl
    prompt: prompts/qa.txt
    kind: multiple_choice
    choices: choices
    target: answer
    metrics: [acc, {name: acc_norm}]
"""
CONFIG = """schema_version: 1
suite: evals/release.yaml
gate:
  metrics:
    qa/acc: {margin: 0.04}
"""


def suite(text: str) -> Suite:
    return validate(Suite, read_yaml(text, "evals/release.yaml"))


def config(text: str) -> Config:
    return validate(Config, read_yaml(text, "modelrelease.yaml"))


def finding(read: object, text: str) -> str:
    assert callable(read)
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return str(caught.value)


def test_a_metric_s_name_is_short_for_the_metric() -> None:
    assert [spec.name for spec in suite(SUITE).tasks[0].metrics] == ["acc", "acc_norm"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("name: release", "nme: release", "evals/release.yaml:2: MR206 unknown key `nme`; did you mean `name`?"),
        ("    target: answer\n", "", "evals/release.yaml:4: MR208 a multiple_choice task has no `target`; add it"),
        ("prompt:", "promt:", "evals/release.yaml:6: MR206 unknown key `promt`; did you mean `prompt`?"),
        (
            "schema_version: 1",
            "schema_version: 2",
            "evals/release.yaml:1: MR208 `schema_version` is 2 (a whole number); it must be 1",
        ),
        (
            "name: qa",
            "name: q a",
            'evals/release.yaml:4: MR208 `tasks[0].name` is "q a" (text); must be letters, digits, ',
        ),
        ("name: qa", "name: 7", "evals/release.yaml:4: MR208 `tasks[0].name` is 7 (a whole number); it must be text"),
        (
            "kind: multiple_choice\n    choices: choices",
            "kind: generate\n    delimiter: x\n    max_new_tokens: 1",
            "`delimiter` has no meaning in a generate task; leave it out",
        ),
        ("[acc, {name: acc_norm}]", "[]", "evals/release.yaml:10: MR208 `tasks[0].metrics` is "),
        ("[acc, {name: acc_norm}]", "[{nam: acc}]", "unknown key `nam`; did you mean `name`?"),
        (
            "    choices: choices\n",
            "    choices: choices\n    stop: [x]\n",
            "`stop` has no meaning in a multiple_choice",
        ),
    ],
)
def test_a_suite_s_mistakes_are_named_with_their_line(old: str, new: str, line: str) -> None:
    assert old in SUITE
    assert line in finding(suite, SUITE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("suite:", "siute:", "modelrelease.yaml:2: MR206 unknown key `siute`; did you mean `suite`?"),
        ("{margin: 0.04}", "{}", "modelrelease.yaml:5: MR208 a gate metric has no `margin`; add the largest loss"),
        (
            "{margin: 0.04}",
            "{margin: 0}",
            'modelrelease.yaml:5: MR208 `gate.metrics["qa/acc"].margin` is 0 (a whole number); ',
        ),
        ("{margin: 0.04}", "{margin: '0.04'}", "it must be a number"),
        ("{margin: 0.04}", "{margin: .nan}", "modelrelease.yaml:5: MR204 `.nan` is no finite number"),
        ("{margin: 0.04}", "{margin: 0.04, mim: 0.3}", "unknown key `mim`; did you mean `min`?"),
        (
            "gate:",
            "gate:\n  alpha: 0.7",
            "modelrelease.yaml:4: MR208 `gate.alpha` is 0.7 (a number); it must be less than 0.5",
        ),
        ("gate:", "gate:\n  on_inconclusive: {release: maybe}", "it must be `warn` or `block`"),
    ],
)
def test_a_config_s_mistakes_are_named_with_their_line(old: str, new: str, line: str) -> None:
    assert old in CONFIG
    assert line in finding(config, CONFIG.replace(old, new))


def test_the_config_of_the_design_is_valid() -> None:
    text = """
schema_version: 1
name: support
models: models
suite: evals/release.yaml
registry:
  rules: {author: git, reason_min_length: 12, max_future_days: 1}
  files:
    - {paths: ["prompts/**"]}
    - {paths: ["datasets/**"], license: mit, source: "https://example.org"}
gate:
  alpha: 0.05
  min_items: 30
  on_inconclusive: {pull_request: warn, release: block}
  rescore_baseline: auto
  metrics:
    truthfulqa/acc: {margin: 0.04}
    gsm8k/exact_match: {margin: 0.03, min: 0.30, require: better}
    "*/nll": {margin: 0.02, role: info}
release:
  target: hf://acme/support-7b
  stage: production
  bootstrap: model_v1.0
comment: {mode: always, samples: ids}
change: {author: Ada Lovelace, reason: "Widen the margin", date: 2026-11-22}
"""
    found = config(text)
    assert found.gate.metrics["gsm8k/exact_match"].require == "better"
    assert found.change is not None
    assert found.change.date == "2026-11-22"


def test_the_suite_digest_is_of_what_is_asked_and_not_of_prompts_and_data() -> None:
    original = suite(SUITE)
    moved = suite(SUITE.replace("datasets/qa.jsonl", "datasets/b.jsonl").replace("prompts/qa.txt", "p.txt"))
    assert suite_digest(moved.tasks) == suite_digest(original.tasks)
    for old, new in (
        ("[acc, {name: acc_norm}]", "[acc]"),
        ("target: answer", "target: label"),
        ("name: qa", "name: q"),
    ):
        assert suite_digest(suite(SUITE.replace(old, new)).tasks) != suite_digest(original.tasks)


def test_a_default_that_is_written_out_changes_no_digest() -> None:
    written = suite(SUITE.replace("    target: answer\n", "    target: answer\n    repeats: 1\n    slices: []\n"))
    assert task_digest(written.tasks[0]) == task_digest(suite(SUITE).tasks[0])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_has_a_schema(name: str) -> None:
    schema = json.loads(schema_bytes(name))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    assert schema["type"] == "object"
