"""From samples to eval.json and samples.jsonl."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from builders import Tasks, make_samples, scored_task, sha, write

from modelrelease.records.checkpoints import Checkpoint
from modelrelease.records.datasets import Row
from modelrelease.records.evaluation import EVAL_FILE, SCORER_VERSION, CheckpointFile
from modelrelease.records.results import read_results
from modelrelease.records.suite import suite_digest, task_digest
from modelrelease.scoring.record import Production, describe_model, make_record
from modelrelease.scoring.samples import Sample
from modelrelease.scoring.suites import LoadedSuite, LoadedTask

TASKS: Tasks = {"qa": {"acc": [1.0, 0.0, None]}, "text": {"nll": [2.0, 4.0]}}


def loaded(name: str, metrics: list[str], count: int) -> LoadedTask:
    rows = tuple(Row(str(n), n, {}, sha(str(n))) for n in range(1, count + 1))
    spec = scored_task(name, metrics)
    return LoadedTask(spec, "evals/release.yaml", 1, rows, sha(f"rows of {name}"), sha("prompt"), (), None)


@pytest.fixture
def suite() -> LoadedSuite:
    return LoadedSuite("release", (loaded("qa", ["acc"], 3), loaded("text", ["nll"], 2)))


@pytest.fixture
def how(tmp_path: Path) -> Production:
    """Engine, environment and provenance of some run."""
    other = read_results(write(tmp_path / "other", TASKS)).evaluation
    return Production(other.engine, other.environment, other.provenance, {"qa": "fast", "text": "slow"})


def checkpoint() -> Checkpoint:
    files = (CheckpointFile(path="config.json", size=2, sha256=sha("config")),)
    return Checkpoint(Path("x"), "model_v1.0", "models/model_v1.0", files, sha("all"), sha("tokenizer"), None, None, {})


def samples(suite: LoadedSuite) -> list[Sample]:
    return [sample for task in suite.tasks for sample in make_samples(task.spec, TASKS[task.spec.name], "model_v1.0")]


def test_both_files_agree_and_can_be_read_back(tmp_path: Path, suite: LoadedSuite, how: Production) -> None:
    made = samples(suite)
    evaluation, text = make_record(describe_model(checkpoint()), suite, made, how)
    (tmp_path / evaluation.samples.path).write_bytes(text)
    (tmp_path / EVAL_FILE).write_bytes(evaluation.to_bytes())
    results = read_results(tmp_path)
    assert results.evaluation == evaluation
    assert list(results.all_samples()) == made
    assert (evaluation.samples.sha256, evaluation.samples.count) == (hashlib.sha256(text).hexdigest(), 5)
    assert text.count(b"\n") == 5
    assert [json.loads(line)["item_id"] for line in text.splitlines()] == ["1", "2", "3", "1", "2"]


def test_what_was_asked_is_described_task_by_task(suite: LoadedSuite, how: Production) -> None:
    evaluation, _ = make_record(describe_model(checkpoint()), suite, samples(suite), how)
    assert evaluation.suite.digest == suite_digest(tuple(task.spec for task in suite.tasks))
    found = [
        (one.name, one.digest, one.dataset_digest, one.prompt_digest, one.items, one.path_taken)
        for one in evaluation.suite.tasks
    ]
    assert found == [
        ("qa", task_digest(suite.tasks[0].spec), sha("rows of qa"), sha("prompt"), 3, "fast"),
        ("text", task_digest(suite.tasks[1].spec), sha("rows of text"), sha("prompt"), 2, "slow"),
    ]
    values = [(one.task, one.metric, one.n, one.value) for one in evaluation.metrics]
    assert values == [("qa", "acc", 2, 0.5), ("text", "nll", 2, 3.0)]
    assert (evaluation.flags.errors, evaluation.scorer_version) == (1, SCORER_VERSION)
    assert (evaluation.engine, evaluation.environment, evaluation.provenance) == (
        how.engine,
        how.environment,
        how.provenance,
    )


def test_a_checkpoint_is_described_without_where_it_lies(suite: LoadedSuite) -> None:
    found = describe_model(checkpoint())
    assert (found.version, found.source, found.digest) == ("model_v1.0", "models/model_v1.0", sha("all"))
    assert (found.files, found.tokenizer_digest) == (checkpoint().files, sha("tokenizer"))
