"""Forging a record well: what eval.json says of its samples is made anew, so that nothing in it disagrees."""

from __future__ import annotations

import json
from typing import Any

from modelrelease.records.suite import MetricSpec, Task
from modelrelease.scoring.aggregate import aggregate, count_flags


def aggregate_again(document: dict[str, Any], samples: list[dict[str, Any]]) -> None:
    """Let eval.json give what scoring would have made of these samples."""
    metrics = []
    for task in document["suite"]["tasks"]:
        own = [one for one in samples if one["task"] == task["name"]]
        names = [metric["metric"] for metric in document["metrics"] if metric["task"] == task["name"]]
        spec = Task.model_construct(
            name=task["name"],
            metrics=tuple(MetricSpec.model_construct(name=name) for name in names),
            slices=tuple(own[0]["slices"]),
        )
        metrics += [json.loads(one.model_dump_json()) for one in aggregate(spec, own)]
    document["metrics"] = metrics
    document["flags"] = count_flags(samples).model_dump()
