from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import policy, read_pair

from modelrelease.comparison.policy import check_policy, exact_names, policy_for, unmatched_patterns
from modelrelease.errors import InvalidInput
from modelrelease.records.config import MetricPolicy
from modelrelease.records.evaluation import MetricResult

INFO = {"role": "info"}


def policies(*names: str) -> dict[str, MetricPolicy]:
    """Return policies told apart by their margins: the first has .1, the second .2, ..."""
    return {name: MetricPolicy(margin=number / 10) for number, name in enumerate(names, start=1)}


@pytest.mark.parametrize(
    ("names", "governs"),
    [
        (["qa/acc"], "qa/acc"),
        (["qa/acc", "qa/*", "*"], "qa/acc"),
        (["*", "qa/*"], "qa/*"),
        (["*/acc", "*"], "*/acc"),
        (["q?/acc", "*/acc"], "q?/acc"),
        (["[pq]a/acc", "*"], "[pq]a/acc"),
        (["[abcdefghijklmnopq]?/acc", "qa/*"], "[abcdefghijklmnopq]?/acc"),
        (["[abcdefghijklmnopq]a/*", "qa/*"], "qa/*"),
        (["*/nll"], None),
        (["QA/acc"], None),  # case counts
        ([], None),
    ],
)
def test_the_full_name_wins_and_then_the_pattern_that_spells_out_the_most(
    names: list[str], governs: str | None
) -> None:
    found = policy_for("qa/acc", policies(*names))
    assert (None if found is None else found[0]) == governs
    if found is not None:
        assert found[1].margin == (names.index(found[0]) + 1) / 10


def test_two_patterns_that_spell_out_as_much_are_a_contradiction_unless_the_metric_is_named() -> None:
    both = "`\\*a/acc` and `qa/\\*cc` both match qa/acc and neither is more specific"
    with pytest.raises(ValueError, match=both):
        policy_for("qa/acc", policies("qa/*cc", "*a/acc"))
    found = policy_for("qa/acc", policies("qa/*cc", "*a/acc", "qa/acc"))
    assert found is not None
    assert found[0] == "qa/acc"


def test_gate_metrics_named_in_full_have_to_be_there_and_patterns_are_asked_whether_they_match() -> None:
    gate = policy({"qa/acc": {"margin": 0.1}, "qb/*": {"margin": 0.1}, "*/f1": {"margin": 0.1}, "qc/acc": INFO}).gate
    assert exact_names(gate.metrics) == ["qa/acc"]
    assert unmatched_patterns(gate.metrics, ["qa/acc", "qc/f1"]) == ["qb/*"]
    assert unmatched_patterns(policy({"x/*": INFO}).gate.metrics, ["qa/acc"]) == []


METRICS = {"qa": {"acc": [1.0, 0.0]}, "text": {"f1": [0.5, 0.25]}, "lm": {"nll": [1.0, 2.0]}}


@pytest.fixture
def metrics(tmp_path: Path) -> list[MetricResult]:
    baseline, _ = read_pair(tmp_path, METRICS, METRICS)
    return list(baseline.evaluation.metrics)


NO_GATE = (
    "modelrelease.yaml: MR504 no metric decides; name one under gate.metrics, such as `task/acc: {margin: 0.03}`, "
    "or use `modelrelease diff`"
)


@pytest.mark.parametrize(
    ("asked", "findings"),
    [
        ({}, [NO_GATE]),
        ({"qa/acc": INFO}, [NO_GATE]),
        (
            {"qa/acc": {"margin": 3}},
            [
                "modelrelease.yaml: MR505 `qa/acc`: a margin of 3 lets everything pass on scores from 0 to 1; "
                "0.03 of a share is three points"
            ],
        ),
        (
            {"*": {"margin": 1}},
            [
                "modelrelease.yaml: MR505 `*`: a margin of 1 lets everything pass on scores from 0 to 1; "
                "0.03 of a share is three points"
            ],
        ),
        (
            {"text/f1": {"margin": 0.1, "min": 30}},
            [
                "modelrelease.yaml: MR505 `text/f1`: a floor `min` of 30 is above every score; "
                "0.3 of a share is thirty points"
            ],
        ),
        (
            {"lm/nll": {"margin": 3, "min": 0.1}},
            ["modelrelease.yaml: MR505 `lm/nll`: a floor `min` on nll, where lower is better; leave `min` out"],
        ),
        (
            {"qa/*": {"margin": 0.1}, "*/ac": {"margin": 0.1}, "*acc": {"margin": 0.1}},
            [
                "modelrelease.yaml: MR505 `*acc` and `qa/*` both match qa/acc and neither is more specific; "
                "name the metric in full"
            ],
        ),
        ({"qa/acc": {"margin": 2, "role": "info"}, "lm/nll": {"margin": 3}}, ["modelrelease.yaml: MR505 `qa/acc`: a"]),
        ({"qa/acc": {"margin": 0.999, "min": 1}, "lm/nll": {"margin": 300}}, []),
    ],
)
def test_a_policy_that_means_nothing_here_is_refused(
    metrics: list[MetricResult], asked: dict[str, Any], findings: list[str]
) -> None:
    if not findings:
        check_policy(policy(asked), metrics)
        return
    with pytest.raises(InvalidInput) as caught:
        check_policy(policy(asked), [*metrics, *metrics])  # both sides have them; it is said once
    found = caught.value.lines()
    assert [line[: len(finding)] for line, finding in zip(found, findings, strict=True)] == findings
