"""One line of samples.jsonl: its keys, types and scores, checked by hand because there can be a hundred thousand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import MAX_FINDINGS, Finding, shorten
from modelrelease.records.evaluation import MetricResult
from modelrelease.records.strict_json import BadJson, parse_json_line

_TEXT = (str,)
_TEXT_OR_NULL = (str, type(None))
TYPES: dict[str, tuple[type, ...]] = {
    "task": _TEXT,
    "item_id": _TEXT,
    "item_digest": _TEXT,
    "cluster": _TEXT_OR_NULL,
    "slices": (dict,),
    "repeat": (int,),
    "scores": (dict,),
    "output": _TEXT_OR_NULL,
    "prediction": (str, int, type(None)),
    "target": (str, int, list, type(None)),
    "loglikelihoods": (list,),
    "greedy": (list,),
    "prompt_tokens": (int,),
    "input_digest": _TEXT,
    "truncated": (bool,),
    "boundary_mismatch": (bool,),
    "tie": (bool,),
    "error": _TEXT_OR_NULL,
}
"""The keys of a sample, each with the types it may have."""

_CHECKS = tuple(TYPES.items())
_TODO = "score again; samples.jsonl is not edited by hand"


class _Bad(Exception):
    """A line that is no sample; carries the code and what is wrong."""


class SampleReader:
    """Reads lines one by one, collects findings, and knows which ids were seen.

    ``metrics`` are eval.json's, by task. A sample comes back with its scores complete (NaN for an item with an
    error) and its slices as a tuple of pairs, equal ones being one object.
    """

    def __init__(self, path: str, metrics: Mapping[str, Sequence[MetricResult]]) -> None:
        self.findings: list[Finding] = []
        self._path = path
        self._metrics = {task: {metric.metric: metric for metric in own} for task, own in metrics.items()}
        self._seen: dict[str, set[str]] = {task: set() for task in metrics}
        self._slices: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}

    def read(self, raw: bytes, number: int) -> dict[str, Any] | None:
        """Return the sample on line ``number``, or None after noting what is wrong with it."""
        if len(self.findings) > MAX_FINDINGS:
            return None
        try:
            sample = parse_json_line(raw.decode("utf-8").removesuffix("\n"))
            self._check(sample)
        except UnicodeDecodeError:
            self.findings.append(Finding(self._path, Code.ENCODING, "is not UTF-8", _TODO, number))
        except BadJson as error:
            self.findings += error.at(self._path, number)
        except _Bad as bad:
            code, message = bad.args
            self.findings.append(Finding(self._path, code, message, _TODO, number))
        else:
            return dict(sample)
        return None

    def _check(self, sample: Any) -> None:
        if type(sample) is not dict:
            raise _Bad(Code.INVALID_VALUE, "is no JSON object")
        if sample.keys() != TYPES.keys():
            self._name_keys(sample)
        for key, types in _CHECKS:
            if type(sample[key]) not in types:
                raise _Bad(Code.INVALID_VALUE, f"`{key}` is {shorten(repr(sample[key]), 60)}")
        self._check_place(sample)
        sample["slices"] = self._pairs(sample["slices"])
        self._check_scores(sample)

    def _name_keys(self, sample: dict[str, Any]) -> None:
        missing, unknown = sorted(TYPES.keys() - sample.keys()), sorted(sample.keys() - TYPES.keys())
        if missing:
            raise _Bad(Code.MISSING_FIELD, f"`{missing[0]}` is missing")
        raise _Bad(Code.UNKNOWN_KEY, f"unknown key `{shorten(unknown[0], 60)}`")

    def _check_place(self, sample: dict[str, Any]) -> None:
        seen = self._seen.get(sample["task"])
        if seen is None:
            raise _Bad(Code.INVALID_VALUE, f"the task {sample['task']!r} is not in eval.json")
        if sample["item_id"] in seen:
            raise _Bad(Code.DUPLICATE_ID, f"item {sample['item_id']!r} stands twice")
        if sample["repeat"] != 0 or sample["cluster"] is not None:
            raise _Bad(Code.NOT_YET, "repeats and clusters are not compared by this version")
        seen.add(sample["item_id"])

    def _pairs(self, slices: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        pairs = tuple(slices.items())
        if pairs not in self._slices:
            if not all(type(value) is str for value in slices.values()):
                raise _Bad(Code.INVALID_VALUE, "`slices` must map fields to texts")
            self._slices[pairs] = pairs
        return self._slices[pairs]

    def _check_scores(self, sample: dict[str, Any]) -> None:
        metrics, scores = self._metrics[sample["task"]], sample["scores"]
        if sample["error"] is not None:
            if scores:
                raise _Bad(Code.SCORE, "has an error and scores")
            sample["scores"] = dict.fromkeys(metrics, math.nan)
            return
        if scores.keys() != metrics.keys():
            raise _Bad(Code.SCORE, f"has scores for {sorted(scores)} and eval.json has {sorted(metrics)}")
        for name, value in scores.items():
            if not _in_range(value, metrics[name]):
                raise _Bad(Code.SCORE, f"the score {name} is {shorten(repr(value), 60)}, no number in its range")


def _in_range(value: Any, metric: MetricResult) -> bool:
    if type(value) not in {float, int}:
        return False
    if metric.binary:
        return value in {0, 1}
    low, high = metric.range
    return math.isfinite(value) and low <= value and (high is None or value <= high)
