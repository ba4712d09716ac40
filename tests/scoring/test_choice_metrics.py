from __future__ import annotations

import math

import pytest

from modelrelease.scoring.metrics.choices import Pick, pick_choice
from modelrelease.scoring.metrics.likelihood import likelihood_score


@pytest.mark.parametrize(
    ("metric", "values", "choices", "pick"),
    [
        ("acc", [-3.0, -2.0, -4.0], ["a", "bbbb", "c"], Pick(1, False)),
        ("acc", [-2.0, -2.0, -4.0], ["a", "b", "c"], Pick(0, True)),
        ("acc", [-4.0, -2.0, -2.0], ["a", "b", "c"], Pick(1, True)),
        ("acc", [-3.0, -3.0, -1.0], ["a", "b", "c"], Pick(2, False)),
        ("acc_norm", [-3.0, -8.0], ["ab", "abcdefgh"], Pick(1, False)),  # -1.5 and -1.0 a character
        ("acc_norm", [-3.0, -6.0], ["ab", "abcd"], Pick(0, True)),
        ("acc_norm", [-3.0, -3.1], ["é", "éé"], Pick(1, False)),  # characters, not bytes
    ],
)
def test_the_most_likely_choice_is_picked_the_first_of_equals(
    metric: str, values: list[float], choices: list[str], pick: Pick
) -> None:
    assert pick_choice(metric, values, choices) == pick


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("nll", 1.5), ("perplexity", math.exp(1.5)), ("bits_per_byte", 6.0 / math.log(2) / 3)],
)
def test_likelihoods_per_token_and_per_byte(metric: str, expected: float) -> None:
    assert likelihood_score(metric, -6.0, 4, "aé") == pytest.approx(expected, rel=1e-15)


def test_a_perplexity_beyond_the_floats_is_an_error() -> None:
    with pytest.raises(OverflowError):
        likelihood_score("perplexity", -1000.0, 1, "a")
