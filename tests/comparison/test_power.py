from __future__ import annotations

import itertools
import math

import pytest
from scipy.stats import chi2

from modelrelease.comparison.grids import Guard
from modelrelease.comparison.paired_binary import PairedTable, non_inferior
from modelrelease.comparison.plan import whole_point_margin
from modelrelease.comparison.power import (
    discordance_range,
    fewest_items,
    finest_margin,
    items_needed,
    miller_items,
    promotion_probability,
    rule_size,
    smallest_margin,
    variance_range,
)
from modelrelease.stats import wilson

SIZES = (30, 40, 52, 59, 75, 100, 150, 200, 219, 250, 300, 414, 500, 600, 700, 800, 1000)
MARGINS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1)
GAIN_RATES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
TANGO_ALONE = Guard(few_flips=0, without_gains=False)
FEW_FLIPS_ONLY = Guard(few_flips=10, without_gains=False)


@pytest.mark.parametrize(("discordance", "items"), [(0.02, 310), (0.05, 773), (0.10, 1546)])
def test_items_for_two_points_at_eighty_percent_power(discordance: float, items: int) -> None:
    assert items_needed(0.02, discordance) == items


@pytest.mark.parametrize("discordance", [0.02, 0.05, 0.10])
def test_what_the_items_needed_can_prove_is_the_margin_they_were_needed_for(discordance: float) -> None:
    n = items_needed(0.02, discordance)
    assert smallest_margin(n, discordance) <= 0.02 < smallest_margin(n - 1, discordance)


def test_items_without_any_variance_are_one_and_a_margin_is_above_zero() -> None:
    assert items_needed(0.02, 0.0) == 1
    with pytest.raises(ValueError, match="above 0"):
        items_needed(0.0, 0.1)


def test_millers_example() -> None:
    assert miller_items(1 / 9, 0.03) == 969


@pytest.mark.parametrize(("margin", "items"), [(0.05, 59), (0.03, 99), (0.02, 149), (0.01, 299), (0.005, 598)])
def test_the_fewest_items_are_those_from_which_the_rule_passes_without_flips(margin: float, items: int) -> None:
    assert fewest_items(margin) == items
    assert non_inferior(PairedTable(items, 0, 0, 0), margin, 0.05)
    assert not non_inferior(PairedTable(items - 1, 0, 0, 0), margin, 0.05)
    assert finest_margin(items) < margin <= finest_margin(items - 1)


def test_the_range_of_the_discordance_is_wilsons() -> None:
    assert discordance_range(110, 1000) == wilson(110, 1000, 0.95)


def test_the_range_of_a_variance_is_by_chi_square_and_open_for_one_value() -> None:
    low, high = variance_range(0.04, 20)
    assert low == pytest.approx(19 * 0.04 / chi2.ppf(0.975, 19), rel=1e-10)
    assert high == pytest.approx(19 * 0.04 / chi2.ppf(0.025, 19), rel=1e-10)
    assert variance_range(0.0, 1) == (0.0, math.inf)


def test_promotion_when_nothing_changed_at_817_items() -> None:
    assert promotion_probability(817, 0.02, 0.10) == pytest.approx(0.556, abs=5e-4)


def test_a_loss_is_promoted_less_often_and_a_gain_more_often() -> None:
    chances = [promotion_probability(817, 0.02, 0.10, loss) for loss in (-0.02, -0.01, 0.0, 0.01, 0.02, 0.03)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.97
    assert chances[-1] < 0.01


def test_a_loss_of_the_whole_margin_is_the_rules_size() -> None:
    assert promotion_probability(500, 0.03, 0.07, loss=0.03) == pytest.approx(rule_size(500, 0.03, 0.02), rel=1e-9)


@pytest.mark.parametrize(("discordance", "loss"), [(0.05, 0.06), (1.2, 0.0), (0.05, -0.06)])
def test_more_loss_than_flips_is_refused(discordance: float, loss: float) -> None:
    with pytest.raises(ValueError, match="items with rates"):
        promotion_probability(100, 0.02, discordance, loss)


def test_a_loss_of_the_whole_margin_passes_in_at_most_five_point_four_percent_of_any_cell_of_the_grid() -> None:
    sizes = [rule_size(*cell) for cell in itertools.product(SIZES, MARGINS, GAIN_RATES)]
    assert len(sizes) == 714
    assert 0.05 < max(sizes) <= 0.0541


@pytest.mark.parametrize(
    ("guard", "n", "margin", "expected"),
    [
        (TANGO_ALONE, 52, 0.05, 0.0694),
        (FEW_FLIPS_ONLY, 52, 0.05, 0.0),
        (FEW_FLIPS_ONLY, 219, 0.075, 0.0570),
        (Guard(), 219, 0.075, 0.0302),
    ],
)
def test_why_the_guard_is_as_it_is(guard: Guard, n: int, margin: float, expected: float) -> None:
    assert rule_size(n, margin, 0.0, guard=guard) == pytest.approx(expected, abs=5e-5)


def test_the_worst_cell_found_on_a_fine_grid() -> None:
    assert rule_size(41, 0.1, 0.4) == pytest.approx(0.0549, abs=5e-5)


def test_without_gains_the_guarded_rule_is_exact_at_every_size() -> None:
    assert max(rule_size(n, margin, 0.0) for n in range(30, 400, 3) for margin in MARGINS) <= 0.05


@pytest.mark.parametrize(("items", "points"), [(30, 20), (60, 15), (150, 7), (400, 5), (817, 3), (20_000, 1)])
def test_a_margin_in_whole_points_is_proven_in_four_of_five_and_the_next_smaller_one_is_not(
    items: int, points: int
) -> None:
    assert whole_point_margin(items, 0.1, 0.05) == points / 100
    assert promotion_probability(items, points / 100, 0.1, alpha=0.05) >= 0.8
    assert points == 1 or promotion_probability(items, (points - 1) / 100, 0.1, alpha=0.05) < 0.8


@pytest.mark.parametrize(("items", "points"), [(1, 96), (2, 78), (10_000_000, 1)])
def test_a_margin_in_whole_points_is_never_everything_or_nothing(items: int, points: int) -> None:
    """Without a flip, n items rule out 1 - .05^(1/n): .95 and .776, of which the first is not below but at alpha."""
    assert whole_point_margin(items, 0.1, 0.05) == points / 100
