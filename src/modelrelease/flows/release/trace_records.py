"""The records that a version's releases left, for its trace: believed where they are what the ledger says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from modelrelease.errors import InvalidInput, ModelreleaseError
from modelrelease.flows.release.grounds import Released
from modelrelease.records.base import Document
from modelrelease.records.comparison import COMPARISON_FILE, Comparison
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.ledger import Event, ReleaseFacts
from modelrelease.records.strict_json import read_document
from modelrelease.records.trace import TracedDecision, TracedMetric, TracedScores, TracedVerdict
from modelrelease.records.validation import validate
from modelrelease.release.targets.target import Target

OpenTarget = Callable[[str], Target | None]
"""Gives the target at an address; None where it is not to be asked."""

T = TypeVar("T", bound=Document)


def read_as(kind: type[T], data: bytes, path: str, notes: list[str]) -> T | None:
    """Return a document, None where it cannot be read, which a note says then."""
    try:
        return validate(kind, read_document(data, path))
    except InvalidInput as error:
        notes.append(f"not told, since it cannot be read: {error.findings[0]}")
        return None


def scores_of(record: str, evaluation: Evaluation, data: bytes, target: str | None = None) -> TracedScores:
    """Return an evaluation's metrics; ``data`` are the bytes of its eval.json."""
    metrics = tuple(
        TracedMetric(
            metric=f"{m.task}/{m.metric}", value=m.value, ci_low=m.ci_low, ci_high=m.ci_high, n=m.n, range=m.range
        )
        for m in evaluation.metrics
    )
    return TracedScores.model_validate(
        {
            "record": record,
            "target": target,
            "started": evaluation.provenance.started,
            "items": evaluation.samples.count,
            "device": evaluation.engine.device,
            "dtype": evaluation.engine.dtype,
            "sha256": hashlib.sha256(data).hexdigest(),
            "metrics": metrics,
        }
    )


class PublishedRecords:
    """The records that a release left at its target, believed where they are what the ledger says."""

    def __init__(self, release: Released, target: str, open_target: OpenTarget, notes: list[str]) -> None:
        """``target`` is the policy's, which ``modelrelease verify`` asks."""
        self.release = release
        self._target = target
        self._open_target = open_target
        self._notes = notes
        self._silent = False

    def scores(self) -> Iterator[TracedScores]:
        """Yield the scores that it was released with."""
        data = self._read(EVAL_FILE)
        evaluation = read_as(Evaluation, data, f"released {EVAL_FILE}", self._notes) if data is not None else None
        if evaluation is not None and data is not None:
            yield scores_of("release", evaluation, data, self.release.receipt.target)

    def verdicts(self) -> Iterator[TracedVerdict]:
        """Yield what its comparison said of each metric."""
        data = self._read(COMPARISON_FILE)
        path = f"released {COMPARISON_FILE}"
        comparison = read_as(Comparison, data, path, self._notes) if data is not None else None
        for row in comparison.metrics if comparison is not None else ():
            shown = ("role", "verdict", "baseline", "candidate", "delta", "range")
            facts = {name: getattr(row, name) for name in shown}
            yield TracedVerdict.model_validate({"metric": f"{row.task}/{row.metric}", **facts})

    def _read(self, path: str) -> bytes | None:
        """Return a record by its digest in the ledger; a note says why there is none."""
        known = self.release
        if self._silent:
            return None
        address, version = known.receipt.target, known.receipt.version
        try:
            target = self._open_target(address)
            data = target.read(version, path) if target is not None else None
        except ModelreleaseError as error:
            self._silent = True
            self._notes.append(f"the scores and verdicts of the release could not be read: {error.findings[0]}")
            return None
        if target is None:
            self._silent = True
            self._notes.append(f"not asked: {address}, which has the scores and verdicts of the release")
            return None
        if data is None or hashlib.sha256(data).hexdigest() != _sha256(known.facts, path):
            what = "is not what was released" if data is not None else "is missing"
            todo = f": run `modelrelease verify {version}`" if address == self._target else ""
            self._notes.append(f"{path} at {address} {what}{todo}")
            return None
        return data


def _sha256(facts: ReleaseFacts, path: str) -> str | None:
    return next((file.sha256 for file in facts.files if file.path == path), None)


def decision_on(intent: Event, published: PublishedRecords | None) -> TracedDecision | None:
    """Return what decided on an announcement; None where that says nothing of it."""
    if intent.release is None:
        return None
    facts = intent.release
    return TracedDecision(
        sequence=intent.sequence,
        at=intent.at,
        target=intent.target,
        summary=facts.summary,
        baseline=facts.baseline,
        bootstrap=facts.bootstrap,
        policy_ref=facts.policy_ref,
        policy_digest=facts.policy_digest,
        comparison_sha256=facts.comparison_sha256,
        overrides=facts.overrides,
        approvals=facts.approvals,
        verdicts=tuple(published.verdicts()) if published is not None else (),
    )
