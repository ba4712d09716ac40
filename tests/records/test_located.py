from __future__ import annotations

import pytest

from modelrelease.records.located import Keys, Located, Place

PLACES = Place(2, 2, children={"a": Place(3, 3, children={0: Place(4, 5, verbatim=True)})})


@pytest.mark.parametrize(
    ("keys", "line"),
    [((), 2), (("a",), 3), (("a", 0), 4), (("a", 1), 3), (("a", 0, "deep", "er"), 4), (("b",), 2), ((0,), 2)],
)
def test_a_line_is_that_of_the_value_or_of_its_nearest_known_ancestor(keys: Keys, line: int) -> None:
    assert Located({"a": [1]}, "f", lambda: PLACES).line_of(keys) == line


def test_a_value_read_from_nowhere_stands_on_line_one() -> None:
    assert Located({"a": 1}, "f").line_of(("a",)) == 1


def test_places_are_looked_for_once_and_only_when_asked_for() -> None:
    calls = []

    def places() -> Place:
        calls.append(1)
        return PLACES

    located = Located({"a": [1]}, "f", places)
    assert calls == []
    assert [located.line_of(("a",)), located.place_of(("a", 0)).text_line] == [3, 5]
    assert calls == [1]
