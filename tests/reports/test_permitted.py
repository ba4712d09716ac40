"""What a comparison holds and its repository does not want shown is in no report of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hostile import CHANGES, compared, pull_request

from modelrelease.records.comparison import Comparison
from modelrelease.records.config import CommentPolicy, Samples
from modelrelease.reports.comment import SUMMARY_LIMIT, About, comment_markdown
from modelrelease.reports.junit import comparison_junit
from modelrelease.reports.permitted import permitted, stricter

SECRETS = ("an-input", "a-target", "an-answer", "another-answer", "a-row-before", "a-row-after")
IDS = ("an-id", "a-row-id")


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Return a comparison whose items and rows all hold texts, whatever its policy is."""
    plain: dict[str, Any] = pull_request(compared(tmp_path_factory.mktemp("permitted")), changes=CHANGES).plain()
    texts = {"input": "an-input", "target": "a-target", "baseline": "an-answer", "candidate": "another-answer"}
    for row in plain["metrics"]:
        for example in (row["flips"] or {"examples": []})["examples"]:
            example.update(texts, item_id="an-id")
    (shown,) = plain["changes"]["files"][1]["rows"]["shown"]
    shown.update(id="a-row-id", before={"q": "a-row-before"}, after={"q": "a-row-after"})
    return Comparison.model_validate_json(json.dumps(plain))


def under(comparison: Comparison, samples: Samples) -> Comparison:
    return comparison.model_copy(update={"comment": CommentPolicy(samples=samples)})


@pytest.mark.parametrize(
    ("samples", "texts", "ids"), [("text", True, True), ("ids", False, True), ("none", False, False)]
)
def test_a_report_shows_no_more_than_the_policy_allows(
    comparison: Comparison, samples: Samples, texts: bool, ids: bool
) -> None:
    held = under(comparison, samples)
    comment, summary = comment_markdown(held, About()), comment_markdown(held, About(), limit=SUMMARY_LIMIT)
    for report in (comment, summary):
        assert {secret: secret in report for secret in SECRETS} == dict.fromkeys(SECRETS, texts)
        assert {name: name in report for name in IDS} == dict.fromkeys(IDS, ids)
        assert "rows: 1 changed" in report
        assert "qa/acc 15 broken, 20 fixed" in report or "qa/acc: 15 broken, 20 fixed" in report
        assert "[-Q:-]" in report  # prompts are no test items
    for secret in (*SECRETS, *IDS):
        assert secret not in comparison_junit(held)


def test_what_may_not_be_shown_is_not_there_to_be_shown(comparison: Comparison) -> None:
    for samples in ("ids", "none"):
        document = permitted(under(comparison, samples)).to_bytes().decode()
        assert [secret for secret in SECRETS if secret in document] == []
    assert [name for name in IDS if name in document] == []
    assert permitted(under(comparison, "text")) == under(comparison, "text")


def test_counts_stay_where_examples_go(comparison: Comparison) -> None:
    before, after = comparison.metrics[0].flips, permitted(under(comparison, "none")).metrics[0].flips
    assert before is not None
    assert after is not None
    assert (after.broken, after.fixed, after.examples) == (before.broken, before.fixed, ())


def test_a_comparison_without_changes_or_flips_stays_as_it_is(tmp_path: Path) -> None:
    bare = compared(tmp_path).model_copy(update={"metrics": (), "changes": None})
    assert permitted(under(bare, "none")) == under(bare, "none")


@pytest.mark.parametrize("one", get_args(Samples))
@pytest.mark.parametrize("other", [*get_args(Samples), None])
def test_of_two_policies_the_stricter_one_counts(one: Samples, other: Samples | None) -> None:
    order = ("text", "ids", "none")
    expected = max(order.index(one), 0 if other is None else order.index(other))
    assert stricter(one, other) == order[expected]
