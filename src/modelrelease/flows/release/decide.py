"""The decision on a release: its scores held against the live version's, judged by the default branch's policy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.codes import Code
from modelrelease.config import policy_digest
from modelrelease.errors import Finding, Refused
from modelrelease.flows.governed import governed_changes
from modelrelease.flows.release.against import resolution_against
from modelrelease.flows.release.grounds import Released
from modelrelease.flows.release.score import Sides
from modelrelease.flows.release.subject import Subject
from modelrelease.numbers import show_few
from modelrelease.records.comparison import COMPARISON_FILE, Comparison
from modelrelease.records.files import write_atomic
from modelrelease.records.ledger import Event

if TYPE_CHECKING:
    from modelrelease.comparison.policy import Question

_FEW = 5


def decide(subject: Subject, live: Released | None, sides: Sides, accepted: Mapping[str, Event]) -> Comparison:
    """Return the decision on a release, by the default branch's present policy. ``accepted``: overrides in force."""
    question = _question(subject, live, accepted)
    if sides.baseline is None:
        from modelrelease.comparison.first import nothing_live

        found = nothing_live(sides.candidate, question)
    else:
        from modelrelease.comparison.compare import compare
        from modelrelease.flows.texts import TextsOfItems

        texts = TextsOfItems(subject.grounds.project, sides.baseline, sides.candidate)
        found = compare(sides.baseline, sides.candidate, question, texts)
    config = subject.grounds.config
    resolution = resolution_against(subject, live)
    changes = governed_changes(subject.tree.root, resolution, texts=config.comment.samples == "text")
    baseline = found.baseline
    if baseline is not None:
        baseline = baseline.model_copy(update={"scored_again": sides.scored_again})
    update = {
        "name": config.name,
        "resolution": resolution,
        "comment": config.comment,
        "changes": changes if live is not None else None,
        "baseline": baseline,
    }
    return found.model_copy(update=update)


def keep(comparison: Comparison, out: Path) -> None:
    """Write comparison.json into ``out``."""
    write_atomic(out / COMPARISON_FILE, comparison.to_bytes())


def _question(subject: Subject, live: Released | None, accepted: Mapping[str, Event]) -> Question:
    from modelrelease.comparison.policy import Policy, Question

    grounds, config = subject.grounds, subject.grounds.config
    where = f"{grounds.project.config_path} on {grounds.branch}, {grounds.policy.commit[:10]}"
    said = f"the ledger names {live.receipt.version} as live" if live is not None else "nothing was released yet"
    return Question(
        Policy(config.gate, where, policy_digest(config)),
        "release",
        resolved_by=(said, f"the tag {subject.tag}"),
        accepted={metric: _in_words(event) for metric, event in accepted.items()},
        bootstrap=config.release.bootstrap == subject.version,
    )


def _in_words(event: Event) -> str:
    assert event.override is not None
    person = event.by.login or event.by.name or "somebody"
    return f"override {event.sequence} by {person} until {event.override.until}: {event.reason}"


class Blocked(Refused):
    """The gate says no; ``comparison`` says why."""

    def __init__(self, finding: Finding, comparison: Comparison) -> None:
        super().__init__(finding)
        self.comparison = comparison


def blocked(subject: Subject, comparison: Comparison) -> Blocked:
    """Return what is raised where the gate says no: why, and the ways on that are open."""
    todo = _ways_on(subject.version, subject.grounds.config.release.bootstrap, comparison)
    return Blocked(Finding(subject.version, Code.BLOCKED, comparison.headline.rstrip("."), todo), comparison)


def _ways_on(version: str, bootstrap: str | None, comparison: Comparison) -> str:
    if comparison.baseline is None and bootstrap != version:
        first = "" if bootstrap is None else f"promote {bootstrap} first, or "
        return f"{first}set `release.bootstrap: {version}` in modelrelease.yaml on the default branch"
    mend, losses = "mend it and tag the next patch version", _losses(comparison)
    if not losses:
        return f"{mend}; an override lifts neither a floor nor what could not be compared"
    command = f"modelrelease override --version {version} --metric {losses[0]} --reason WHY --until DATE"
    also = f", and the same for {show_few(losses[1:], _FEW)}" if len(losses) > 1 else ""
    return f"{mend}, or accept the loss with `{command}`{also}, and run this again"


def _losses(comparison: Comparison) -> list[str]:
    """The metrics whose losses overrides would let pass; none where anything else stands in the way as well."""
    said = {
        f"{one.task}/{one.metric}": f"{one.task}/{one.metric} is {one.verdict}: "
        for one in comparison.metrics
        if one.role == "gate" and one.verdict in {"regressed", "inconclusive"}
    }
    found = [name for name, words in said.items() if any(reason.startswith(words) for reason in comparison.reasons)]
    return found if len(found) == len(comparison.reasons) else []
