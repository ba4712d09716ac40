"""From samples to the two files that keep them: an evaluation and the bytes of samples.jsonl. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelrelease import __version__
from modelrelease.records.canonical import canonical_json
from modelrelease.records.checkpoints import Checkpoint
from modelrelease.records.evaluation import (
    SAMPLES_FILE,
    SCORER_VERSION,
    Engine,
    Environment,
    Evaluation,
    Model,
    Provenance,
    SamplesFile,
    ScoredSuite,
    ScoredTask,
    Tool,
)
from modelrelease.records.suite import suite_digest, task_digest
from modelrelease.scoring.aggregate import aggregate, count_flags
from modelrelease.scoring.samples import Sample
from modelrelease.scoring.suites import LoadedSuite, LoadedTask


@dataclass(frozen=True)
class Production:
    """How samples came to be: with which engine, where, when; ``paths`` are the tasks' ``path_taken`` by name."""

    engine: Engine
    environment: Environment
    provenance: Provenance
    paths: Mapping[str, str]


def make_record(
    model: Model, suite: LoadedSuite, samples: Sequence[Sample], how: Production
) -> tuple[Evaluation, bytes]:
    """Return eval.json and the content of samples.jsonl; ``samples`` are in the suite's task and row order."""
    text = "".join(canonical_json(sample) + "\n" for sample in samples).encode("utf-8")
    evaluation = Evaluation(
        scorer_version=SCORER_VERSION,
        tool=Tool(version=__version__),
        model=model,
        suite=_describe_suite(suite, how.paths),
        engine=how.engine,
        environment=how.environment,
        metrics=tuple(result for task in suite.tasks for result in aggregate(task.spec, _of(task, samples))),
        samples=SamplesFile(path=SAMPLES_FILE, sha256=hashlib.sha256(text).hexdigest(), count=len(samples)),
        flags=count_flags(samples),
        provenance=how.provenance,
    )
    return evaluation, text


def describe_model(checkpoint: Checkpoint) -> Model:
    """Return how eval.json names a checkpoint."""
    return Model(
        version=checkpoint.version,
        digest=checkpoint.digest,
        files=checkpoint.files,
        tokenizer_digest=checkpoint.tokenizer_digest,
        chat_template_digest=checkpoint.chat_template_digest,
        source=checkpoint.source,
    )


def _of(task: LoadedTask, samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample["task"] == task.spec.name]


def _describe_suite(suite: LoadedSuite, paths: Mapping[str, str]) -> ScoredSuite:
    tasks = tuple(
        ScoredTask(
            name=task.spec.name,
            kind=task.spec.kind,
            digest=task_digest(task.spec),
            dataset=task.spec.dataset,
            dataset_digest=task.dataset_digest,
            prompt_digest=task.prompt_digest,
            items=len(task.rows),
            path_taken=paths[task.spec.name],
        )
        for task in suite.tasks
    )
    return ScoredSuite(name=suite.name, digest=suite_digest(tuple(task.spec for task in suite.tasks)), tasks=tasks)
