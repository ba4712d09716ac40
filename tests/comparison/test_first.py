"""The comparison of a version that has nothing to be held against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import Scores, Tasks, policy, write

from modelrelease.comparison.first import nothing_live
from modelrelease.comparison.policy import Question
from modelrelease.errors import InvalidInput
from modelrelease.records.comparison import Comparison
from modelrelease.records.config import Context
from modelrelease.records.results import read_results

GATE = {"qa/acc": {"margin": 0.05}}
RIGHT: Scores = [1.0] * 40


def first(
    folder: Path, metrics: dict[str, Any], tasks: Tasks | None = None, context: Context = "pull_request"
) -> Comparison:
    results = read_results(write(folder, tasks or {"qa": {"acc": RIGHT}}))
    return nothing_live(results, Question(policy(metrics), context, resolved_by=("none", "models/model_v1.0 is new")))


def test_a_pull_request_is_promoted_and_says_so_first(tmp_path: Path) -> None:
    found = first(tmp_path, GATE, {"qa": {"acc": RIGHT}, "text": {"nll": [2.0, 4.0]}})
    assert (found.decision, found.headline) == ("promote", "Promote: nothing is live yet; merge.")
    assert found.reasons == ("nothing is live yet that it could be held against",)
    assert (found.baseline, found.subject, found.warnings) == (None, ("model",), ())
    assert found.candidate is not None
    assert (found.candidate.version, found.candidate.resolved_by) == ("model_v1.0", "models/model_v1.0 is new")
    rows = [(r.task, r.role, r.verdict, r.n, r.baseline, r.candidate, r.delta, r.margin) for r in found.metrics]
    assert rows == [
        ("qa", "gate", "no-baseline", 40, None, 1.0, None, 0.05),
        ("text", "info", "no-baseline", 2, None, 3.0, None, None),
    ]
    assert [answer.decision for answer in found.policies] == ["promote"]
    assert Comparison.model_validate_json(found.to_bytes()) == found


def test_a_release_is_blocked(tmp_path: Path) -> None:
    found = first(tmp_path, GATE, context="release")
    assert (found.decision, found.policies[0].decision) == ("block", "block")
    assert "`release.bootstrap`" in found.headline


ERRORS: Tasks = {"qa": {"acc": [1.0, None, 1.0]}, "more": {"acc": [1.0]}}


def test_a_first_release_is_named_by_the_policy_and_clears_its_floors(tmp_path: Path) -> None:
    results = read_results(write(tmp_path, {"qa": {"acc": RIGHT}}))

    def bootstrap(metrics: dict[str, Any]) -> Comparison:
        return nothing_live(results, Question(policy(metrics), "release", bootstrap=True))

    found = bootstrap(GATE)
    assert (found.decision, found.headline) == (
        "promote",
        "Promote: the first release, as the policy names it; release it.",
    )
    low = bootstrap({"qa/acc": {"margin": 0.05, "min": 0.99}})
    assert (low.decision, low.warnings) == ("block", ())
    assert low.headline.startswith("Blocked: qa/acc does not clear its floor of 99.0: 40 items show 9")
    assert low.reasons == (low.headline.removeprefix("Blocked: ").removesuffix("."),)
    missing = bootstrap({**GATE, "qa/acc_norm": {"margin": 0.05}})
    assert (missing.decision, missing.policies[0].decision) == ("block", "block")


OBJECTIONS: dict[str, tuple[dict[str, Any], Tasks, str | None]] = {
    "errors in a gate metric": (GATE, ERRORS, "qa/acc: 1 item could not be scored: 2"),
    "errors in information": ({"more/acc": {"margin": 0.05}}, ERRORS, None),
    "a gate metric that is not there": (
        {**GATE, "qa/acc_norm": {"margin": 0.05}},
        {"qa": {"acc": RIGHT}},
        "qa/acc_norm: the policy names it, and the candidate does not have it",
    ),
    "a gate pattern that matches nothing": (
        {**GATE, "*/nll": {"margin": 0.05}},
        {"qa": {"acc": RIGHT}},
        "*/nll: the policy names it, and the candidate does not have it",
    ),
    "an information metric that is not there": (
        {**GATE, "*/nll": {"role": "info"}},
        {"qa": {"acc": RIGHT}},
        None,
    ),
}


@pytest.mark.parametrize("name", OBJECTIONS)
def test_unknown_never_counts_as_pass(tmp_path: Path, name: str) -> None:
    metrics, tasks, objection = OBJECTIONS[name]
    found = first(tmp_path, metrics, tasks)
    assert found.decision == ("block" if objection else "promote")
    if objection:
        assert found.reasons == (objection,)
        assert found.headline == f"Blocked: nothing is live yet, and {objection}."


@pytest.mark.parametrize(
    ("scores", "minimum", "warned"),
    [
        (RIGHT, 0.9, False),  # Wilson's lower end for 40 of 40 is 93.7
        (RIGHT, 0.95, True),
        ([1.0] * 30 + [0.0] * 10, 0.75, True),  # the mean itself is no proof
        ([1.0] * 30 + [0.0] * 10, 0.6, False),
    ],
)
def test_a_floor_that_is_not_cleared_is_a_warning(tmp_path: Path, scores: Scores, minimum: float, warned: bool) -> None:
    found = first(tmp_path, {"qa/acc": {"margin": 0.05, "min": minimum}}, {"qa": {"acc": scores}})
    assert found.decision == "promote"
    assert len(found.warnings) == warned
    if warned:
        assert found.warnings[0].startswith(f"qa/acc does not clear its floor of {minimum * 100:.1f}: 40 items show ")
        assert found.warnings[0].endswith("; a release would block")


def test_a_floor_of_information_is_none(tmp_path: Path) -> None:
    assert first(tmp_path, {**GATE, "qa/*": {"role": "info", "min": 0.99}}).warnings == ()
    metrics = {"qa/acc": {"role": "info", "min": 0.99}, "more/acc": {"margin": 0.05}}
    assert first(tmp_path, metrics, {"qa": {"acc": RIGHT}, "more": {"acc": RIGHT}}).warnings == ()


def test_a_policy_that_cannot_be_applied_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="MR504"):
        first(tmp_path, {"qa/acc": {"role": "info"}})
    with pytest.raises(InvalidInput, match="MR505"):
        first(tmp_path, {"qa/acc": {"margin": 2.0}})
