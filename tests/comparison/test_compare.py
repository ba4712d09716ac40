"""Two evaluations on disk and a policy in, comparison.json out."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from builders import Sample, Scores, Tasks, decide, metric_of, no_texts, policy, read_pair, table
from hypothesis import given, settings
from hypothesis import strategies as st

from modelrelease.comparison.compare import compare, diff
from modelrelease.comparison.policy import Question
from modelrelease.errors import InvalidInput
from modelrelease.records.comparison import Comparison, Diff, MetricComparison
from modelrelease.records.located import Located
from modelrelease.records.strict_json import read_json
from modelrelease.records.text import decode
from modelrelease.records.validation import validate

MARGIN = {"margin": 0.03}


def one(folder: Path, metric: str, before: Scores, after: Scores, **options: Any) -> MetricComparison:
    """Compare one metric of the task ``t`` under a margin of three points."""
    found = decide(folder, {"t": {metric: before}}, {"t": {metric: after}}, {f"t/{metric}": MARGIN}, **options)
    return metric_of(found, f"t/{metric}")


@pytest.mark.parametrize(
    ("both", "lost", "gained", "neither", "exact", "mid", "interval"),
    [
        (794, 150, 86, 570, 3.71594e-5, 2.89339e-5, (-0.058998, -0.021362)),
        (9959, 11, 1, 29, 0.00634766, 0.00341797, None),
        (9945, 25, 15, 15, 0.15385994, 0.11727521, None),
        (100, 0, 0, 0, 1.0, 1.0, (-0.0369935, 0.0369935)),
        (95, 0, 5, 0, 0.0625, 0.03125, (0.011157, 0.111750)),
        (460, 25, 15, 0, 0.15386, 0.11728, (-0.046315, 0.005006)),
        (800, 60, 50, 90, None, None, (-0.030933, 0.010710)),
    ],
)
def test_a_row_holds_the_numbers_of_the_published_tables(
    tmp_path: Path,
    both: int,
    lost: int,
    gained: int,
    neither: int,
    exact: float | None,
    mid: float | None,
    interval: tuple[float, float] | None,
) -> None:
    row = one(tmp_path, "acc", *table(both, lost, gained, neither))
    n = both + lost + gained + neither
    assert (row.n, row.baseline, row.candidate) == (n, (both + lost) / n, (both + gained) / n)
    assert row.delta == pytest.approx((gained - lost) / n)
    if exact is not None:
        assert row.p_exact == pytest.approx(exact, rel=1e-4)
        assert row.p_difference == pytest.approx(mid, rel=1e-4)
    if interval is not None:
        assert (row.ci_low, row.ci_high) == pytest.approx(interval, abs=1e-6)
    assert row.method == "Tango interval, McNemar mid-p"
    assert row.flips is not None
    assert (row.flips.broken, row.flips.fixed) == (lost, gained)


def test_the_lower_end_of_the_90_percent_interval_is_kept_beside_the_95_percent_interval(tmp_path: Path) -> None:
    row = one(tmp_path, "acc", *table(800, 60, 50, 90))
    assert row.ni_low == pytest.approx(-0.027486, abs=1e-6)
    assert row.verdict == "equivalent"  # above -0.03, although the 95 % interval is not
    assert row.p_noninferior is not None
    assert 0.025 < row.p_noninferior < 0.05


def test_where_lower_is_better_the_delta_is_the_metric_s_and_the_bound_is_the_improvement_s(tmp_path: Path) -> None:
    before = [2.0 + number % 7 / 10 for number in range(100)]
    after = [score + (0.25 if number % 2 else 0.15) for number, score in enumerate(before)]
    row = one(tmp_path, "nll", before, after)
    assert row.delta == pytest.approx(0.2)
    assert row.ci_low == pytest.approx(0.2 - 0.00997, abs=1e-4)
    assert row.ci_high == pytest.approx(0.2 + 0.00997, abs=1e-4)
    assert row.ni_low == pytest.approx(-0.2 - 0.00834, abs=1e-4)
    assert (row.verdict, row.higher_is_better, row.binary, row.range) == ("regressed", False, False, (0.0, None))
    assert row.method == "paired t interval, sign-flip, 9999 permutations"
    assert row.p_exact is None


def test_a_row_without_a_verdict_has_its_reason_and_no_numbers(tmp_path: Path) -> None:
    row = one(tmp_path, "acc", [1.0, 0.0, 1.0], [1.0, 0.0, None])
    assert (row.verdict, row.reason) == ("error", "1 item could not be scored: 3")
    assert (row.n, row.baseline, row.candidate) == (0, pytest.approx(2 / 3), 0.5)
    empty = ("delta", "ci_low", "ci_high", "ni_low", "p_difference", "p_holm", "p_noninferior", "method", "flips")
    assert {getattr(row, name) for name in (*empty, "power")} == {None}
    assert row.margin == 0.03
    assert row.slices == ()


@pytest.mark.parametrize(
    ("options", "verdict", "decision"),
    [
        ({"after_changes": {"scorer_version": 2}}, "incomparable", "block"),
        ({"after_changes": {"suite.tasks.0.digest": "0" * 64}}, "incomparable", "block"),
        ({"after_changes": {"metrics.0.version": 2}}, "incomparable", "block"),
        ({"after_edit": lambda sample: sample.update(item_digest="0" * 64)}, "incomparable", "block"),
        ({"after_edit": lambda sample: sample.update(truncated=True)}, "incomparable", "block"),
        ({"after_changes": {"suite.digest": "0" * 64}}, "equivalent", "promote"),  # its tasks are the same
        ({"after_changes": {"engine.dtype": "bfloat16"}}, "equivalent", "promote"),
    ],
)
@pytest.mark.parametrize("context", ["pull_request", "release"])
def test_what_is_not_the_same_is_incomparable_and_blocks(
    tmp_path: Path, options: dict[str, Any], verdict: str, decision: str, context: Any
) -> None:
    sides: tuple[Tasks, Tasks] = {"t": {"acc": [1.0] * 200}}, {"t": {"acc": [1.0] * 200}}
    found = decide(tmp_path, *sides, {"t/acc": MARGIN}, context=context, **options)
    assert (found.metrics[0].verdict, found.decision) == (verdict, decision)
    assert (found.comparability.refused != ()) == (verdict == "incomparable")


def test_a_metric_of_one_side_is_missing_on_the_other(tmp_path: Path) -> None:
    before, after = {"t": {"acc": [1.0, 0.0]}}, {"t": {"acc": [1.0, 0.0], "acc_norm": [1.0, 1.0]}}
    same_task = {
        "after_changes": {"suite.tasks.0.digest": "a" * 64},
        "before_changes": {"suite.tasks.0.digest": "a" * 64},
    }
    for number, sides in enumerate([(before, after), (after, before)]):
        found = decide(tmp_path / str(number), *sides, {"t/*": MARGIN}, **same_task)
        row = metric_of(found, "t/acc_norm")
        side = "candidate" if number else "baseline"
        assert (row.verdict, row.reason) == ("missing", f"the {side} does not have this metric")
        assert (row.baseline, row.candidate) == ((1.0, None) if number else (None, 1.0))


def test_metrics_stand_in_the_candidate_s_order_and_what_only_the_baseline_has_comes_last(tmp_path: Path) -> None:
    before = {"a": {"acc": [1.0]}, "b": {"f1": [1.0]}, "old": {"acc": [1.0]}}
    after = {"new": {"acc": [1.0]}, "b": {"f1": [1.0]}, "a": {"acc": [1.0]}}
    found = decide(tmp_path, before, after, {"*": MARGIN})
    assert [row.task for row in found.metrics] == ["new", "b", "a", "old"]


def test_a_policy_that_cannot_be_applied_is_refused_before_anything_is_compared(tmp_path: Path) -> None:
    sides: tuple[Tasks, Tasks] = {"t": {"acc": [1.0]}}, {"t": {"acc": [1.0]}}
    with pytest.raises(InvalidInput, match="MR504 no metric decides"):
        decide(tmp_path, *sides, {})
    with pytest.raises(InvalidInput, match="MR505 `t/acc`: a margin of 2 lets everything pass"):
        decide(tmp_path, *sides, {"t/acc": {"margin": 2}})


def read_back(document: Diff, model: type[Diff]) -> Diff:
    located: Located = read_json(decode(document.to_bytes(), "comparison.json"), "comparison.json")
    return validate(model, located)


def test_a_comparison_reads_back_as_it_was_written_and_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    before = {"a": {"acc": [1.0, 0.0] * 40, "acc_norm": [1.0] * 80}, "b": {"nll": [1.0 + n / 7 for n in range(80)]}}
    after = {"a": {"acc": [1.0] * 80, "acc_norm": [1.0] * 80}, "b": {"nll": [1.0 + n / 8 for n in range(80)]}}
    found = decide(tmp_path, before, after, {"*": MARGIN}, after_slices=["kind"], before_slices=["kind"])
    assert read_back(found, Comparison) == found
    again = decide(tmp_path, before, after, {"*": MARGIN}, after_slices=["kind"], before_slices=["kind"])
    assert again.to_bytes() == found.to_bytes()
    assert [part.value for part in metric_of(found, "a/acc").slices] == ["all"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([0.0] * 40, [0.0] * 40),
        ([1.0], [0.0]),
        ([1.7e308, 1.0] * 20, [1.0, 1.7e308] * 20),
        ([5e-324] * 40, [0.0] * 40),
        ([1e-300, 1e300] * 20, [1e300, 1e-300] * 20),
        ([1.7e308] * 40, [0.0] * 40),
    ],
)
def test_no_scores_make_a_document_that_is_no_json(tmp_path: Path, before: Scores, after: Scores) -> None:
    sides: tuple[Tasks, Tasks] = {"t": {"perplexity": before}}, {"t": {"perplexity": after}}
    found = decide(tmp_path, *sides, {"t/perplexity": {"margin": 1e-300}})
    assert read_back(found, Comparison) == found
    assert found.decision in {"promote", "block"}


def comparable(found: Comparison) -> dict[str, Any]:
    """Return what must not depend on the order of the items: all but the samples' digests and the examples' order."""
    document = found.plain()
    for side in ("baseline", "candidate"):
        del document[side]["samples_sha256"]
    for row in document["metrics"]:
        if row["flips"]:
            del row["flips"]["examples"]
    return document


triples = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60
)


@given(rows=triples, seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_the_order_of_the_items_is_irrelevant(
    rows: list[tuple[int, int, int, int]], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("order")
    before: Tasks = {"a": {"acc": [float(r[0]) for r in rows]}, "b": {"nll": [r[2] / 3 for r in rows]}}
    after: Tasks = {"a": {"acc": [float(r[1]) for r in rows]}, "b": {"nll": [r[3] / 3 for r in rows]}}

    def shuffled(samples: list[Sample]) -> list[Sample]:
        return Random(seed).sample(samples, len(samples))

    options = {"before_edit": by_half, "after_edit": by_half}
    straight = decide(folder, before, after, {"*": MARGIN}, **options)
    for orders in ({"before_order": shuffled}, {"before_order": shuffled, "after_order": shuffled}):
        assert comparable(decide(folder, before, after, {"*": MARGIN}, **options, **orders)) == comparable(straight)


def by_half(sample: Sample) -> None:
    sample["slices"] = {"half": str(int(sample["item_id"]) % 2)}


SWAPPED = {"better": "regressed", "regressed": "better", "inconclusive": "inconclusive", "equivalent": "equivalent"}


@given(rows=triples)
@settings(deadline=None, max_examples=25)
def test_swapping_sides_negates_intervals_and_swaps_the_verdicts(
    rows: list[tuple[int, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("swap")
    before: Tasks = {"a": {"acc": [float(r[0]) for r in rows]}, "b": {"nll": [r[2] / 3 for r in rows]}}
    after: Tasks = {"a": {"acc": [float(r[1]) for r in rows]}, "b": {"nll": [r[3] / 3 for r in rows]}}
    sides = read_pair(folder, before, after)
    there, back = diff(*sides, no_texts), diff(sides[1], sides[0], no_texts)
    for one_way, other in zip(there.metrics, back.metrics, strict=True):
        negated = [None if end is None else 0.0 - end for end in (other.ci_high, other.ci_low)]
        assert [one_way.ci_low, one_way.ci_high] == negated
        assert one_way.p_difference == other.p_difference
        if len(rows) >= 30:
            assert SWAPPED[one_way.verdict] == other.verdict
        assert one_way.flips is not None
        assert other.flips is not None
        assert (one_way.flips.fixed, one_way.flips.broken) == (other.flips.broken, other.flips.fixed)


def test_items_that_agree_change_the_interval_and_not_mcnemar(tmp_path: Path) -> None:
    few, many = (one(tmp_path / str(n), "acc", *table(n, 8, 3, 10)) for n in (100, 1000))
    assert (few.p_difference, few.p_exact) == (many.p_difference, many.p_exact)
    assert few.ci_low is not None
    assert many.ci_low is not None
    assert few.ci_low < many.ci_low < 0


def test_identical_outputs_pass_at_any_n_and_equal_scores_do_not(tmp_path: Path) -> None:
    twins = one(tmp_path / "twins", "acc", [1.0, 0.0], [1.0, 0.0], after_model="model_v1.0")
    assert (twins.verdict, twins.reason) == ("equivalent", "inputs and outputs are identical on all items")
    others = one(tmp_path / "others", "acc", [1.0, 0.0], [1.0, 0.0])
    assert others.verdict == "inconclusive"


def test_what_was_left_out_is_not_called_identical(tmp_path: Path) -> None:
    sides: tuple[Tasks, Tasks] = {"t": {"acc": [1.0, 0.0]}}, {"t": {"acc": [1.0, 0.0, 1.0]}}
    found = decide(tmp_path, *sides, {"t/acc": MARGIN}, intersect=True, after_model="model_v1.0")
    assert (found.metrics[0].verdict, found.metrics[0].n) == ("inconclusive", 2)
    assert found.warnings == ("t: left out 1 item, not the same on both sides: 3",)


def test_alpha_is_the_width_of_the_interval(tmp_path: Path) -> None:
    sides: tuple[Tasks, Tasks] = {"t": {"acc": table(95, 0, 5)[0]}}, {"t": {"acc": table(95, 0, 5)[1]}}
    narrow, wide = (
        decide(tmp_path / str(alpha), *sides, {"t/acc": MARGIN}, gate={"alpha": alpha}) for alpha in (0.2, 0.01)
    )
    assert (narrow.confidence, wide.confidence) == (0.8, 0.99)
    assert narrow.metrics[0].ci_low is not None
    assert wide.metrics[0].ci_low is not None
    assert wide.metrics[0].ci_low < 0 < narrow.metrics[0].ci_low


def test_a_diff_has_no_policy_and_every_metric_is_information(tmp_path: Path) -> None:
    sides = read_pair(tmp_path, {"t": {"acc": table(50, 9, 2)[0]}}, {"t": {"acc": table(50, 9, 2)[1]}})
    found = diff(*sides, no_texts)
    row = found.metrics[0]
    assert (row.role, row.margin, row.p_holm, row.verdict) == ("info", None, None, "regressed")
    assert read_back(found, Diff) == found
    compared = compare(*sides, Question(policy({"t/acc": MARGIN})), no_texts)
    assert (found.baseline, found.candidate, found.subject) == (compared.baseline, compared.candidate, ("model",))


def test_who_resolved_the_sides_is_kept(tmp_path: Path) -> None:
    sides = read_pair(tmp_path, {"t": {"acc": [1.0]}}, {"t": {"acc": [1.0]}})
    question = Question(policy({"t/acc": MARGIN}), "pull_request", resolved_by=("ledger", "added version"))
    found = compare(*sides, question, no_texts)
    assert (found.baseline.resolved_by, found.candidate.resolved_by) == ("ledger", "added version")
    assert found.policies[0].source_ref == "modelrelease.yaml"
