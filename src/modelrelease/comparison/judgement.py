"""One policy over all measures: verdicts, reasons, the decision. Pure.

That every gate metric must pass is an intersection-union test, so passing needs no correction; Holm's is for the
claims that something got better or worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modelrelease.comparison import wording
from modelrelease.comparison.measure import Measure
from modelrelease.comparison.multiplicity import holm
from modelrelease.comparison.policy import Policy, exact_names, policy_for, unmatched_patterns
from modelrelease.comparison.verdict import Judged, describe_power, judge
from modelrelease.records.comparison import Decision, Power, Role, Verdict
from modelrelease.records.config import Context, GatePolicy, MetricPolicy

_PASSING: frozenset[Verdict] = frozenset({"better", "equivalent"})


@dataclass(frozen=True)
class Ruling:
    """One measure under one policy. ``floor`` is the bound that a hard floor was checked on, where there is one."""

    measure: Measure
    policy: MetricPolicy | None
    role: Role
    judged: Judged
    p_holm: float | None
    power: Power | None
    floor: float | None

    @property
    def floor_holds(self) -> bool:
        """Whether the hard floor holds; True where there is none."""
        minimum = self.policy.min if self.policy else None
        return minimum is None or (self.floor is not None and self.floor >= minimum)


@dataclass(frozen=True)
class Judgement:
    """What one policy says: rulings in the suite's order, the decision and why."""

    rulings: tuple[Ruling, ...]
    decision: Decision
    headline: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def rule(
    measures: Sequence[Measure], policy: Policy, context: Context, accepted: Mapping[str, str] | None = None
) -> Judgement:
    """Judge all measures under ``policy``; a gate metric that is named in full and not there counts as missing.

    ``accepted``: see :class:`Question`. An override lets a loss pass, proven or not ruled out; a hard floor, and what
    could not be compared, stay in the way.
    """
    policies = [_policy_of(measure, policy) for measure in measures]
    roles: list[Role] = [found.role if found else "info" for found in policies]
    adjusted = _holm(measures, roles)
    rulings = tuple(
        _ruling(measure, found, role, p, policy)
        for measure, found, role, p in zip(measures, policies, roles, adjusted, strict=True)
    )
    names = [measure.name for measure in measures]
    absent = [name for name in exact_names(policy.gate.metrics) if name not in names]
    absent += unmatched_patterns(policy.gate.metrics, names)
    return _decide(rulings, absent, policy, context, accepted or {})


def _policy_of(measure: Measure, policy: Policy) -> MetricPolicy | None:
    found = policy_for(measure.name, policy.gate.metrics)
    return found[1] if found else None


def _holm(measures: Sequence[Measure], roles: Sequence[Role]) -> list[float | None]:
    family = [n for n, role in enumerate(roles) if role == "gate" and measures[n].problem is None]
    adjusted: list[float | None] = [None] * len(measures)
    for number, p in zip(family, holm([measures[n].evidence.p_difference for n in family]), strict=True):
        adjusted[number] = p
    return adjusted


def _ruling(measure: Measure, found: MetricPolicy | None, role: Role, p_holm: float | None, policy: Policy) -> Ruling:
    if measure.problem is not None:
        return Ruling(measure, found, role, Judged(measure.problem.verdict, "problem"), None, None, None)
    evidence, gate = measure.evidence, policy.gate
    p = evidence.p_difference if p_holm is None else p_holm
    judged = judge(evidence, measure.improvement, p, measure.identical, found, gate)
    return Ruling(
        measure=measure,
        policy=found,
        role=role,
        judged=judged,
        p_holm=p_holm,
        power=describe_power(evidence, found.margin if found else None, gate.alpha),
        floor=evidence.floor(gate.alpha) if found and found.min is not None else None,
    )


def _decide(
    rulings: tuple[Ruling, ...], absent: list[str], policy: Policy, context: Context, accepted: Mapping[str, str]
) -> Judgement:
    gate = policy.gate
    release_blocks = context == "pull_request" and gate.on_inconclusive.release == "block"
    reasons = [f"{name}: the policy names it, and neither side has it" for name in absent]
    warnings: list[str] = []
    blocking, questions, excused = [], [], []
    for ruling in rulings:
        objections = _objections(ruling)
        if objections and ruling.measure.name in accepted and _only_a_loss(ruling):
            excused.append(ruling)
            warnings.append(wording.excused(ruling, accepted[ruling.measure.name]))
        elif objections and _only_a_question(ruling, gate, context):
            questions.append(ruling)
            warnings.append(wording.question(ruling, release_blocks))
        elif objections:
            blocking.append(ruling)
            reasons += objections
        warnings += _notes(ruling)
    gates = [ruling for ruling in rulings if ruling.role == "gate"]
    decision: Decision = "block" if reasons else "promote"
    if decision == "block":
        headline = wording.blocked(blocking, absent, gate)
    else:
        headline = wording.promoted(gates, questions, release_blocks, context)
        if excused:
            headline = wording.promoted_by_override(excused, context)
        reasons = [wording.outcome(ruling) for ruling in gates if ruling not in questions and ruling not in excused]
    return Judgement(rulings, decision, headline, tuple(reasons), tuple(dict.fromkeys(warnings)))


def _only_a_loss(ruling: Ruling) -> bool:
    return ruling.judged.verdict in {"regressed", "inconclusive"} and ruling.floor_holds


def _only_a_question(ruling: Ruling, gate: GatePolicy, context: Context) -> bool:
    warn = getattr(gate.on_inconclusive, context) == "warn"
    return ruling.judged.verdict == "inconclusive" and warn and ruling.floor_holds


def _notes(ruling: Ruling) -> Iterator[str]:
    if ruling.role == "info" and ruling.measure.problem is not None:
        yield f"{ruling.measure.name}: {wording.reason(ruling)}"
    if ruling.measure.paired.left_out:
        yield wording.left_out(ruling.measure)


def _objections(ruling: Ruling) -> list[str]:
    """Why a gate metric does not pass; empty when it does."""
    if ruling.role == "info":
        return []
    found = []
    if ruling.judged.verdict not in _PASSING:
        found.append(wording.outcome(ruling))
    if not ruling.floor_holds and ruling.measure.problem is None:
        found.append(wording.below_floor(ruling))
    if ruling.policy and ruling.policy.require == "better" and ruling.judged.verdict == "equivalent":
        found.append(wording.no_better(ruling))
    return found
