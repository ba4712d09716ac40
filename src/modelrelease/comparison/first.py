"""The comparison of a first version: there is no baseline yet. Pure."""

from __future__ import annotations

from modelrelease.comparison.comparability import describe_side
from modelrelease.comparison.nothing import without_sides
from modelrelease.comparison.pairing import show_ids
from modelrelease.comparison.policy import Question, check_policy, exact_names, policy_for, unmatched_patterns
from modelrelease.numbers import in_points, show_items, show_value
from modelrelease.records.comparison import Comparison, Decision, MetricComparison
from modelrelease.records.config import MetricPolicy
from modelrelease.records.evaluation import MetricResult
from modelrelease.records.results import Results

_FIRST = "nothing is live yet that it could be held against"


def nothing_live(candidate: Results, question: Question) -> Comparison:
    """Return the comparison of a first version.

    It is promoted unless items of a gate metric could not be scored; a release besides only where the policy names it
    as the first one (``bootstrap``) and its floors are cleared. Raises InvalidInput (MR504, MR505) where the policy
    cannot be applied.
    """
    metrics = candidate.evaluation.metrics
    check_policy(question.policy, list(metrics))
    rows = [_row(metric, candidate, question) for metric in metrics]
    reasons = _objections(rows, question)
    floors = list(_floors(candidate, question))
    decision, headline = _decision(question, reasons, floors)
    objections = (*reasons, *(floors if question.context == "release" else ()))
    comparison = without_sides(question, decision, headline, objections or (_FIRST,))
    return comparison.model_copy(
        update={
            "candidate": describe_side(candidate, question.resolved_by[1]),
            "subject": ("model",),
            "metrics": tuple(rows),
            "warnings": ()
            if question.context == "release"
            else tuple(f"{low}; a release would block" for low in floors),
        }
    )


def _decision(question: Question, reasons: list[str], floors: list[str]) -> tuple[Decision, str]:
    if question.context == "release":
        if not question.bootstrap:
            todo = "a first release is named by `release.bootstrap` in modelrelease.yaml"
            return "block", f"Blocked: nothing is live yet; {todo}."
        if reasons or floors:
            return "block", f"Blocked: {(reasons + floors)[0]}."
        return "promote", "Promote: the first release, as the policy names it; release it."
    if reasons:
        return "block", f"Blocked: nothing is live yet, and {reasons[0]}."
    return "promote", "Promote: nothing is live yet; merge."


def _row(metric: MetricResult, candidate: Results, question: Question) -> MetricComparison:
    policy = _policy(metric, question)
    failed = sorted(candidate.tasks[metric.task].errors)
    reason = f"{show_items(len(failed))} could not be scored: {show_ids(failed)}" if failed else "nothing is live yet"
    return MetricComparison(
        task=metric.task,
        metric=metric.metric,
        role=policy.role if policy else "info",
        higher_is_better=metric.higher_is_better,
        binary=metric.binary,
        range=metric.range,
        n=metric.n,
        baseline=None,
        candidate=metric.value,
        margin=policy.margin if policy else None,
        verdict="error" if failed else "no-baseline",
        reason=reason,
    )


def _policy(metric: MetricResult, question: Question) -> MetricPolicy | None:
    found = policy_for(f"{metric.task}/{metric.metric}", question.policy.gate.metrics)
    return found[1] if found else None


def _objections(rows: list[MetricComparison], question: Question) -> list[str]:
    names, policies = [f"{row.task}/{row.metric}" for row in rows], question.policy.gate.metrics
    absent = [*(name for name in exact_names(policies) if name not in names), *unmatched_patterns(policies, names)]
    failed = [f"{row.task}/{row.metric}: {row.reason}" for row in rows if (row.verdict, row.role) == ("error", "gate")]
    return [*failed, *(f"{name}: the policy names it, and the candidate does not have it" for name in absent)]


def _floors(candidate: Results, question: Question) -> list[str]:
    """Floors that are not cleared: nothing is lost by merging, and a release will hold them against the version."""
    alpha, found = question.policy.gate.alpha, []
    for metric in candidate.evaluation.metrics:
        policy, values = _policy(metric, question), candidate.tasks[metric.task].values(metric.metric)
        if policy is None or policy.role != "gate" or policy.min is None or not values:
            continue
        from modelrelease.comparison.floors import lower_bound_binary, lower_bound_mean  # scipy, for floors alone

        binary = metric.binary
        low = lower_bound_binary(round(sum(values)), len(values), alpha) if binary else lower_bound_mean(values, alpha)
        if low < policy.min:
            points = in_points(metric.range)
            shown = f"{show_items(len(values))} show {show_value(low, points)} or more"
            name, floor = f"{metric.task}/{metric.metric}", show_value(policy.min, points)
            found.append(f"{name} does not clear its floor of {floor}: {shown}")
    return found
