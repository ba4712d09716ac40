from __future__ import annotations

import math
from typing import Any

import pytest

from modelrelease.records.datasets import Row
from modelrelease.records.sample_lines import Sample as SampleRecord
from modelrelease.records.suite import Task
from modelrelease.scoring.items import Item
from modelrelease.scoring.metrics import patterns
from modelrelease.scoring.requests import ItemRequests
from modelrelease.scoring.samples import NO_NUMBER, NO_TEXT, Sample, make_sample

ROW = Row("r1", 1, {}, "d" * 64)
KINDS: dict[str, dict[str, Any]] = {
    "multiple_choice": {"prompt": "p", "choices": "c", "target": "t"},
    "generate": {"prompt": "p", "max_new_tokens": 4},
    "perplexity": {"target": "t"},
}


def sample(kind: str, metrics: list[Any], results: list[Any], *, error: str | None = None, **item: Any) -> Sample:
    spec = {"name": "a", "kind": kind, "dataset": "d", **KINDS[kind], "metrics": tuple(metrics)}
    fields = {"task": 0, "row": ROW, "prompt": "", "choices": (), "target": None, "text": "", "slices": {"s": "v"}}
    entry = ItemRequests([], 7, 4, "e" * 64, truncated=True, mismatch=True, error=error)
    return make_sample(Task.model_validate(spec), Item(**{**fields, **item}), entry, results)


def test_a_sample_has_every_key_and_what_was_known_before_the_model_was_asked() -> None:
    made = sample("generate", ["json_valid"], ["{}"], target=("x", "y"))
    assert made.keys() == SampleRecord.model_fields.keys()
    assert made == {
        "task": "a",
        "item_id": "r1",
        "item_digest": "d" * 64,
        "cluster": None,
        "slices": {"s": "v"},
        "repeat": 0,
        "scores": {"json_valid": 1.0},
        "output": "{}",
        "prediction": "{}",
        "target": ["x", "y"],
        "loglikelihoods": [],
        "greedy": [],
        "prompt_tokens": 7,
        "input_digest": "e" * 64,
        "truncated": True,
        "boundary_mismatch": True,
        "tie": False,
        "error": None,
    }


@pytest.mark.parametrize(
    ("metrics", "values", "target", "scores", "prediction", "tie"),
    [
        (["acc"], [-3.0, -1.0], 1, {"acc": 1.0}, 1, False),
        (["acc"], [-3.0, -1.0], 0, {"acc": 0.0}, 1, False),
        (["acc"], [-1.0, -1.0], 0, {"acc": 1.0}, 0, True),
        (["acc"], [-1.0, -1.0], 1, {"acc": 0.0}, 0, True),
        (["acc", "acc_norm"], [-2.0, -3.0], 1, {"acc": 0.0, "acc_norm": 1.0}, 0, False),
        (["acc_norm", "acc"], [-2.0, -3.0], 1, {"acc": 0.0, "acc_norm": 1.0}, 1, False),
        (["acc", "acc_norm"], [-1.0, -4.0], 0, {"acc": 1.0, "acc_norm": 1.0}, 0, True),
    ],
)
def test_choices(
    metrics: list[str], values: list[float], target: int, scores: dict[str, float], prediction: int, tie: bool
) -> None:
    made = sample(
        "multiple_choice", metrics, [[value, False] for value in values], target=target, choices=("a", "abcd")
    )
    assert made["scores"] == scores
    assert (made["prediction"], made["tie"], made["loglikelihoods"]) == (prediction, tie, values)


def test_the_prediction_is_the_first_metrics_and_null_where_nothing_was_found() -> None:
    digits = {"name": "exact_match", "extract": r"\d+"}
    assert sample("generate", [digits, "f1"], ["it is 42."], target="42")["prediction"] == "42"
    assert sample("generate", ["f1", digits], ["it is 42."], target="42")["prediction"] == "it is 42."
    nothing = sample("generate", [digits], ["no idea"], target="42")
    assert (nothing["prediction"], nothing["scores"], nothing["error"]) == (None, {"exact_match": 0.0}, None)


def test_a_texts_windows_add_up() -> None:
    made = sample("perplexity", ["nll", "perplexity", "bits_per_byte"], [[-2.5, True], [-3.5, False]], text="aé")
    assert made["loglikelihoods"] == [-6.0]
    assert made["greedy"] == [False]
    assert made["scores"] == {"nll": 1.5, "perplexity": math.exp(1.5), "bits_per_byte": 6.0 / math.log(2) / 3}
    assert made["prediction"] is None


@pytest.mark.parametrize(
    ("kind", "metrics", "results", "error"),
    [
        ("multiple_choice", ["acc"], [[-1.0, True], [None, False]], NO_NUMBER),
        ("perplexity", ["nll"], [[None, False]], NO_NUMBER),
        ("perplexity", ["nll", "perplexity"], [[-4000.0, False]], "the perplexity is larger than any number"),
        ("generate", ["f1", "json_valid"], [None], NO_TEXT),
    ],
)
def test_an_item_that_could_not_be_scored_has_an_error_and_no_score(
    kind: str, metrics: list[str], results: list[Any], error: str
) -> None:
    made = sample(kind, metrics, results, choices=("a", "b"), target=0, text="x")
    assert (made["error"], made["scores"], made["prediction"]) == (error, {}, None)


def test_an_item_without_requests_keeps_its_error() -> None:
    made = sample("perplexity", ["nll"], [], error="nothing to score", text="x")
    assert (made["error"], made["scores"], made["loglikelihoods"]) == ("nothing to score", {}, [])


def test_an_expression_that_runs_away_on_one_output_is_that_items_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIMEOUT", 0.2)
    metrics = ["json_valid", {"name": "regex", "pattern": "(a|aa)+$"}]
    made = sample("generate", metrics, ["a" * 60 + "b"])
    assert made["error"] == "the expression '(a|aa)+$' did not finish in 0.2 s"
    assert made["scores"] == {}
    assert made["output"] == "a" * 60 + "b"
    assert sample("generate", metrics, ["aaa"])["scores"] == {"json_valid": 0.0, "regex": 1.0}
