"""From two evaluations to the document that holds them against each other: reproduction.json. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from modelrelease import __version__
from modelrelease.records.evaluation import SCORER_VERSION, Evaluation, Tool
from modelrelease.records.reproduction import (
    MAX_LISTED,
    IdentityDifference,
    NoiseFloor,
    ReproducedMetric,
    Reproduction,
)
from modelrelease.records.results import Results
from modelrelease.reproduction.numerics import explanations, information
from modelrelease.reproduction.outcome import Lengths, compare_samples
from modelrelease.reproduction.tolerance import tolerance_in_use


@dataclass(frozen=True)
class Recorded:
    """The record: its results, the sha256 of its eval.json, and where its inputs were read."""

    results: Results
    sha256: str
    inputs: Literal["work tree", "commit"] | None


def refuse(recorded: Recorded, differences: Sequence[IdentityDifference]) -> Reproduction:
    """Return what there is to say where this is not the recorded experiment: nothing was run."""
    evaluation = recorded.results.evaluation
    return Reproduction(
        **_common(recorded),
        outcome="refused",
        identity_differences=tuple(differences[:MAX_LISTED]),
        identity_difference_count=len(differences),
        explanations=(),
        tolerance=tolerance_in_use(evaluation.engine, evaluation.engine, None, None),
        max_abs_difference=None,
        items=evaluation.samples.count,
        flip_count=0,
        flips=(),
        mismatch_count=0,
        mismatches=(),
        metrics=(),
        noise=None,
        provenance=None,
    )


def judge(
    recorded: Recorded, found: Results, noise: NoiseFloor | None, asked: float | None, lengths: Lengths
) -> Reproduction:
    """Return what came of running a recorded evaluation again; both have the same items in the same order.

    ``noise`` as measured on this machine, ``asked`` the tolerance that a person named, ``lengths`` for ``acc_norm``.
    """
    before, after = recorded.results.evaluation, found.evaluation
    tolerance = tolerance_in_use(before.engine, after.engine, noise, asked)
    kinds = {task.name: task.kind for task in before.suite.tasks}
    told = compare_samples(recorded.results.all_samples(), found.all_samples(), kinds, tolerance, lengths)
    return Reproduction(
        **_common(recorded),
        outcome=told.outcome(before.samples.sha256 == after.samples.sha256),
        identity_differences=(),
        explanations=explanations(before, after),
        information=information(before, after),
        tolerance=tolerance,
        max_abs_difference=told.largest,
        items=told.items,
        flip_count=told.flip_count,
        flips=tuple(told.flips),
        mismatch_count=told.mismatch_count,
        mismatches=tuple(told.mismatches),
        metrics=_metrics(before, after),
        noise=noise,
        provenance=after.provenance,
    )


def _common(recorded: Recorded) -> dict[str, Any]:
    evaluation = recorded.results.evaluation
    return {
        "scorer_version": SCORER_VERSION,
        "tool": Tool(version=__version__),
        "eval_sha256": recorded.sha256,
        "model_digest": evaluation.model.digest,
        "suite_digest": evaluation.suite.digest,
        "commit": evaluation.provenance.git_sha,
        "inputs": recorded.inputs,
    }


def _metrics(before: Evaluation, after: Evaluation) -> tuple[ReproducedMetric, ...]:
    values = {(metric.task, metric.metric): metric.value for metric in after.metrics}
    return tuple(
        ReproducedMetric(
            task=metric.task,
            metric=metric.metric,
            recorded=metric.value,
            reproduced=values.get((metric.task, metric.metric)),
        )
        for metric in before.metrics
    )
