from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.reports.budget import Section, fit, units

ROW = "x" * 100


def section(name: str, rows: int, rank: int, *, stays: bool = False) -> Section:
    return Section((f"[{name}",), (ROW,) * rows, (f"{name}]",), rank, stays)


@pytest.mark.parametrize(("text", "size"), [("", 0), ("abc", 3), ("é", 1), ("\U0001f600", 2)])
def test_sizes_are_in_utf_16_units(text: str, size: int) -> None:
    assert units(text) == size


def test_what_fits_is_left_as_it_is() -> None:
    sections = [Section(("a", "b")), Section(), Section(("c",), ("d",), ("e",))]
    assert fit(sections, 11, "x") == "a\nb\n\nc\nd\ne\n"


def test_rows_go_before_sections_and_the_least_important_go_first() -> None:
    sections = [Section(("first",), stays=True), section("a", 5, 1), section("b", 5, 2)]
    assert fit(sections, 1025, "the summary").endswith(f"[b\n{ROW}\n\n… and 4 more rows in the summary\nb]\n")
    text = fit(sections, 800, "the summary")
    assert text.count(ROW) == 5
    assert text.endswith("a]\n\n… and 1 more section in the summary\n")
    assert fit(sections, 650, "the summary").count(ROW) == 3


def test_equal_ranks_share_the_room() -> None:
    text = fit([section("a", 9, 1), section("b", 9, 1)], 1100, "x")
    assert [part.count(ROW) for part in text.split("a]")] == [4, 3]


def test_a_long_row_ends_its_own_section_only() -> None:
    long = Section(("[a",), (ROW * 50, ROW), ("a]",), 1)
    assert fit([long, section("b", 5, 1)], 1000, "x").startswith("[b\n")


def test_what_stays_stays_without_its_rows() -> None:
    text = fit([section("a", 50, 1, stays=True), section("b", 5, 0)], 300, "x")
    assert text == "[a\n\n… and 50 more rows in x\na]\n\n… and 1 more section in x\n"


def test_a_limit_below_what_stays_is_refused() -> None:
    with pytest.raises(ValueError, match="too low"):
        fit([Section((ROW,) * 10, stays=True)], 500, "x")


SECTIONS = st.builds(
    Section,
    head=st.tuples(st.text(max_size=20)),
    rows=st.lists(st.text(max_size=200), max_size=12).map(tuple),
    tail=st.tuples(st.text(max_size=5)),
    rank=st.integers(0, 4),
)


@given(st.lists(SECTIONS, max_size=12), st.integers(200, 3000))
def test_a_limit_is_never_exceeded(sections: list[Section], limit: int) -> None:
    first = Section(("the decision",), stays=True)
    text = fit([first, *sections], limit, "the job summary")
    assert units(text) <= limit
    assert text.startswith("the decision")
