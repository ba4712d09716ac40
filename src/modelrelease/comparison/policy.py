"""The policy of a comparison, and which part of it a metric falls under. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.config import Context, GatePolicy, MetricPolicy
from modelrelease.records.evaluation import MetricResult

_WILDCARDS = "*?["
_CLASS = re.compile(r"\[!?\]?[^\]]*\]")  # one of several characters: none of them is spelled out


@dataclass(frozen=True)
class Policy:
    """The gate's settings and where they were read: a path or a git ref."""

    gate: GatePolicy
    source_ref: str
    digest: str


@dataclass(frozen=True)
class Question:
    """What is asked of a comparison besides its two sides.

    ``accepted``: losses that an override accepts, by ``task/metric``, with who accepted them and until when in words.
    ``bootstrap``: the policy names the candidate as the first release.
    """

    policy: Policy
    context: Context = "release"
    intersect: bool = False
    resolved_by: tuple[str, str] = ("argument", "argument")
    accepted: Mapping[str, str] = field(default_factory=dict)
    bootstrap: bool = False


def policy_for(name: str, policies: Mapping[str, MetricPolicy]) -> tuple[str, MetricPolicy] | None:
    """Return the pattern and policy that govern the metric ``name`` (``task/metric``), None where none does.

    The exact name comes first, then the pattern that spells out the most characters.
    Raises ValueError naming two patterns that are equally specific.
    """
    if name in policies:
        return name, policies[name]
    matching = [pattern for pattern in policies if _is_pattern(pattern) and fnmatchcase(name, pattern)]
    if not matching:
        return None
    matching.sort(key=lambda pattern: (-_literal(pattern), pattern))
    if len(matching) > 1 and _literal(matching[0]) == _literal(matching[1]):
        raise ValueError(f"`{matching[0]}` and `{matching[1]}` both match {name} and neither is more specific")
    return matching[0], policies[matching[0]]


def is_listed(name: str, policies: Mapping[str, MetricPolicy]) -> bool:
    """Say whether any pattern is about the metric ``name``, even two that are equally specific."""
    return name in policies or any(_is_pattern(pattern) and fnmatchcase(name, pattern) for pattern in policies)


def exact_names(policies: Mapping[str, MetricPolicy]) -> list[str]:
    """Return the gate metrics that are named in full and so have to be there."""
    return [name for name, policy in policies.items() if not _is_pattern(name) and policy.role == "gate"]


def unmatched_patterns(policies: Mapping[str, MetricPolicy], names: list[str]) -> list[str]:
    """Return the gate patterns that match none of ``names``."""
    patterns = [pattern for pattern, policy in policies.items() if _is_pattern(pattern) and policy.role == "gate"]
    return [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in names)]


class Described(Protocol):
    """What is known of a metric, scored or not."""

    @property
    def task(self) -> str:
        """Return the task's name."""

    @property
    def metric(self) -> str:
        """Return the metric's name."""

    @property
    def range(self) -> tuple[float, float | None]:
        """Return the lowest and the highest value, None where there is no highest."""

    @property
    def higher_is_better(self) -> bool:
        """Return the direction."""


def check_policy(policy: Policy, metrics: Sequence[MetricResult]) -> None:
    """Raise InvalidInput as :func:`check_policy_of` does."""
    check_policy_of(policy.gate, policy.source_ref, metrics)


def check_policy_of(gate: GatePolicy, source: str, metrics: Sequence[Described]) -> None:
    """Raise InvalidInput where the policy cannot be applied to these metrics, or names none that decides.

    MR504: no gate metric at all. MR505: a margin or a floor outside of what the metric's range gives a meaning to, or
    two patterns that are equally specific.
    """
    findings: list[Finding] = []
    gates = [one for one in gate.metrics.values() if one.role == "gate"]
    if not gates:
        todo = "name one under gate.metrics, such as `task/acc: {margin: 0.03}`, or use `modelrelease diff`"
        findings.append(Finding(source, Code.NO_GATE_METRIC, "no metric decides", todo))
    for metric in metrics:
        name = f"{metric.task}/{metric.metric}"
        try:
            found = policy_for(name, gate.metrics)
        except ValueError as error:
            todo = "name the metric in full"
            findings.append(Finding(source, Code.POLICY, str(error), todo))
            continue
        if found and (problem := _problem(found[1], metric)):
            findings.append(Finding(source, Code.POLICY, f"`{found[0]}`: {problem[0]}", problem[1]))
    if findings:
        raise InvalidInput(list(dict.fromkeys(findings)))


def _problem(policy: MetricPolicy, metric: Described) -> tuple[str, str] | None:
    low, high = metric.range
    if high is not None and policy.margin is not None and policy.margin >= high - low:
        message = f"a margin of {policy.margin:g} lets everything pass on scores from {low:g} to {high:g}"
        return message, "0.03 of a share is three points"
    if policy.min is not None and not metric.higher_is_better:
        return f"a floor `min` on {metric.metric}, where lower is better", "leave `min` out"
    if policy.min is not None and high is not None and policy.min > high:
        return f"a floor `min` of {policy.min:g} is above every score", "0.3 of a share is thirty points"
    return None


def _is_pattern(name: str) -> bool:
    return any(character in name for character in _WILDCARDS)


def _literal(pattern: str) -> int:
    return sum(character not in _WILDCARDS for character in _CLASS.sub("", pattern))
