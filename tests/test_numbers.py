from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.numbers import (
    in_points,
    round_range,
    show_count,
    show_delta,
    show_interval,
    show_items,
    show_p,
    show_value,
)


@pytest.mark.parametrize(
    ("value", "points", "text"),
    [
        (0.32, True, "32.0"),
        (1.0, True, "100.0"),
        (0.0, True, "0.0"),
        (-0.0, True, "0.0"),
        (0.0004, True, "0.040"),
        (0.00051, True, "0.1"),
        (0.99999, True, "100.0"),
        (2.71828, False, "2.718"),
        (0.001234567, False, "0.001235"),
        (12345.678, False, "12346"),
        (1234567.0, False, "1.235e+06"),
        (1e-9, False, "1e-09"),
        (0.0000213, False, "2.13e-05"),
        (0.0, False, "0"),
        (-1.5, False, "−1.500"),
        (None, True, "–"),
        (None, False, "–"),
    ],
)
def test_a_mean_is_shown_in_points_or_with_four_digits(value: float | None, points: bool, text: str) -> None:
    assert show_value(value, points) == text


@pytest.mark.parametrize(
    ("value", "points", "text"),
    [
        (0.05, True, "+5.0"),
        (-0.05, True, "−5.0"),
        (0.0, True, "0.0"),
        (-0.0, True, "0.0"),
        (1 / 3000, True, "+0.033"),
        (-1e-9, True, "−1e-07"),
        (0.0213, False, "+0.0213"),
        (-21.345, False, "−21.3"),
        (0.0, False, "0"),
        (None, True, "–"),
    ],
)
def test_a_difference_has_a_sign(value: float | None, points: bool, text: str) -> None:
    assert show_delta(value, points) == text
    assert show_delta(value, points, sign=False) == text.lstrip("+−")


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_only_a_zero_is_shown_as_zero(value: float, points: bool) -> None:
    for text in (show_value(value, points), show_delta(value, points)):
        shown = float(text.replace("−", "-"))
        assert (shown == 0) == (value == 0)
        assert (shown < 0) == (value < 0)


def test_an_interval_without_an_end_is_a_dash() -> None:
    assert show_interval(-0.168, 0.069, True) == "[−16.8, +6.9]"
    assert show_interval(-0.0004, 0.0, True) == "[−0.040, 0.0]"
    assert show_interval(None, 0.1, True) == "–"
    assert show_interval(-0.1, None, False) == "–"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1.0, "1.00"),
        (0.5078125, "0.51"),
        (0.1, "0.10"),
        (0.0341, "0.034"),
        (0.00012, "0.00012"),
        (0.000099, "< 0.0001"),
        (0.0, "< 0.0001"),
        (None, "–"),
    ],
)
def test_a_p_value_has_two_digits(p: float | None, text: str) -> None:
    assert show_p(p) == text


def test_counts_have_their_thousands_apart_and_one_item_is_one() -> None:
    assert show_count(1_234_567) == "1,234,567"
    assert [show_items(count) for count in (0, 1, 2, 1100)] == ["0 items", "1 item", "2 items", "1,100 items"]


@pytest.mark.parametrize(
    ("low", "high", "rounded"),
    [
        (1089, 1808, (1000, 1900)),
        (1, 99, (1, 99)),
        (100, 101, (100, 110)),
        (999, 1001, (990, 1100)),
        (310, 310, (310, 310)),
        (10**15, 10**15, (10**15, 10**15)),
    ],
)
def test_a_range_of_counts_is_rounded_outwards(low: int, high: int, rounded: tuple[int, int]) -> None:
    assert round_range(low, high) == rounded


@given(st.integers(1, 10**15), st.integers(0, 10**15))
def test_rounding_never_narrows_a_range_nor_widens_it_by_more_than_a_tenth(low: int, more: int) -> None:
    down, up = round_range(low, low + more)
    assert down <= low <= low + more <= up
    assert low - down <= low / 10
    assert up - (low + more) <= (low + more) / 10


def test_a_share_is_shown_in_points_and_nothing_else() -> None:
    assert [in_points(r) for r in ((0.0, 1.0), (0.0, None), (0.0, 100.0), (-1.0, 1.0))] == [True, False, False, False]
