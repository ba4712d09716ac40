"""One line of samples.jsonl: its keys, types and scores, checked by hand because there can be a hundred thousand."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic_core import from_json

from modelrelease.codes import Code
from modelrelease.errors import MAX_FINDINGS, Finding
from modelrelease.records.evaluation import MetricResult
from modelrelease.records.faults import quoted
from modelrelease.records.shown import shown
from modelrelease.records.strict_json import BadJson, parse_json_line, parse_row

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

NO_SCORE = float("nan")
_LARGEST = sys.float_info.max
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
        self._shapes: dict[tuple[Any, ...], int] = {}

    def read(self, raw: bytes, number: int) -> dict[str, Any] | None:
        """Return the sample on line ``number``, or None after noting what is wrong with it."""
        if len(self.findings) > MAX_FINDINGS:
            return None
        try:
            return self._checked(_parse(raw), raw)
        except UnicodeDecodeError as error:
            message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
            self.findings.append(Finding(self._path, Code.ENCODING, message, _TODO, number))
        except BadJson as error:
            self.findings += error.at(self._path, number)
        except _Bad as bad:
            code, message = bad.args
            self.findings.append(Finding(self._path, code, message, _TODO, number))
        return None

    def _checked(self, sample: Any, raw: bytes) -> dict[str, Any]:
        if type(sample) is not dict:
            raise _Bad(Code.INVALID_VALUE, f"a sample is {shown(sample)}, and it must be an object")
        # Nearly all lines have one of a few shapes, each of which is looked at once.
        shape = (*sample, *map(type, sample.values()))
        quotes = self._shapes.get(shape)
        if quotes is None:
            quotes = self._shapes[shape] = _check_shape(sample)
        self._check_place(sample)
        _check_lists(sample)
        sample["slices"] = self._pairs(sample["slices"])
        self._check_scores(sample)
        if raw.count(b'"') != quotes + _inner_quotes(sample):
            parse_row(_text(raw))  # a text with a quote in it, or a key that stands twice: this says which
        self._seen[sample["task"]].add(sample["item_id"])
        if sample["error"] is not None:
            sample["scores"] = dict.fromkeys(self._metrics[sample["task"]], NO_SCORE)
        return cast("dict[str, Any]", sample)

    def _check_place(self, sample: dict[str, Any]) -> None:
        seen = self._seen.get(sample["task"])
        if seen is None:
            raise _Bad(Code.INVALID_VALUE, f"the task {quoted(sample['task'])} is not in eval.json")
        if sample["item_id"] in seen:
            raise _Bad(Code.DUPLICATE_ID, f"the item {quoted(sample['item_id'])} stands twice")
        if sample["repeat"] != 0 or sample["cluster"] is not None:
            raise _Bad(Code.NOT_YET, "repeats and clusters are not compared by this version")

    def _pairs(self, slices: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        for name, value in slices.items():
            if type(value) is not str:
                raise _Bad(Code.INVALID_VALUE, f"the slice {quoted(name)} is {shown(value)}, and it must be text")
        pairs = tuple(slices.items())
        return self._slices.setdefault(pairs, pairs)

    def _check_scores(self, sample: dict[str, Any]) -> None:
        metrics, scores = self._metrics[sample["task"]], sample["scores"]
        if sample["error"] is not None:
            if scores:
                raise _Bad(Code.SCORE, "has an error and scores")
            return
        if scores.keys() != metrics.keys():
            raise _Bad(Code.SCORE, f"has scores for {_names(scores)}, and eval.json for {_names(metrics)}")
        for name, value in scores.items():
            if not _in_range(value, metrics[name]):
                message = f"the score {quoted(name)} is {shown(value)}, and it must be {_wanted(metrics[name])}"
                raise _Bad(Code.SCORE, message)


def _parse(raw: bytes) -> Any:
    """The line's value. It may have dropped keys that stand twice, or hold infinities."""
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError:
        return parse_json_line(_text(raw))  # says what is wrong, and where


def _text(raw: bytes) -> str:
    return raw.decode("utf-8").removesuffix("\n")


def _check_shape(sample: dict[str, Any]) -> int:
    """Check keys and types; return how many quotation marks the keys and the texts take."""
    missing, unknown = sorted(TYPES.keys() - sample.keys()), sorted(sample.keys() - TYPES.keys())
    if unknown:
        raise _Bad(Code.UNKNOWN_KEY, f"unknown key {quoted(unknown[0])}")
    if missing:
        raise _Bad(Code.MISSING_FIELD, f"{quoted(missing[0])} is missing")
    for key, types in TYPES.items():
        if type(sample[key]) not in types:
            raise _Bad(Code.INVALID_VALUE, f"{quoted(key)} is {shown(sample[key])}")
    return 2 * len(sample) + 2 * sum(type(value) is str for value in sample.values())


def _inner_quotes(sample: dict[str, Any]) -> int:
    """How many quotation marks the keys and texts inside a sample's lists and mappings take."""
    target = sample["target"]
    texts = sum(type(value) is str for value in target) if type(target) is list else 0
    return 2 * len(sample["scores"]) + 4 * len(sample["slices"]) + 2 * texts


def _check_lists(sample: dict[str, Any]) -> None:
    for value in sample["loglikelihoods"]:
        if not _is_number(value):
            raise _Bad(Code.INVALID_VALUE, f"a log-likelihood is {shown(value)}, and it must be a finite number")
    for value in sample["greedy"]:
        if type(value) is not bool:
            raise _Bad(Code.INVALID_VALUE, f"`greedy` holds {shown(value)}, and it must hold true or false")
    if type(sample["target"]) is list:
        for value in sample["target"]:
            if type(value) not in {str, int}:
                raise _Bad(Code.INVALID_VALUE, f"`target` holds {shown(value)}, and it must hold texts")


def _is_number(value: Any) -> bool:
    """Say whether ``value`` is a finite number; a whole one can be larger than any float."""
    return type(value) in {float, int} and -_LARGEST <= value <= _LARGEST


def _in_range(value: Any, metric: MetricResult) -> bool:
    if not _is_number(value):
        return False
    if metric.binary:
        return value in {0, 1}
    low, high = metric.range
    return bool(low <= value and (high is None or value <= high))


def _wanted(metric: MetricResult) -> str:
    if metric.binary:
        return "0 or 1"
    low, high = metric.range
    return f"a number of {low:g} or more" if high is None else f"a number from {low:g} to {high:g}"


def _names(names: Mapping[str, Any]) -> str:
    return ", ".join(quoted(name) for name in sorted(names)) or "none"
