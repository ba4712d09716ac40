"""A document's plain value together with the line on which each part of it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Keys = tuple[str | int, ...]

# Deeper than any document people write, shallow enough for every recursive encoder behind the readers.
MAX_DEPTH = 64


class Place:
    """Where a value stands; lines count from 1.

    ``line`` is where a person looks for it: the line of its key, or where a list's item begins.
    ``text_line`` is the line on which a text's first character stands, and ``verbatim`` says whether a
    line of the text is a line of the file (as in a block after ``|``), so that lines inside it can be named.
    """

    __slots__ = ("children", "line", "text_line", "verbatim")

    def __init__(
        self, line: int, text_line: int, verbatim: bool = False, children: Mapping[str | int, Place] | None = None
    ) -> None:
        self.line = line
        self.text_line = text_line
        self.verbatim = verbatim
        self.children: Mapping[str | int, Place] = {} if children is None else children

    def _fields(self) -> tuple[int, int, bool, Mapping[str | int, Place]]:
        return self.line, self.text_line, self.verbatim, self.children

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and self._fields() == other._fields()

    def __repr__(self) -> str:
        return f"Place{self._fields()!r}"

    __hash__ = None  # type: ignore[assignment]


def _nowhere() -> Place:
    return Place(1, 1)


class Located:
    """A value of plain dicts, lists, texts, numbers, booleans and None, read from ``path``.

    ``places`` finds the lines; it is called at most once, and only when a line is asked for.
    """

    def __init__(self, value: Any, path: str, places: Callable[[], Place] = _nowhere) -> None:
        self.value = value
        self.path = path
        self.places = places

    @cached_property
    def _root(self) -> Place:
        return self.places()

    def place_of(self, keys: Keys) -> Place:
        """Return the place of the value under ``keys``, or of its nearest known ancestor."""
        place = self._root
        for key in keys:
            if key not in place.children:
                break
            place = place.children[key]
        return place

    def line_of(self, keys: Keys) -> int:
        """Return the line of the value under ``keys``, or of its nearest known ancestor."""
        return self.place_of(keys).line
