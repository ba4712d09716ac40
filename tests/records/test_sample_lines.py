from __future__ import annotations

import json
from typing import Any

import pytest
from builders import make_samples, scored_task
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.errors import MAX_FINDINGS
from modelrelease.records.canonical import canonical_json
from modelrelease.records.evaluation import MetricResult
from modelrelease.records.sample_lines import SampleReader, wrong_score

TODO = "score again; samples.jsonl is not edited by hand"


def metric(name: str = "acc", low: float = 0.0, high: float | None = 1.0, binary: bool = True) -> MetricResult:
    return MetricResult(
        task="qa",
        metric=name,
        value=0.5,
        stderr=None,
        ci_low=None,
        ci_high=None,
        confidence=0.95,
        method="wilson",
        n=2,
        binary=binary,
        range=(low, high),
        higher_is_better=True,
        version=1,
    )


def sample(**changes: Any) -> dict[str, Any]:
    (first,) = make_samples(scored_task("qa", ["acc"]), {"acc": [1.0]}, "model")
    return {**first, **changes}


def reader() -> SampleReader:
    return SampleReader("samples.jsonl", {"qa": [metric()]})


def findings(*lines: bytes) -> list[str]:
    reading = reader()
    for number, line in enumerate(lines, start=1):
        reading.read(line, number)
    return [str(finding) for finding in reading.findings]


def line(value: dict[str, Any]) -> bytes:
    return canonical_json(value).encode() + b"\n"


def test_a_sample_comes_back_as_it_was_written() -> None:
    written = sample(slices={"kind": "a"}, target=["one", "two"], output='He said "no": {"a": [1]}', tie=True)
    read = reader().read(line(written), 1)
    assert read is not None
    assert read.model_dump() == written


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truncated": None}, "MR208 `truncated` is null; it must be true or false"),
        ({"tie": 0}, "MR208 `tie` is 0 (a whole number); it must be true or false"),
        ({"item_id": 7}, "MR208 `item_id` is 7 (a whole number); it must be text"),
        ({"prompt_tokens": 7.0}, "MR208 `prompt_tokens` is 7.0 (a number); it must be a whole number"),
        ({"prompt_tokens": True}, "MR208 `prompt_tokens` is true; it must be a whole number"),
        ({"scores": [1.0]}, "MR208 `scores` is [1.0] (a list); it must be a mapping"),
        ({"scores": {"acc": "1.0"}}, 'MR208 `scores.acc` is "1.0" (text); it must be a number'),
        ({"scores": {"acc": True}}, "MR208 `scores.acc` is true; it must be a number"),
        ({"scores": {"acc": None}}, "MR208 `scores.acc` is null; it must be a number"),
        ({"slices": {"kind": ["a"]}}, 'MR208 `slices.kind` is ["a"] (a list); it must be text'),
        ({"loglikelihoods": [-1.0, None]}, "MR208 `loglikelihoods[1]` is null; it must be a number"),
        ({"greedy": [1]}, "MR208 `greedy[0]` is 1 (a whole number); it must be true or false"),
        ({"extra": 1}, "MR206 unknown key `extra`; known keys: task, item_id"),
        ({"outputs": "x"}, "MR206 unknown key `outputs`; did you mean `output`?"),
    ],
)
def test_a_value_of_another_type_is_named(changes: dict[str, Any], message: str) -> None:
    (found,) = findings(line(sample(**changes)))
    assert found.startswith(f"samples.jsonl:1: {message}")


def test_a_missing_key_is_named() -> None:
    without = sample()
    del without["input_digest"]
    assert findings(line(sample(item_id="0")), line(without)) == [
        "samples.jsonl:2: MR207 `input_digest` is missing; add it"
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "qb"}, "MR208 the task `qb` is not in eval.json"),
        ({"repeat": 1}, "MR311 repeats and clusters are not compared by this version"),
        ({"cluster": "c"}, "MR311 repeats and clusters are not compared by this version"),
        ({"error": "no"}, "MR503 has an error and scores"),
        ({"scores": {}}, "MR503 has scores for none, and eval.json for `acc`"),
        ({"scores": {"acc": 1.0, "f1": 0.5}}, "MR503 has scores for `acc`, `f1`, and eval.json for `acc`"),
    ],
)
def test_a_well_formed_sample_has_to_fit_eval_json(changes: dict[str, Any], message: str) -> None:
    assert findings(line(sample(**changes))) == [f"samples.jsonl:1: {message}; {TODO}"]


def test_an_item_stands_once() -> None:
    assert findings(line(sample()), line(sample(item_id="2")), line(sample())) == [
        f"samples.jsonl:3: MR303 the item `1` stands twice; {TODO}"
    ]


def test_an_item_with_an_error_has_no_scores() -> None:
    read = reader().read(line(sample(error="no", scores={})), 1)
    assert read is not None
    assert read.scores == {}


GOOD = line(sample(item_id="good")).decode()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "1:1: MR201 is not valid JSON: Expecting value; correct it here"),
        (b"\n", "1:1: MR201 is not valid JSON: Expecting value; correct it here"),
        (b"[]\n", "1: MR208 the document is an empty list; it must be a mapping"),
        (b"null\n", "1: MR208 the document is empty; it must be a mapping"),
        (GOOD[:-2].encode(), "1:"),
        (GOOD[:-1].encode() + b"}\n", "1:"),
        (GOOD.replace('"acc":1.0', '"acc":NaN').encode(), "1: MR204 `NaN` is no finite number"),
        (GOOD.replace('"acc":1.0', '"acc":-Infinity').encode(), "1: MR204 `-Infinity` is no finite number"),
        (GOOD.replace('"acc":1.0', '"acc":1e999').encode(), "1: MR204 `1e999` is no finite number"),
        (GOOD.replace("-1.0", "1e999", 1).encode(), "1: MR204 `1e999` is no finite number"),
        (GOOD.replace('"acc":1.0', '"acc":0.0,"acc":1.0').encode(), "1: MR203 the key `acc` stands twice"),
        (GOOD.replace('"tie":', '"tie":true,"tie":').encode(), "1: MR203 the key `tie` stands twice"),
        (GOOD.replace('"output":null', '"output":"\\ud800"').encode(), "1: MR201 a text holds half of a surrogate"),
        (GOOD.replace("a", "\xff", 1).encode("latin-1"), "1: MR202 byte 0xff is not UTF-8"),
        (GOOD.replace('"repeat":0', f'"repeat":{"9" * 5000}').encode(), "1: MR204 a whole number of 5000 digits"),
        (b"[" * 100_000, "1: MR201 is nested deeper than 64 levels"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(raw: bytes, message: str) -> None:
    (found,) = findings(raw)
    assert found.startswith(f"samples.jsonl:{message}")


@pytest.mark.parametrize(
    "outputs",
    [
        r'"output":"\u0022\u0022 and \"this\"","output":"x\"y"',
        r'"output":"x","output":"\u0022\u0022\u0022\u0022"',  # as many in the text as the dropped key takes
        r'"output":null,"output":"\u0022\u0022"',
    ],
)
def test_a_key_that_stands_twice_is_found_behind_escaped_quotation_marks(outputs: str) -> None:
    twice = GOOD.replace('"output":null', outputs)
    assert findings(twice.encode()) == ["samples.jsonl:1: MR203 the key `output` stands twice; keep one of them"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(output=texts, item_id=texts, slices=st.dictionaries(texts, texts, max_size=3), target=st.lists(texts))
def test_any_text_is_read_back_as_it_was_written(
    output: str, item_id: str, slices: dict[str, str], target: list[str]
) -> None:
    written = sample(output=output, item_id=item_id, slices=slices, target=target, prediction=output)
    for ensure_ascii in (True, False):
        reading = reader()
        read = reading.read(json.dumps(written, ensure_ascii=ensure_ascii).encode(), 1)
        assert reading.findings == []
        assert read is not None
        assert read.model_dump() == written


def test_findings_end_after_as_many_as_are_shown() -> None:
    assert len(findings(*[b"nonsense\n"] * 100_000)) == MAX_FINDINGS + 1


@pytest.mark.parametrize(
    ("value", "of", "message"),
    [
        (1.0, metric(), None),
        (0.0, metric(), None),
        (0.5, metric(), "the score `acc` is 0.5 (a number), and it must be 0 or 1"),
        (2.0, metric(), "the score `acc` is 2.0 (a number), and it must be 0 or 1"),
        (0.5, metric("f1", binary=False), None),
        (1.0000001, metric("f1", binary=False), "the score `f1` is 1.0000001 (a number), and it must be from 0 to 1"),
        (0.0, metric("nll", 0.0, None, binary=False), None),
        (1e308, metric("nll", 0.0, None, binary=False), None),
        (
            -1e-9,
            metric("nll", 0.0, None, binary=False),
            "the score `nll` is -1e-09 (a number), and it must be 0 or more",
        ),
    ],
)
def test_a_score_lies_in_its_metrics_range(value: float, of: MetricResult, message: str | None) -> None:
    assert wrong_score(value, of) == message
