"""Two evaluations and a policy in, comparison.json out."""

from __future__ import annotations

from typing import Any

from modelrelease.comparison import wording
from modelrelease.comparison.comparability import compare_facts, describe_side, subjects
from modelrelease.comparison.evidence import finite, interval
from modelrelease.comparison.flips import MAX_SLICES, LookUp, Places, compare_slices, describe_flips, slice_places
from modelrelease.comparison.items import MAX_ITEMS, describe_items
from modelrelease.comparison.judgement import Judgement, Ruling, rule
from modelrelease.comparison.measure import Measure, measure
from modelrelease.comparison.policy import Policy, Question, check_policy
from modelrelease.records.comparison import Comparison, Diff, MetricComparison, PolicyAnswer
from modelrelease.records.config import GatePolicy
from modelrelease.records.results import Results


def compare(baseline: Results, candidate: Results, question: Question, look_up: LookUp) -> Comparison:
    """Return the verdict on every metric and the decision.

    ``look_up`` gives the texts of an item that changed sides. Raises InvalidInput where the policy cannot be
    applied (MR504, MR505); whatever cannot be compared is a verdict that says so, never dropped.
    """
    check_policy(question.policy, [*baseline.evaluation.metrics, *candidate.evaluation.metrics])
    measures = measure(baseline, candidate, intersect=question.intersect)
    judgement = rule(measures, question.policy, question.context, question.accepted)
    return Comparison(
        **_side_by_side(baseline, candidate, measures, question.resolved_by),
        confidence=1 - question.policy.gate.alpha,
        context=question.context,
        policies=(_answer(question.policy, judgement),),
        metrics=_rows(judgement, candidate, question.policy.gate, look_up),
        decision=judgement.decision,
        headline=judgement.headline,
        reasons=judgement.reasons,
        warnings=judgement.warnings,
    )


def diff(
    baseline: Results,
    candidate: Results,
    look_up: LookUp,
    *,
    intersect: bool = False,
    most: int | None = MAX_ITEMS,
) -> Diff:
    """Hold two evaluations against each other without a policy: every metric is information.

    ``most``: so many broken and so many fixed items of each task are shown; None for all of them.
    """
    gate = GatePolicy()
    measures = measure(baseline, candidate, intersect=intersect)
    judgement = rule(measures, Policy(gate, "", ""), "release")
    return Diff(
        **_side_by_side(baseline, candidate, measures, ("argument", "argument")),
        confidence=1 - gate.alpha,
        metrics=_rows(judgement, candidate, gate, None),
        items=tuple(describe_items(measures, baseline, candidate, look_up, most)),
    )


def _side_by_side(
    baseline: Results, candidate: Results, measures: list[Measure], resolved_by: tuple[str, str]
) -> dict[str, Any]:
    comparability = compare_facts(baseline.evaluation, candidate.evaluation, measures)
    return {
        "baseline": describe_side(baseline, resolved_by[0]),
        "candidate": describe_side(candidate, resolved_by[1]),
        "subject": subjects(comparability),
        "comparability": comparability,
    }


def _answer(policy: Policy, judgement: Judgement) -> PolicyAnswer:
    return PolicyAnswer(
        source_ref=policy.source_ref,
        digest=policy.digest,
        decision=judgement.decision,
        headline=judgement.headline,
        reasons=judgement.reasons,
    )


def _rows(
    judgement: Judgement, candidate: Results, gate: GatePolicy, look_up: LookUp | None
) -> tuple[MetricComparison, ...]:
    places: dict[str, Places] = {}
    rows = []
    for ruling in judgement.rulings:
        paired = ruling.measure.paired
        if paired.name in candidate.tasks and paired.name not in places:
            places[paired.name] = slice_places(paired, candidate.tasks[paired.name])
        rows.append(_row(ruling, places.get(paired.name, {}), gate.alpha, look_up))
    return tuple(rows)


def _row(ruling: Ruling, places: Places, alpha: float, look_up: LookUp | None) -> MetricComparison:
    measured = ruling.measure
    row = MetricComparison(
        task=measured.info.task,
        metric=measured.info.metric,
        role=ruling.role,
        higher_is_better=measured.info.higher_is_better,
        binary=measured.info.binary,
        range=measured.info.range,
        n=len(measured.after),
        baseline=measured.baseline,
        candidate=measured.candidate,
        margin=ruling.policy.margin if ruling.policy else None,
        verdict=ruling.judged.verdict,
        loss_within_margin=ruling.judged.loss_within_margin,
        reason=wording.reason(ruling),
    )
    if measured.problem is not None:
        return row
    low, high = interval(measured.evidence, measured.info, 1 - alpha)
    return row.model_copy(
        update={
            "delta": measured.delta,
            "ci_low": low,
            "ci_high": high,
            "ni_low": finite(measured.evidence.interval(1 - 2 * alpha)[0]),
            "p_difference": measured.evidence.p_difference,
            "p_exact": measured.evidence.p_exact,
            "p_holm": ruling.p_holm,
            "p_noninferior": ruling.judged.p_noninferior,
            "method": measured.evidence.method,
            "power": ruling.power,
            "flips": describe_flips(measured, look_up),
            "slices": tuple(compare_slices(measured, places, alpha)),
            "slices_left_out": max(0, len(places) - MAX_SLICES),
        }
    )
