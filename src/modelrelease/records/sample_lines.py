"""One line of samples.jsonl, read as fast as can be: there may be a hundred thousand.

pydantic's own parser does nearly all of the work. What it lets through (keys that stand twice) is found by counting
quotation marks; what it refuses is read again, slowly, to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from modelrelease.codes import Code
from modelrelease.errors import MAX_FINDINGS, Finding, InvalidInput
from modelrelease.records.base import Part
from modelrelease.records.evaluation import MetricResult
from modelrelease.records.faults import quoted
from modelrelease.records.located import Located
from modelrelease.records.shown import shown
from modelrelease.records.strict_json import BadJson, parse_json_line, parse_row
from modelrelease.records.validation import validate

NO_SCORE = float("nan")
TODO = "score again; samples.jsonl is not edited by hand"


class Sample(Part):
    """What scoring kept of one item. ``scores`` is empty exactly where there is an ``error``."""

    model_config = ConfigDict(allow_inf_nan=False)

    task: str
    item_id: str
    item_digest: str
    cluster: str | None
    slices: dict[str, str]
    repeat: int
    scores: dict[str, float]
    output: str | None
    prediction: str | int | None
    target: str | int | list[str | int] | None
    loglikelihoods: list[float]
    greedy: list[bool]
    prompt_tokens: int = Field(ge=0)
    input_digest: str
    truncated: bool
    boundary_mismatch: bool
    tie: bool
    error: str | None


_KEYS = len(Sample.model_fields)
_read = TypeAdapter(Sample).validator.validate_json


class SampleReader:
    """Reads lines one by one, collects findings, and knows which ids were seen.

    ``metrics`` are eval.json's, by task.
    """

    def __init__(self, path: str, metrics: Mapping[str, Sequence[MetricResult]]) -> None:
        self.findings: list[Finding] = []
        self._path = path
        self._metrics = {task: {metric.metric: metric for metric in own} for task, own in metrics.items()}
        self._seen: dict[str, set[str]] = {task: set() for task in metrics}

    def read(self, raw: bytes, number: int) -> Sample | None:
        """Return the sample on line ``number``, or None after noting what is wrong with it."""
        if len(self.findings) > MAX_FINDINGS:
            return None
        sample = self._parse(raw, number)
        problem = None if sample is None else self._problem(sample)
        if problem is None:
            return sample
        self.findings.append(Finding(self._path, *problem, TODO, number))
        return None

    def _parse(self, raw: bytes, number: int) -> Sample | None:
        try:
            sample: Sample = _read(raw)
            if raw.count(b'"') != _quotes(sample):
                parse_row(_text(raw))  # a text holds a quotation mark, or a key stands twice: this says which
        except (ValidationError, BadJson):
            return self._parse_slowly(raw, number)
        return sample

    def _parse_slowly(self, raw: bytes, number: int) -> Sample | None:
        """Note what the strict reader or the model has against a line."""
        try:
            return validate(Sample, Located(parse_json_line(_text(raw)), self._path))
        except UnicodeDecodeError as error:
            message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
            self.findings.append(Finding(self._path, Code.ENCODING, message, TODO, number))
        except BadJson as error:
            self.findings += error.at(self._path, number)
        except InvalidInput as error:
            self.findings += [replace(finding, line=number) for finding in error.findings]
        return None

    def _problem(self, sample: Sample) -> tuple[Code, str] | None:
        """What is wrong with a sample that is well-formed."""
        seen = self._seen.get(sample.task)
        if seen is None:
            return Code.INVALID_VALUE, f"the task {quoted(sample.task)} is not in eval.json"
        if sample.item_id in seen:
            return Code.DUPLICATE_ID, f"the item {quoted(sample.item_id)} stands twice"
        seen.add(sample.item_id)
        if sample.repeat or sample.cluster is not None:
            return Code.NOT_YET, "repeats and clusters are not compared by this version"
        metrics, scores = self._metrics[sample.task], sample.scores
        if sample.error is not None:
            return (Code.SCORE, "has an error and scores") if scores else None
        if scores.keys() != metrics.keys():
            return Code.SCORE, f"has scores for {_names(scores)}, and eval.json for {_names(metrics)}"
        return None


def wrong_score(value: float, metric: MetricResult) -> str | None:
    """Return what is wrong with a score, None where nothing is."""
    low, high = metric.range
    if value in {0.0, 1.0} if metric.binary else low <= value and (high is None or value <= high):
        return None
    return f"the score {quoted(metric.metric)} is {shown(value)}, and it must be {_wanted(metric)}"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8").removesuffix("\n")


def _quotes(sample: Sample) -> int:
    """How many quotation marks the sample's keys and texts take, were there none inside a text."""
    target = sample.target
    texts = 4 + (sample.output is not None) + (sample.error is not None) + (sample.cluster is not None)
    texts += (type(sample.prediction) is str) + (type(target) is str)
    if type(target) is list:
        texts += sum(type(text) is str for text in target)
    return 2 * (_KEYS + texts + len(sample.scores) + 2 * len(sample.slices))


def _in_range(value: float, metric: MetricResult) -> bool:
    if metric.binary:
        return value in {0.0, 1.0}
    low, high = metric.range
    return low <= value and (high is None or value <= high)


def _wanted(metric: MetricResult) -> str:
    if metric.binary:
        return "0 or 1"
    low, high = metric.range
    return f"{low:g} or more" if high is None else f"from {low:g} to {high:g}"


def _names(names: Mapping[str, Any]) -> str:
    return ", ".join(quoted(name) for name in sorted(names)) or "none"
