"""A report cut to what its place takes: rows go first, then sections, the least important first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_ROOM_FOR_A_NOTE = 120


@dataclass(frozen=True)
class Section:
    """A part of a report: lines that belong together, around rows of which the last can be left out.

    A row is one line or a block of lines. ``rank`` is 0 for what is left out last. ``stays``: its head and tail are
    there whatever happens; another section is left out with the last of its rows.
    """

    head: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    rank: int = 0
    stays: bool = False


Size = Callable[[str], int]


def units(text: str) -> int:
    """Return the size of ``text`` in UTF-16 code units: no other way of counting characters gives more."""
    return len(text.encode("utf-16-le")) // 2


def utf8_bytes(text: str) -> int:
    """Return the size of ``text`` in a file."""
    return len(text.encode())


def fit(sections: Sequence[Section], limit: int, elsewhere: str, size: Size = units) -> str:
    """Return the sections as one text of at most ``limit``, and say what was left out and is ``elsewhere``.

    Room is given by rank; among equals to every section's first row, then to every second one. Raises ValueError
    where not even the sections that stay fit.
    """
    whole = _join([_lines(section, len(section.rows), elsewhere) for section in sections])
    if size(whole) <= limit:
        return whole
    counts = _kept_rows(sections, limit - _ROOM_FOR_A_NOTE, size)
    parts = [_lines(sections[n], count, elsewhere) for n, count in sorted(counts.items())]
    left = len(sections) - len(counts)
    if left:
        last = max((at for at, n in enumerate(sorted(counts)) if not sections[n].stays), default=0)
        parts.insert(last + 1, [f"… and {left} more section{'s' if left > 1 else ''} in {elsewhere}"])
    return _join(parts)


def _kept_rows(sections: Sequence[Section], room: int, size: Size) -> dict[int, int]:
    """Return which sections are kept, and how many rows of each."""
    counts = {n: 0 for n, section in enumerate(sections) if section.stays}
    room -= sum(_frame(sections[n], size) for n in counts)
    if room < 0:
        raise ValueError("the limit is too low for what has to be said")
    order = sorted((s.rank, row, n) for n, s in enumerate(sections) for row in range(max(1, len(s.rows))))
    full: set[int] = set()
    for _, row, number in order:
        section = sections[number]
        needed = 0 if number in counts else _frame(section, size)
        needed += size(section.rows[row]) + 1 if section.rows else 0
        if number in full or needed > room:
            full.add(number)
            continue
        counts[number] = counts.get(number, 0) + bool(section.rows)
        room -= needed
    return counts


def _frame(section: Section, size: Size) -> int:
    note = _ROOM_FOR_A_NOTE if section.rows else 0
    return sum(size(line) + 1 for line in (*section.head, *section.tail)) + 1 + note


def _lines(section: Section, count: int, elsewhere: str) -> list[str]:
    left = len(section.rows) - count
    more = ["", f"… and {left:,} more row{'s' if left > 1 else ''} in {elsewhere}"] if left else []
    return [*section.head, *section.rows[:count], *more, *section.tail]


def _join(parts: list[list[str]]) -> str:
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"
