"""One line of samples.jsonl, read as fast as can be: there may be a hundred thousand.

pydantic's own parser does nearly all of the work. What it lets through (keys that stand twice) is found by counting
quotation marks; what it refuses is read again, slowly, to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

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
_TODO = "score again; samples.jsonl is not edited by hand"


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


class SampleReader:
    """Reads lines one by one, collects findings, and knows which ids were seen. ``metrics`` are eval.json's, by task."""

    def __init__(self, path: str, metrics: Mapping[str, Sequence[MetricResult]]) -> None:
        self.findings: list[Finding] = []
        self._path = path
        self._metrics = {task: {metric.metric: metric for metric in own} for task, own in metrics.items()}
        self._seen: dict[str, set[str]] = {task: set() for task in metrics}

    def read(self, raw: bytes, number: int) -> Sample | None:
        """Return the sample on line ``number``, or None after noting what is wrong with it."""
        if len(self.findings) > MAX_FINDINGS:
            return None
        try:
            sample = _parse(raw)
            problem = self._problem(sample)
        except UnicodeDecodeError as error:
            problem = Code.ENCODING, f"byte 0x{raw[error.start]:02x} is not UTF-8"
        except BadJson as error:
            self.findings += error.at(self._path, number)
            return None
        except InvalidInput as error:
            self.findings += [replace(finding, path=self._path, line=number) for finding in error.findings]
            return None
        if problem is None:
            return sample
        self.findings.append(Finding(self._path, *problem, _TODO, number))
        return None

    def _problem(self, sample: Sample) -> tuple[Code, str] | None:
        """What is wrong with a sample that is well-formed."""
        seen = self._seen.get(sample.task)
        if seen is None:
            return Code.INVALID_VALUE, f"the task {quoted(sample.task)} is not in eval.json"
        if sample.item_id in seen:
            return Code.DUPLICATE_ID, f"the item {quoted(sample.item_id)} stands twice"
        seen.add(sample.item_id)
        if sample.repeat != 0 or sample.cluster is not None:
            return Code.NOT_YET, "repeats and clusters are not compared by this version"
        scores, metrics = sample.scores, self._metrics[sample.task]
        if sample.error is not None:
            return (Code.SCORE, "has an error and scores") if scores else None
        if scores.keys() != metrics.keys():
            return Code.SCORE, f"has scores for {_names(scores)}, and eval.json for {_names(metrics)}"
        for name, value in scores.items():
            if not _in_range(value, metrics[name]):
                wanted = _wanted(metrics[name])
                return Code.SCORE, f"the score {quoted(name)} is {shown(value)}, and it must be {wanted}"
        return None


def _parse(raw: bytes) -> Sample:
    try:
        sample = Sample.model_validate_json(raw)
    except ValidationError:
        return validate(Sample, Located(parse_json_line(_text(raw)), ""))
    if raw.count(b'"') != _quotes(sample):
        parse_row(_text(raw))  # a text holds a quotation mark, or a key stands twice: this says which
    return sample


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
