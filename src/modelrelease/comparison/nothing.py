"""The comparison of a pull request that changes nothing that is scored. Pure, and without statistics."""

from __future__ import annotations

from modelrelease.comparison.policy import Question
from modelrelease.records.comparison import Comparability, Comparison, Decision, PolicyAnswer


def not_needed(question: Question, reason: str) -> Comparison:
    """Return the comparison of a pull request that changes nothing that is scored; ``reason`` says so."""
    return without_sides(question, "not-needed", f"Not needed: {reason}.", ())


def without_sides(question: Question, decision: Decision, headline: str, reasons: tuple[str, ...]) -> Comparison:
    """Return a comparison with no side and no metric."""
    policy = question.policy
    answer = PolicyAnswer(
        source_ref=policy.source_ref, digest=policy.digest, decision=decision, headline=headline, reasons=reasons
    )
    return Comparison(
        context=question.context,
        baseline=None,
        candidate=None,
        subject=(),
        comparability=Comparability(same=(), differs=(), refused=()),
        confidence=1 - policy.gate.alpha,
        policies=(answer,),
        metrics=(),
        decision=decision,
        headline=headline,
        reasons=reasons,
        warnings=(),
    )
