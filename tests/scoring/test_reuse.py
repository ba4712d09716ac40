"""Which samples of a record stand for items that are asked now."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import replace as set_value
from builders import scored_task, sha, write

from modelrelease.records.canonical import digest_of
from modelrelease.records.datasets import Row
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.results import read_results
from modelrelease.records.suite import task_digest
from modelrelease.scoring.reuse import (
    Key,
    by_key,
    combined_plan,
    differing_numerics,
    in_order,
    keys_of,
    unknown_part,
)
from modelrelease.scoring.suites import LoadedSuite, LoadedTask, asked_as

IDS = ("1", "2", "3")


def evaluation(folder: Path, **changes: Any) -> Evaluation:
    """Return an evaluation with other values at paths such as ``engine__dtype``."""
    document = read_results(write(folder, {"qa": {"acc": [1.0]}})).evaluation.plain()
    for path, value in changes.items():
        set_value(document, path.replace("__", "."), value)
    return Evaluation.model_validate_json(json.dumps(document))


def task(name: str = "qa", ids: tuple[str, ...] = IDS, prompt: str | None = "prompt") -> LoadedTask:
    rows = tuple(Row(item, n, {"id": item}, sha(item)) for n, item in enumerate(ids, 1))
    spec = scored_task(name, ["acc"])
    return LoadedTask(spec, "evals/release.yaml", 1, rows, sha("rows"), sha(prompt) if prompt else None, (), None)


def suite(*tasks: LoadedTask) -> LoadedSuite:
    return LoadedSuite("release", tasks)


def known(*tasks: LoadedTask) -> dict[Key, dict[str, Any]]:
    return {key: {"of": (key.task, key.item_digest)} for one in tasks for key in keys_of(one)}


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        ("scorer_version", 99, "scorer"),
        ("engine__name", "another", "name"),
        ("engine__dtype", "bfloat16", "dtype"),
        ("engine__device", "cuda:0", "device"),
        ("engine__attention", "eager", "attention"),
        ("engine__batch_tokens", 7, "batch_tokens"),
        ("engine__deterministic", False, "deterministic"),
        ("engine__seed", 1, "seed"),
        ("engine__allow_truncation", True, "allow_truncation"),
        ("environment__torch", "3.0", "torch"),
        ("environment__transformers", "6.0", "transformers"),
        ("environment__tokenizers", "1.0", "tokenizers"),
        ("environment__python", "3.12.1", "python"),
        ("environment__gpus", ["a GPU"], "gpus"),
        ("environment__cuda", "13", "cuda"),
        ("environment__driver", "600", "driver"),
        ("environment__cpu", "another", "cpu"),
        ("environment__machine", "arm64", "machine"),
        ("environment__threads", 64, "threads"),
        ("environment__os", "Windows", "os"),
        ("engine__batch_plan_digest", "0" * 64, None),
        ("engine__tolerance", 0.5, None),
        ("engine__max_length", 9, None),
        ("model__digest", "0" * 64, None),
        ("tool__version", "0.0.1", None),
        ("provenance__host", "elsewhere", None),
        ("provenance__started", "2020-01-01T00:00:00+00:00", None),
    ],
)
def test_what_decides_the_last_bits(tmp_path: Path, path: str, value: Any, name: str | None) -> None:
    one, other = evaluation(tmp_path / "a"), evaluation(tmp_path / "b", **{path: value})
    assert differing_numerics(one, other, own_dtype=False) == ([name] if name else [])
    assert differing_numerics(other, one, own_dtype=False) == ([name] if name else [])


def test_each_checkpoint_may_have_its_own_type(tmp_path: Path) -> None:
    one, other = evaluation(tmp_path / "a"), evaluation(tmp_path / "b", engine__dtype="bfloat16", engine__seed=1)
    assert differing_numerics(one, other, own_dtype=True) == ["seed"]


def other_prompt(before: LoadedTask) -> LoadedTask:
    return replace(before, prompt_digest=sha("another prompt"))


def no_prompt(before: LoadedTask) -> LoadedTask:
    return replace(before, prompt_digest=None)


def other_metric(before: LoadedTask) -> LoadedTask:
    return asked_as(before, scored_task("qa", ["acc", "acc_norm"]))


def other_name(before: LoadedTask) -> LoadedTask:
    return replace(before, spec=before.spec.model_copy(update={"name": "quiz"}))


@pytest.mark.parametrize("change", [other_prompt, no_prompt, other_metric, other_name])
def test_a_task_that_asks_otherwise_is_unknown_as_a_whole(change: Any) -> None:
    asked = change(task())
    assert unknown_part(suite(asked), known(task())) == suite(asked)


def test_only_unknown_rows_are_asked() -> None:
    asked = suite(task(ids=("0", "2", "3", "4")), task("other"))
    rest = unknown_part(asked, known(task(), task("other")))
    assert rest is not None
    assert [(one.spec.name, [row.id for row in one.rows]) for one in rest.tasks] == [("qa", ["0", "4"])]
    assert unknown_part(suite(task()), known(task())) is None
    assert unknown_part(suite(task()), {}) == suite(task())


def test_the_place_of_dataset_and_prompt_is_no_part_of_the_key() -> None:
    moved = replace(task(), spec=task().spec.model_copy(update={"dataset": "x.jsonl", "prompt": "y.md"}))
    assert keys_of(moved) == keys_of(task())


def test_samples_come_in_the_order_of_tasks_and_rows() -> None:
    first, second = task("b", ids=("3", "1")), task("a", ids=("2",))
    samples = in_order(suite(first, second), known(task("a"), task("b")))
    expected = [("b", row.digest) for row in first.rows] + [("a", second.rows[0].digest)]
    assert [sample["of"] for sample in samples] == expected
    with pytest.raises(KeyError):
        in_order(suite(task("c")), known(task("a")))


def test_a_record_s_samples_by_key(tmp_path: Path) -> None:
    results = read_results(write(tmp_path, {"qa": {"acc": [1.0, 0.0]}, "more": {"acc": [1.0]}}))
    found = by_key(results.evaluation, results.all_samples())
    assert len(found) == 3
    for key, sample in found.items():
        scored = next(one for one in results.evaluation.suite.tasks if one.name == key.task)
        assert key == Key(sample["task"], scored.digest, scored.prompt_digest, sample["item_digest"])
    spec = scored_task("qa", ["acc"])
    assert {key.task_digest for key in found} == {task_digest(spec)}


def test_plans_together_have_a_digest_of_their_own(tmp_path: Path) -> None:
    one = evaluation(tmp_path / "a", engine__batch_plan_digest="1" * 64)
    two = evaluation(tmp_path / "b", engine__batch_plan_digest="2" * 64)
    assert combined_plan([one, two]) == combined_plan([two, one]) == digest_of(["1" * 64, "2" * 64])
    assert combined_plan([one, two, one]) == combined_plan([one, two])
    assert combined_plan([one]) != combined_plan([one, two])
