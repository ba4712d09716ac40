from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import read_pair, sha

from modelrelease.comparison.comparability import compare_facts, describe_side, subjects
from modelrelease.comparison.measure import measure
from modelrelease.records.comparison import Comparability, Difference

TASKS = {"qa": {"acc": [1.0, 0.0]}, "text": {"f1": [0.5, 0.5]}}
ALL = (
    "model",
    "tokenizer",
    "chat template",
    "suite",
    "scorer",
    "engine",
    "batch tokens",
    "truncation",
    "libraries",
    "platform",
    "driver",
    "machine",
    "threads",
)


def facts(folder: Path, after: dict[str, Any] = TASKS, **options: Any) -> Comparability:
    sides = read_pair(folder, TASKS, after, **options)
    return compare_facts(sides[0].evaluation, sides[1].evaluation, measure(*sides))


def test_the_same_model_differs_in_nothing(tmp_path: Path) -> None:
    found = facts(tmp_path, after_model="model_v1.0")
    assert found == Comparability(same=ALL, differs=(), refused=())
    assert subjects(found) == ()


@pytest.mark.parametrize(
    ("changes", "differs", "subject"),
    [
        ({"model.digest": "1" * 64}, [("model", None)], ("model",)),
        ({"model.tokenizer_digest": "1" * 64}, [("tokenizer", None)], ("model",)),
        ({"model.chat_template_digest": "1" * 64}, [("chat template", None)], ("model",)),
        ({"suite.tasks.1.prompt_digest": "1" * 64}, [("prompt", "text")], ("prompt",)),
        ({"suite.tasks.0.dataset_digest": "1" * 64}, [("dataset", "qa")], ("dataset",)),
        ({"engine.dtype": "bfloat16"}, [("engine", None)], ("engine",)),
        ({"engine.device": "cuda:1"}, [("engine", None)], ("engine",)),
        ({"engine.allow_truncation": True}, [("truncation", None)], ("engine",)),
        ({"environment.torch": "2.9.0"}, [("libraries", None)], ("engine",)),
        ({"environment.cpu": "another"}, [("machine", None)], ()),
        ({"environment.python": "3.12.0"}, [("platform", None)], ()),
        ({"environment.cuda": "12.4"}, [("driver", None)], ()),
        ({"engine.batch_tokens": 4096}, [("batch tokens", None)], ()),
        ({"environment.threads": 8}, [("threads", None)], ()),
        ({"provenance.host": "another", "provenance.seconds": 9.0}, [], ()),
        (
            {"model.digest": "1" * 64, "suite.tasks.0.prompt_digest": None, "engine.name": "vllm"},
            [("model", None), ("engine", None), ("prompt", "qa")],
            ("model", "prompt", "engine"),
        ),
    ],
)
def test_what_differs_is_named_and_what_was_meant_to_is_the_subject(
    tmp_path: Path, changes: dict[str, Any], differs: list[tuple[str, str | None]], subject: tuple[str, ...]
) -> None:
    found = facts(tmp_path, after_model="model_v1.0", after_changes=changes)
    assert [(fact.what, fact.task) for fact in found.differs] == differs
    assert subjects(found) == subject
    assert found.same == tuple(what for what in ALL if what not in {name for name, _ in differs})


def test_a_difference_says_both_values(tmp_path: Path) -> None:
    found = facts(tmp_path, after_model="model_v1.0", after_changes={"engine.device": "cuda:1"})
    engine = Difference(
        what="engine", baseline="transformers float32 sdpa on cpu", candidate="transformers float32 sdpa on cuda"
    )
    assert found.differs == (engine,)


@pytest.mark.parametrize("device", ["cuda:0", "cuda:1", "cuda"])
def test_which_gpu_it_was_is_no_difference(tmp_path: Path, device: str) -> None:
    one = {"engine.device": "cuda:0"}
    found = facts(tmp_path, after_model="model_v1.0", before_changes=one, after_changes={"engine.device": device})
    assert found.differs == ()


def test_a_task_that_is_not_compared_is_told_once_and_a_metric_by_its_name(tmp_path: Path) -> None:
    tasks = {"qa": {"acc": [1.0, 0.0], "acc_norm": [1.0, 0.0]}, "text": {"f1": [0.5, 0.5], "contains": [1.0, 0.0]}}
    after = {**tasks, "qa": {"acc": [1.0, None], "acc_norm": [1.0, 0.0]}}
    sides = read_pair(tmp_path, tasks, after, after_changes={"metrics.3.version": 2})
    found = compare_facts(sides[0].evaluation, sides[1].evaluation, measure(*sides))
    assert [(refused.task, refused.what) for refused in found.refused] == [
        ("qa", "error: 1 item could not be scored: 2"),
        ("text", "incomparable: contains: the metric's versions differ (1 and 2)"),
    ]


def test_a_task_of_one_side_has_no_facts_to_differ_in(tmp_path: Path) -> None:
    found = facts(tmp_path, {"qa": TASKS["qa"]}, after_model="model_v1.0")
    assert [(fact.what, fact.task) for fact in found.differs] == [("suite", None)]
    assert [refused.what for refused in found.refused] == ["missing: the candidate was not scored on task `text`"]


def test_a_side_is_described_by_what_names_it(tmp_path: Path) -> None:
    baseline, _ = read_pair(tmp_path, TASKS, TASKS)
    side = describe_side(baseline, "argument")
    assert side.model_dump() == {
        "label": "model_v1.0",
        "version": "model_v1.0",
        "model_digest": sha("model_v1.0"),
        "suite_digest": baseline.evaluation.suite.digest,
        "samples_sha256": baseline.evaluation.samples.sha256,
        "started": "2026-01-02T03:04:05+00:00",
        "git_sha": "0123456789abcdef0123456789abcdef01234567",
        "dirty": False,
        "resolved_by": "argument",
        "age": None,
        "engine": "transformers float32 sdpa on cpu",
        "environment": "torch 2.8.0, transformers 5.0.0, tokenizers 0.22.0; a processor, 2 threads",
        "scored_again": None,
    }


def test_a_checkpoint_without_a_version_is_labelled_by_where_it_lies(tmp_path: Path) -> None:
    baseline, _ = read_pair(tmp_path, TASKS, TASKS, before_changes={"model.version": None})
    assert describe_side(baseline, "argument").label == "models/model_v1.0"
