"""The whole chain of one version: changes, training, scores, decision, approval, release, and what came after."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import InvalidInput, ModelreleaseError, invalid
from modelrelease.flows.ledger import Ledger
from modelrelease.flows.release.grounds import Released, open_grounds, released
from modelrelease.flows.release.trace_history import traced_history
from modelrelease.flows.release.version_place import VersionPlace, check_name, find_version
from modelrelease.flows.trees import Tree
from modelrelease.records.base import Document
from modelrelease.records.comparison import COMPARISON_FILE, Comparison
from modelrelease.records.config import Config
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.ledger import Event, ReleaseFacts
from modelrelease.records.model import MODEL_FILE, ModelRecord
from modelrelease.records.reproduction import REPRODUCTION_FILE, Reproduction
from modelrelease.records.strict_json import read_document
from modelrelease.records.trace import (
    Standing,
    Trace,
    TracedDecision,
    TracedEvent,
    TracedMetric,
    TracedReproduction,
    TracedScores,
    TracedVerdict,
)
from modelrelease.records.validation import validate
from modelrelease.release.targets.target import Target
from modelrelease.release.versions import version_key

OpenTarget = Callable[[str], Target | None]
"""Gives the target at an address; None where it is not to be asked."""

T = TypeVar("T", bound=Document)


def policy_of(project: Project) -> Config:
    """Return the config that says where releases go: the default branch's, the work tree's where that has none."""
    try:
        return open_grounds(project).config
    except InvalidInput:
        return project.require_config()


def trace_version(project: Project, ledger: Ledger, version: str, open_target: OpenTarget) -> Trace:
    """Return everything that is known of a version, also of one that was never released.

    Raises InvalidInput (MR411) where there is no version of this name here or in the ledger.
    """
    config, name = policy_of(project), check_name(version)
    events = tuple(_events(ledger, name))
    known, begun = _release(ledger, config, name)
    facts = known.facts if known is not None else begun.release if begun is not None else None
    place = find_version(project, config, name, facts.git_sha if facts is not None else None)
    if place is None and not events:
        todo = "name a version folder, such as model_v1.0, or fetch the commit that has it"
        raise invalid(version, Code.VERSION_NAME, "is known neither here nor in the ledger", todo)
    notes: list[str] = []
    place = place or VersionPlace(project, f"{config.models}/{name}", None)
    model = _papers(place, notes)
    parent = model.parent if model is not None and version_key(model.parent or "") is not None else None
    changes, commit = traced_history(place, parent)
    published = _Published(known, open_target, notes)
    return Trace(
        version=name,
        folder=place.folder,
        standing=_standing(ledger, config, name),
        target=config.release.target,
        stage=config.release.stage,
        model_digest=_digest(known, begun, model),
        changes=changes,
        model=model,
        scores=(*_committed(place, notes), *published.scores()),
        reproduction=_reproduction(place),
        commit=commit,
        decision=_decision(known.intent if known is not None else begun, published) if facts is not None else None,
        events=events,
        notes=tuple(notes),
    )


def _events(ledger: Ledger, version: str) -> Iterator[TracedEvent]:
    for event in ledger.events:
        if event.version == version or (event.move is not None and event.move.before == version):
            shared = TracedEvent.model_fields.keys()
            yield TracedEvent.model_validate({key: value for key, value in dict(event).items() if key in shared})


def _release(ledger: Ledger, config: Config, version: str) -> tuple[Released | None, Event | None]:
    """Return the release at the policy's target, else at the last other one; and an announcement without receipt."""
    target = config.release.target
    elsewhere = [place for place, name in ledger.state.released if name == version]
    at = target if target in elsewhere or not elsewhere else elsewhere[-1]
    return released(ledger, at, version), ledger.state.open.get((target, version))


def _standing(ledger: Ledger, config: Config, version: str) -> Standing:
    state, place = ledger.state, (config.release.target, version)
    if state.revocation(version) is not None:
        return "revoked"
    if state.live_version(config.release.target, config.release.stage) == version:
        return "live"
    if place in state.released:
        return "released"
    return "announced" if place in state.open else "not-released"


def _digest(known: Released | None, begun: Event | None, model: ModelRecord | None) -> str | None:
    if known is not None:
        return known.receipt.model_digest
    if begun is not None:
        return begun.model_digest
    return model.checkpoint.digest if model is not None else None


def _papers(place: VersionPlace, notes: list[str]) -> ModelRecord | None:
    data = place.read(MODEL_FILE)
    if data is None:
        notes.append(f"{place.folder}/{MODEL_FILE} is not here: how it was trained is not known")
        return None
    return _document(ModelRecord, data, f"{place.folder}/{MODEL_FILE}", notes)


def _document(kind: type[T], data: bytes, path: str, notes: list[str]) -> T | None:
    try:
        return validate(kind, read_document(data, path))
    except InvalidInput as error:
        notes.append(f"not told, since it cannot be read: {error.findings[0]}")
        return None


def _committed(place: VersionPlace, notes: list[str]) -> Iterator[TracedScores]:
    data = place.read(EVAL_FILE)
    if data is None:
        return
    evaluation = _document(Evaluation, data, f"{place.folder}/{EVAL_FILE}", notes)
    if evaluation is not None:
        yield _scores("committed", evaluation, data)


def _scores(record: str, evaluation: Evaluation, data: bytes) -> TracedScores:
    metrics = tuple(
        TracedMetric(
            metric=f"{m.task}/{m.metric}", value=m.value, ci_low=m.ci_low, ci_high=m.ci_high, n=m.n, range=m.range
        )
        for m in evaluation.metrics
    )
    return TracedScores.model_validate(
        {
            "record": record,
            "started": evaluation.provenance.started,
            "items": evaluation.samples.count,
            "device": evaluation.engine.device,
            "dtype": evaluation.engine.dtype,
            "sha256": hashlib.sha256(data).hexdigest(),
            "metrics": metrics,
        }
    )


class _Published:
    """The records that a release left at its target, believed where they are what the ledger says."""

    def __init__(self, known: Released | None, open_target: OpenTarget, notes: list[str]) -> None:
        self._known = known
        self._open_target = open_target
        self._notes = notes
        self._silent = False

    def scores(self) -> Iterator[TracedScores]:
        data = self._read(EVAL_FILE)
        evaluation = _document(Evaluation, data, f"released {EVAL_FILE}", self._notes) if data is not None else None
        if evaluation is not None and data is not None:
            yield _scores("release", evaluation, data)

    def verdicts(self) -> Iterator[TracedVerdict]:
        data = self._read(COMPARISON_FILE)
        path = f"released {COMPARISON_FILE}"
        comparison = _document(Comparison, data, path, self._notes) if data is not None else None
        for row in comparison.metrics if comparison is not None else ():
            shown = ("role", "verdict", "baseline", "candidate", "delta", "range")
            facts = {name: getattr(row, name) for name in shown}
            yield TracedVerdict.model_validate({"metric": f"{row.task}/{row.metric}", **facts})

    def _read(self, path: str) -> bytes | None:
        """Return a record by its digest in the ledger; a note says why there is none."""
        known = self._known
        if known is None or self._silent:
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
            self._notes.append(f"{path} at {address} {what}: run `modelrelease verify {version}`")
            return None
        return data


def _sha256(facts: ReleaseFacts, path: str) -> str | None:
    return next((file.sha256 for file in facts.files if file.path == path), None)


def _decision(intent: Event | None, published: _Published) -> TracedDecision | None:
    if intent is None or intent.release is None:
        return None
    facts = intent.release
    return TracedDecision(
        sequence=intent.sequence,
        at=intent.at,
        summary=facts.summary,
        baseline=facts.baseline,
        bootstrap=facts.bootstrap,
        policy_ref=facts.policy_ref,
        policy_digest=facts.policy_digest,
        comparison_sha256=facts.comparison_sha256,
        overrides=facts.overrides,
        approvals=facts.approvals,
        verdicts=tuple(published.verdicts()),
    )


def _reproduction(place: VersionPlace) -> TracedReproduction | None:
    """Return the last reproduction of the committed record: it may have been committed long after the version."""
    record = place.read(EVAL_FILE)
    if record is None:
        return None
    path, root = f"{place.folder}/{REPRODUCTION_FILE}", place.project.root
    commits = [git.commit_of(root, ref) for ref in ("HEAD", git.default_branch(root)) if ref is not None]
    trees = [Tree(root, commit, place.project.config_path) for commit in commits if commit is not None]
    for tree in (*trees, place.tree, None):
        data = VersionPlace(place.project, place.folder, tree).read(REPRODUCTION_FILE)
        found = _document(Reproduction, data, path, []) if data is not None else None
        if found is not None and found.eval_sha256 == hashlib.sha256(record).hexdigest():
            at = found.provenance.started if found.provenance is not None else None
            return TracedReproduction(at=at, outcome=found.outcome)
    return None
