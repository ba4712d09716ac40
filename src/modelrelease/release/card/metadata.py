"""What the records know of a card's metadata: keys for the Hub, and ``model-index`` from eval.json. Pure.

Source of the form: huggingface_hub's ModelCardData and the Hub's modelcard.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused
from modelrelease.records.evaluation import Evaluation, MetricResult, ScoredTask
from modelrelease.records.located import Located
from modelrelease.records.version_story import VersionStory

MODEL_INDEX = "model-index"
PIPELINE = "text-generation"
HUB_ID = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9_][\w.-]{0,95})?", re.ASCII)
LICENSE_ID = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}")
# Names that the Hub's metrics have (hf.co/metrics); the others keep ours.
_METRIC_TYPES = {"acc": "accuracy"}
# No revision on the Hub has 64 digits: commits have 40. A dataset's digest has.
_DIGEST = re.compile(r"[0-9a-f]{64}")


def known_keys(story: VersionStory) -> dict[str, Any]:
    """Return the keys that the records answer, in the order of a card; what nobody recorded is not there."""
    model = story.model
    found: dict[str, Any] = {}
    if model.license is not None and LICENSE_ID.fullmatch(model.license.lower()):
        found["license"] = model.license.lower()
    if model.base_model is not None and HUB_ID.fullmatch(model.base_model):
        found["base_model"] = model.base_model
    if model.checkpoint.format == "safetensors":
        found["library_name"] = "transformers"
    # The kit scores causal language models, and nothing else.
    return {**found, "pipeline_tag": PIPELINE, "tags": ["modelrelease"]}


def model_index(version: str, evaluation: Evaluation | None) -> list[dict[str, Any]] | None:
    """Return ``model-index`` with every metric that has a value; None where there is none.

    Values are in the metric's own unit, as recorded. Two tasks that ask one dataset stay two results: each names
    itself as the dataset's ``config``, since huggingface_hub joins what has the same.
    """
    if evaluation is None:
        return None
    results = []
    for task in evaluation.suite.tasks:
        metrics = [_metric(metric) for metric in evaluation.metrics if metric.task == task.name and _has_value(metric)]
        if metrics:
            results.append({"task": _task(task), "dataset": _dataset(task), "metrics": metrics})
    return [{"name": version, "results": results}] if results else None


def _has_value(metric: MetricResult) -> bool:
    return metric.value is not None


def _metric(metric: MetricResult) -> dict[str, Any]:
    kind = _METRIC_TYPES.get(metric.metric, metric.metric)
    return {"type": kind, "value": metric.value, "name": f"{metric.task}/{metric.metric}"}


def _task(task: ScoredTask) -> dict[str, Any]:
    return {"type": PIPELINE, "name": task.name}


def _dataset(task: ScoredTask) -> dict[str, Any]:
    return {"name": task.dataset, "type": task.dataset, "config": task.name, "revision": task.dataset_digest}


def refuse_other_results(located: Located) -> None:
    """Raise Refused (MR434) where ``model-index`` holds what no eval.json gave: it would be lost, or pass for ours."""
    if MODEL_INDEX not in located.value or located.value[MODEL_INDEX] is None:
        return
    if not _is_ours(located.value[MODEL_INDEX]):
        message = "`model-index` holds results that no eval.json gave"
        todo = "move them into the text, or take them out: what stands in it is written from the record"
        line = located.line_of((MODEL_INDEX,))
        raise Refused(Finding(located.path, Code.CARD_METADATA, message, todo, line))


def _is_ours(value: Any) -> bool:
    """Say whether all results are of datasets named by their digest, as ours are, whoever edited them since."""
    if not isinstance(value, list) or not all(isinstance(model, Mapping) for model in value):
        return False
    lists = [model.get("results") for model in value]
    return all(isinstance(results, list) and all(map(_is_our_result, results)) for results in lists)


def _is_our_result(result: Any) -> bool:
    dataset = result.get("dataset") if isinstance(result, Mapping) else None
    revision = dataset.get("revision") if isinstance(dataset, Mapping) else None
    return isinstance(revision, str) and bool(_DIGEST.fullmatch(revision))
