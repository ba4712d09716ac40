"""One line of samples.jsonl, read as fast as can be: there may be a hundred thousand.

pydantic's own parser does nearly all of the work. What it lets through (keys that stand twice) is found by counting
quotation marks; what it refuses is read again, slowly, to say what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from modelrelease.codes import Code
from modelrelease.errors import MAX_FINDINGS, Finding, InvalidInput
from modelrelease.records.base import Part
from modelrelease.records.evaluation import MetricResult
from modelrelease.records.faults import quoted
from modelrelease.records.located import Located
from modelrelease.records.shown import shown
from modelrelease.records.strict_json import BadJson, parse_json_line
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
        self._metrics = {task: {metric.metric for metric in own} for task, own in metrics.items()}
        self._seen: dict[str, set[str]] = {task: set() for task in metrics}

    def read(self, raw: bytes, number: int) -> Sample | None:
        """Return the sample on line ``number``, or None after noting what is wrong with it."""
        if len(self.findings) > MAX_FINDINGS:
            return None
        try:
            sample: Sample | None = _read(raw)
        except ValidationError:
            sample = None
        if sample is None or (raw.count(b'"') != _quotes(sample) and not _has_quoted_texts(sample, raw)):
            sample = self._read_slowly(raw, number)
            if sample is None:
                return None
        problem = self._problem(sample)
        if problem is None:
            return sample
        self.findings.append(Finding(self._path, *problem, TODO, number))
        return None

    def _read_slowly(self, raw: bytes, number: int) -> Sample | None:
        """Note what the strict reader or the model has against a line."""
        try:
            return validate(Sample, Located(parse_json_line(_text(raw)), self._path))
        except UnicodeDecodeError as error:
            message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
            self.findings.append(Finding(self._path, Code.ENCODING, message, TODO, number))
        except BadJson as error:
            self.findings += error.at(self._path, number)
        except InvalidInput as error:
            self.findings += [finding.at(finding.path, number) for finding in error.findings]
        return None

    def _problem(self, sample: Sample) -> tuple[Code, str] | None:
        """What is wrong with a sample that is well-formed."""
        seen = self._seen.get(sample.task)
        if seen is None:
            return Code.INVALID_VALUE, f"the task {quoted(sample.task)} is not in eval.json"
        item_id, scores = sample.item_id, sample.scores
        if item_id in seen:
            return Code.DUPLICATE_ID, f"the item {quoted(item_id)} stands twice"
        seen.add(item_id)
        if sample.repeat or sample.cluster is not None:
            return Code.NOT_YET, "repeats and clusters are not compared by this version"
        if sample.error is not None:
            return (Code.SCORE, "has an error and scores") if scores else None
        metrics = self._metrics[sample.task]
        if scores.keys() != metrics:
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


def _has_quoted_texts(sample: Sample, raw: bytes) -> bool:
    """Say whether quotation marks inside texts are all that there is beyond ``_quotes``: no key was dropped.

    An escaped U+0022 is one in the text and none in the line; such lines are left to the slow reader.
    """
    targets = sample.target if type(sample.target) is list else [sample.target]
    texts = [sample.task, sample.item_id, sample.item_digest, sample.input_digest, sample.cluster, sample.error]
    texts += [sample.output, *sample.slices, *sample.slices.values(), *sample.scores]
    inside = sum(text.count('"') for text in (*texts, sample.prediction, *targets) if type(text) is str)
    return raw.count(b'"') == _quotes(sample) + inside and b"\\u0022" not in raw


def _wanted(metric: MetricResult) -> str:
    if metric.binary:
        return "0 or 1"
    low, high = metric.range
    return f"{low:g} or more" if high is None else f"from {low:g} to {high:g}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in sorted(names)) or "none"
