"""The comparison of a pull request that changes nothing that is scored."""

from __future__ import annotations

import pytest
from builders import policy, sha

from modelrelease.comparison.nothing import not_needed
from modelrelease.comparison.policy import Question
from modelrelease.records.comparison import Comparison
from modelrelease.records.config import Context


@pytest.mark.parametrize("context", ["pull_request", "release"])
def test_nothing_is_compared_and_the_policy_stands_there(context: Context) -> None:
    rules = policy({"qa/acc": {"margin": 0.05}}, alpha=0.1)
    found = not_needed(Question(rules, context), "no version, prompt, test or suite has changed")
    assert (found.decision, found.context) == ("not-needed", context)
    assert found.headline == "Not needed: no version, prompt, test or suite has changed."
    assert (found.baseline, found.candidate, found.metrics, found.reasons, found.subject) == (None, None, (), (), ())
    (answer,) = found.policies
    assert (answer.source_ref, answer.digest, answer.decision) == (rules.source_ref, sha("policy"), "not-needed")
    assert found.confidence == pytest.approx(0.9)
    assert Comparison.model_validate_json(found.to_bytes()) == found
