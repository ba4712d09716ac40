"""What two samples of one item make: nothing, a flip that is explained, or a mismatch."""

from __future__ import annotations

from typing import Any

import pytest

from modelrelease.records.reproduction import MAX_LISTED
from modelrelease.reproduction.outcome import Differences, compare_samples

TOLERANCE = 0.1
PLAIN: dict[str, Any] = {
    "task": "pick",
    "item_id": "q1",
    "item_digest": "d",
    "cluster": None,
    "slices": {"topic": "even"},
    "prompt_tokens": 5,
    "repeat": 0,
    "scores": {"acc": 1.0},
    "output": None,
    "prediction": 0,
    "target": 0,
    "loglikelihoods": [-1.0, -2.0, -3.0],
    "greedy": [True, False, False],
    "input_digest": "i",
    "truncated": False,
    "boundary_mismatch": False,
    "tie": False,
    "error": None,
}
TEXT = {
    **PLAIN,
    "task": "say",
    "loglikelihoods": [],
    "greedy": [],
    "output": "four",
    "prediction": "four",
    "target": "4",
}
LONG = {
    **PLAIN,
    "task": "read",
    "loglikelihoods": [-5000.0],
    "greedy": [False],
    "prediction": None,
    "scores": {"nll": 2.5},
}
KINDS: Any = {"pick": "multiple_choice", "say": "generate", "read": "perplexity"}


def compare(before: dict[str, Any], after: dict[str, Any], lengths: list[int] | None = None) -> Differences:
    known = {(before["task"], before["item_id"]): lengths} if lengths else {}
    return compare_samples([before], [after], KINDS, TOLERANCE, known)


SAME: dict[str, tuple[dict[str, Any], dict[str, Any], float | None]] = {
    "nothing": (PLAIN, {}, 0.0),
    "within the tolerance": (PLAIN, {"loglikelihoods": [-1.05, -2.0, -3.0]}, 0.05),
    "on the tolerance, as floats have it": (PLAIN, {"loglikelihoods": [-1.0, -2.0, -2.9000000000000004]}, 0.1),
    "a greedy flag": (PLAIN, {"greedy": [False, False, False]}, 0.0),
    "a text that leads to the same": (TEXT, {"output": "four."}, None),
    "a long text, by the root of its length": (LONG, {"loglikelihoods": [-5000.9], "scores": {"nll": 2.50045}}, 0.9),
}


@pytest.mark.parametrize("name", SAME)
def test_equivalent(name: str) -> None:
    before, change, largest = SAME[name]
    found = compare(before, {**before, **change})
    assert (found.mismatch_count, found.flip_count) == (0, 0)
    assert found.largest == (None if largest is None else pytest.approx(largest))
    assert found.outcome(same_bytes=not change) == ("equivalent" if change else "exact")


MISMATCHES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "beyond the tolerance": (PLAIN, {"loglikelihoods": [-1.0, -2.0, -3.2]}, "log-likelihood"),
    "a flip that the tolerance does not allow": (
        PLAIN,
        {"loglikelihoods": [-2.0, -1.0, -3.0], "prediction": 1, "scores": {"acc": 0.0}},
        "log-likelihood, and prediction 0 → 1, acc 1 → 0",
    ),
    "another score from the same numbers": (
        PLAIN,
        {"scores": {"acc": 0.0}},
        "acc 1 → 0, from the same log-likelihoods",
    ),
    "another text": (
        TEXT,
        {"output": "five", "prediction": "five", "scores": {"acc": 0.0}},
        "its text went another way: another prediction, acc 1 → 0",
    ),
    "no text": (TEXT, {"output": None, "error": "NaN", "scores": {}}, "error: none → 'NaN'"),
    "other tokens": (PLAIN, {"input_digest": "j"}, "was asked something else (input_digest)"),
    "a choice fewer": (PLAIN, {"loglikelihoods": [-1.0, -2.0]}, "another number of log-likelihoods"),
    "a long text, too far": (LONG, {"loglikelihoods": [-5001.1]}, "log-likelihood"),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_mismatches_say_what(name: str) -> None:
    before, change, what = MISMATCHES[name]
    found = compare(before, {**before, **change})
    assert [one.what for one in found.mismatches] == [what]
    assert found.outcome(same_bytes=False) == "mismatch"


def test_a_flip_within_the_tolerance_has_its_gap() -> None:
    before = {**PLAIN, "loglikelihoods": [-1.0, -1.15, -3.0]}
    after = {**before, "loglikelihoods": [-1.09, -1.08, -3.0], "prediction": 1, "scores": {"acc": 0.0}}
    found = compare(before, after)
    assert [flip.gap for flip in found.flips] == [pytest.approx(0.15)]
    assert found.flips[0].gap is not None
    assert found.flips[0].gap < 2 * TOLERANCE
    assert found.outcome(same_bytes=False) == "variance-documented"


def test_a_flip_by_length_has_the_gap_of_its_sums_per_character() -> None:
    """-1.0 / 10 is ahead of -2.0 / 19 by 0.0053 a character; 0.069 nats towards each other and they meet."""
    before = {**PLAIN, "loglikelihoods": [-1.0, -2.0, -9.0], "scores": {"acc": 1.0, "acc_norm": 1.0}}
    after = {**before, "loglikelihoods": [-1.09, -2.0, -9.0], "scores": {"acc": 1.0, "acc_norm": 0.0}}
    lengths = [10, 19, 12]
    (flip,) = compare(before, after, lengths).flips
    assert flip.gap == pytest.approx(2 * (2 / 19 - 1 / 10) / (1 / 10 + 1 / 19))
    half = flip.gap / 2
    assert (-1.0 - half) / 10 == pytest.approx((-2.0 + half) / 19)
    assert compare(before, after).flips[0].gap is None


def test_lists_are_bounded_and_counts_are_not() -> None:
    far = [{**PLAIN, "item_id": f"q{n}"} for n in range(MAX_LISTED + 5)]
    moved = [{**one, "loglikelihoods": [-9.0, -2.0, -3.0]} for one in far]
    found = compare_samples(far, moved, KINDS, TOLERANCE, {})
    assert (len(found.mismatches), found.mismatch_count, found.items) == (MAX_LISTED, MAX_LISTED + 5, MAX_LISTED + 5)
