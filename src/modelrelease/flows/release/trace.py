"""The whole chain of one version: changes, training, scores, decision, approval, release, and what came after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import InvalidInput, invalid
from modelrelease.flows.ledger import Ledger
from modelrelease.flows.release.grounds import Released, open_grounds, released
from modelrelease.flows.release.trace_history import traced_history
from modelrelease.flows.release.trace_records import OpenTarget, PublishedRecords, decision_on, read_as, scores_of
from modelrelease.flows.release.version_place import VersionPlace, check_name, find_version
from modelrelease.flows.trees import Tree
from modelrelease.records.config import Config
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.ledger import Event
from modelrelease.records.model import MODEL_FILE, ModelRecord
from modelrelease.records.reproduction import REPRODUCTION_FILE, Reproduction
from modelrelease.records.trace import (
    Standing,
    Trace,
    TracedDecision,
    TracedEvent,
    TracedReproduction,
    TracedScores,
)
from modelrelease.release.versions import version_key


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
    story = _story(ledger, config, name)
    known, begun = story.known, story.begun
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
    published = [PublishedRecords(one, config.release.target, open_target, notes) for one in story.releases]
    scores = (*_committed(place, notes), *(one for records in published for one in records.scores()))
    decisions = story.decisions(published)
    return Trace(
        version=name,
        folder=place.folder,
        standing=_standing(ledger, config, name),
        target=config.release.target,
        stage=config.release.stage,
        model_digest=_digest(known, begun, model),
        changes=changes,
        model=model,
        scores=scores,
        reproduction=_reproduction(place),
        commit=commit,
        decision=decisions[0] if decisions else None,
        other_decisions=tuple(decisions[1:]),
        events=events,
        notes=tuple(notes),
    )


def _events(ledger: Ledger, version: str) -> Iterator[TracedEvent]:
    for event in ledger.events:
        if event.version == version or (event.move is not None and event.move.before == version):
            shared = TracedEvent.model_fields.keys()
            yield TracedEvent.model_validate({key: value for key, value in dict(event).items() if key in shared})


@dataclass(frozen=True)
class _Story:
    """What the ledger says of a version. ``releases``: to every target, oldest first; ``open``: not finished."""

    target: str
    releases: tuple[Released, ...]
    open: tuple[Event, ...]

    @property
    def known(self) -> Released | None:
        """The release at the policy's target, else the last other one."""
        here = [one for one in self.releases if one.receipt.target == self.target]
        return next(iter(here or self.releases[-1:]), None)

    @property
    def begun(self) -> Event | None:
        """The announcement for the policy's target that has no receipt."""
        return next((event for event in self.open if event.target == self.target), None)

    def decisions(self, published: Sequence[PublishedRecords]) -> list[TracedDecision]:
        """Return what decided on each release and announcement; the one that matters first, then the oldest."""
        known = self.known
        first = known.intent if known is not None else self.begun
        pairs: list[tuple[Event, PublishedRecords | None]] = [(one.release.intent, one) for one in published]
        pairs = sorted([*pairs, *((event, None) for event in self.open)], key=lambda pair: pair[0].sequence)
        pairs.sort(key=lambda pair: pair[0] is not first)
        found = [decision_on(intent, one) for intent, one in pairs]
        return [one for one in found if one is not None]


def _story(ledger: Ledger, config: Config, version: str) -> _Story:
    state = ledger.state
    found = [released(ledger, target, version) for target, name in state.released if name == version]
    releases = sorted((one for one in found if one is not None), key=lambda one: one.receipt.sequence)
    begun = tuple(event for (_, name), event in state.open.items() if name == version)
    return _Story(config.release.target, tuple(releases), begun)


def _standing(ledger: Ledger, config: Config, version: str) -> Standing:
    state, place = ledger.state, (config.release.target, version)
    if state.revocation(version) is not None:
        return "revoked"
    if state.live_version(config.release.target, config.release.stage) == version:
        return "live"
    if any(name == version for _, name in state.released):  # to this target or an earlier one
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
    return read_as(ModelRecord, data, f"{place.folder}/{MODEL_FILE}", notes)


def _committed(place: VersionPlace, notes: list[str]) -> Iterator[TracedScores]:
    data = place.read(EVAL_FILE)
    if data is None:
        return
    evaluation = read_as(Evaluation, data, f"{place.folder}/{EVAL_FILE}", notes)
    if evaluation is not None:
        yield scores_of("committed", evaluation, data)


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
        found = read_as(Reproduction, data, path, []) if data is not None else None
        if found is not None and found.eval_sha256 == hashlib.sha256(record).hexdigest():
            at = found.provenance.started if found.provenance is not None else None
            return TracedReproduction(at=at, outcome=found.outcome)
    return None
