"""Every recorded fact about how and where numbers were made is a cause or information; none is forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import write

from modelrelease.records.evaluation import Engine, Environment, Evaluation
from modelrelease.records.results import read_results
from modelrelease.reproduction.numerics import explanations, information

INFORMATION = {"python", "os"}
# What a reproduction sets as recorded, or what is told by its effect: other batches.
NEITHER = {"tolerance", "allow_truncation", "batch_tokens"}
FACTS = [("engine", name) for name in Engine.model_fields] + [
    ("environment", name) for name in Environment.model_fields
]


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    return read_results(write(tmp_path / "run", {"qa": {"acc": [1.0, 0.0]}})).evaluation


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return ("another",) if isinstance(value, tuple) else "e" * 64


def changed(evaluation: Evaluation, block: str, name: str) -> Evaluation:
    part = getattr(evaluation, block)
    return evaluation.model_copy(update={block: part.model_copy(update={name: other(getattr(part, name))})})


@pytest.mark.parametrize(("block", "name"), FACTS)
def test_every_fact_has_its_place(evaluation: Evaluation, block: str, name: str) -> None:
    found = changed(evaluation, block, name)
    causes, facts = explanations(evaluation, found), information(evaluation, found)
    expected = (0, 1) if name in INFORMATION else (0, 0) if name in NEITHER else (1, 0)
    assert (len(causes), len(facts)) == expected
    assert all(one.recorded != one.found for one in (*causes, *facts))


def test_the_same_has_no_explanation(evaluation: Evaluation) -> None:
    assert explanations(evaluation, evaluation) == information(evaluation, evaluation) == ()


def test_another_way_through_the_engine_is_a_cause(evaluation: Evaluation) -> None:
    (task,) = evaluation.suite.tasks
    tasks = (task.model_copy(update={"path_taken": "whole_context"}),)
    found = evaluation.model_copy(update={"suite": evaluation.suite.model_copy(update={"tasks": tasks})})
    assert [one.what for one in explanations(evaluation, found)] == ["path of task qa"]


def test_a_plan_is_told_by_its_tokens(evaluation: Evaluation) -> None:
    engine = evaluation.engine.model_copy(update={"batch_tokens": 512, "batch_plan_digest": "f" * 64})
    (plan,) = explanations(evaluation, evaluation.model_copy(update={"engine": engine}))
    assert (plan.what, plan.found) == ("batch plan", "512 tokens a batch (plan ffffffffffff)")
