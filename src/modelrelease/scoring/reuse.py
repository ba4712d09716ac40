"""Which items of a suite are known already, and which have to be scored. Pure.

A sample is known when its key is: what it depends on besides the checkpoint and the numerics, which the caller
holds against each other first (:func:`differing_numerics`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from modelrelease.records.canonical import digest_of
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.suite import task_digest
from modelrelease.scoring.samples import Sample
from modelrelease.scoring.suites import LoadedSuite, LoadedTask


@dataclass(frozen=True)
class Key:
    """What names one item's sample. ``task`` is a name: seeds depend on it."""

    task: str
    task_digest: str
    prompt_digest: str | None
    item_digest: str


Known = Mapping[Key, Sample]


def differing_numerics(one: Evaluation, other: Evaluation, *, own_dtype: bool) -> list[str]:
    """Return the names of what decides the last bits of two evaluations' numbers and is not the same in both.

    The batch plan is left out: it differs whenever another set of items is scored, and moves float32 results on a
    CPU by some 1e-6, far less than a margin is about. What the checkpoint decides is left out, since it is
    compared as such: its longest context and, where ``own_dtype``, the type of its weights.
    """
    before, after = (_numerics(evaluation, own_dtype) for evaluation in (one, other))
    return [name for name in before if before[name] != after[name]]


def _numerics(evaluation: Evaluation, own_dtype: bool) -> dict[str, Any]:
    checkpoints = {"batch_plan_digest", "tolerance", "max_length"} | ({"dtype"} if own_dtype else set())
    return {
        "scorer": evaluation.scorer_version,
        **evaluation.engine.model_dump(mode="json", exclude=checkpoints),
        **evaluation.environment.model_dump(mode="json"),
    }


def keys_of(task: LoadedTask) -> list[Key]:
    """Return the keys of a task's items in row order."""
    digest = task_digest(task.spec)
    return [Key(task.spec.name, digest, task.prompt_digest, row.digest) for row in task.rows]


def by_key(evaluation: Evaluation, samples: Iterable[Sample]) -> dict[Key, Sample]:
    """Return an evaluation's samples by what names them."""
    tasks = {task.name: task for task in evaluation.suite.tasks}
    found = {}
    for sample in samples:
        task = tasks[sample["task"]]
        found[Key(task.name, task.digest, task.prompt_digest, sample["item_digest"])] = sample
    return found


def unknown_part(suite: LoadedSuite, known: Known) -> LoadedSuite | None:
    """Return the suite with only those rows whose samples are not known; None where all are."""
    tasks = []
    for task in suite.tasks:
        rows = tuple(row for row, key in zip(task.rows, keys_of(task), strict=True) if key not in known)
        if rows:
            tasks.append(replace(task, rows=rows))
    return LoadedSuite(suite.name, tuple(tasks)) if tasks else None


def in_order(suite: LoadedSuite, known: Known) -> list[Sample]:
    """Return the samples of all of the suite's items, in its task and row order; KeyError where one is missing."""
    return [known[key] for task in suite.tasks for key in keys_of(task)]


def combined_plan(evaluations: Iterable[Evaluation]) -> str:
    """Return the digest that stands for the batch plans of several evaluations together."""
    return digest_of(sorted({evaluation.engine.batch_plan_digest for evaluation in evaluations}))
