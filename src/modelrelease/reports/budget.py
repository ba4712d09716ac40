"""A report cut to what its place takes: rows go first, then whole sections, least important first.

Sizes are in UTF-16 code units. GitHub refuses a comment of more than 65,536 characters and does not say which it
counts; no other way of counting characters gives more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ROOM_FOR_A_NOTE = 120


@dataclass(frozen=True)
class Section:
    """A part of a report: lines that belong together, around rows of which the last can be left out.

    A row is one line or a block of lines. ``rank`` is 0 for what is left out last. ``stays``: its head and tail are
    there whatever happens; another section is nothing without rows, unless it never had any.
    """

    head: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    rank: int = 0
    stays: bool = False


def units(text: str) -> int:
    """Return the size of ``text`` in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def fit(sections: Sequence[Section], limit: int, elsewhere: str) -> str:
    """Return the sections as one text of at most ``limit`` units, and say what was left out and is ``elsewhere``.

    Rows are kept by rank, first rows of equally ranked sections before second ones. Raises ValueError where not even
    the sections that stay fit.
    """
    whole = _join(_lines(section, len(section.rows), elsewhere) for section in sections)
    if units(whole) <= limit:
        return whole
    kept, room = _kept_sections(sections, limit - _ROOM_FOR_A_NOTE)
    counts = _kept_rows(sections, kept, room)
    kept = [n for n in kept if counts[n] or sections[n].stays or not sections[n].rows]
    parts = [_lines(sections[n], counts[n], elsewhere) for n in kept]
    left = len(sections) - len(kept)
    if left:
        place = max((at for at, n in enumerate(kept) if not sections[n].stays), default=len(kept) - 1) + 1
        parts.insert(place, [f"… and {left} more section{'s' if left > 1 else ''} in {elsewhere}"])
    return _join(parts)


def _kept_sections(sections: Sequence[Section], room: int) -> tuple[list[int], int]:
    """Return which sections' frames fit, in order, and what they leave for rows."""
    kept = list(range(len(sections)))
    room -= sum(map(_frame, sections))
    for number in sorted(kept, key=lambda n: (-sections[n].rank, -n)):
        if room >= 0:
            break
        if not sections[number].stays:
            kept.remove(number)
            room += _frame(sections[number])
    if room < 0:
        raise ValueError("the limit is too low for what has to be said")
    return kept, room


def _frame(section: Section) -> int:
    note = _ROOM_FOR_A_NOTE if section.rows else 0
    return sum(units(line) + 1 for line in (*section.head, *section.tail)) + 1 + note


def _kept_rows(sections: Sequence[Section], kept: Sequence[int], room: int) -> dict[int, int]:
    """Return how many rows of each section fit."""
    counts = dict.fromkeys(kept, 0)
    order = sorted((sections[n].rank, row, n) for n in kept for row in range(len(sections[n].rows)))
    full: set[int] = set()
    for _, row, number in order:
        size = units(sections[number].rows[row]) + 1
        if number in full or size > room:
            full.add(number)
            continue
        counts[number] += 1
        room -= size
    return counts


def _lines(section: Section, count: int, elsewhere: str) -> list[str]:
    left = len(section.rows) - count
    more = ["", f"… and {left:,} more row{'s' if left > 1 else ''} in {elsewhere}"] if left else []
    return [*section.head, *section.rows[:count], *more, *section.tail]


def _join(parts: Iterator[list[str]] | list[list[str]]) -> str:
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"
