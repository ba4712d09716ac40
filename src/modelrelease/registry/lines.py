"""Which lines differ between two versions of a file that may be larger than memory.

Both are read in step, in pieces. What is the same is compared at the speed of memory; around what is not, a window of
lines is searched for the place where the two go on alike. A line that only moved comes out once on each side, so
whatever is added up over the result is right however well the window did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_WINDOW = 1 << 17
_LOOK_AHEAD = (4, 32, 256, 2048)
OLD, NEW = 0, 1


class _Side:
    """A file as a buffer that is filled from pieces; ``start`` is the first byte not yet dealt with."""

    __slots__ = ("buffer", "ended", "number", "pieces", "start")

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)
        self.buffer = b""
        self.start = 0
        self.ended = False
        self.number = 1

    def fill(self, size: int) -> int:
        """Hold at least ``size`` bytes where the file has them; return how many are held."""
        held = len(self.buffer) - self.start
        if held >= size or self.ended:
            return held
        parts = [self.buffer[self.start :]]
        while held < size:
            piece = next(self.pieces, None)
            if piece is None:
                self.ended = True
                break
            parts.append(piece)
            held += len(piece)
        self.buffer = b"".join(parts)
        self.start = 0
        return held

    def skip(self, size: int) -> None:
        """Leave ``size`` bytes behind, counting their lines."""
        self.number += self.buffer.count(b"\n", self.start, self.start + size)
        self.start += size

    def peek_lines(self, count: int) -> list[bytes]:
        """Return up to ``count`` lines with their ends, leaving them where they are."""
        lines: list[bytes] = []
        at = 0
        while len(lines) < count:
            end = self.buffer.find(b"\n", self.start + at)
            if end < 0:
                held = len(self.buffer) - self.start
                if not self.ended and self.fill(held + _WINDOW) > held:
                    continue
                if held > at:
                    lines.append(self.buffer[self.start + at :])
                return lines
            lines.append(self.buffer[self.start + at : end + 1])
            at = end + 1 - self.start
        return lines


def differing_lines(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Yield ``(side, line number, line)`` for each line of the one file that has no counterpart in the other.

    ``old`` and ``new`` are the files in pieces of any size; a line comes without its line feed. Memory is that of a few
    pieces, or of the longest line.
    """
    sides = _Side(old), _Side(new)
    while True:
        held = min(*(side.fill(_WINDOW) for side in sides), _WINDOW)
        if held == 0:
            break
        same = _same_lines(sides, held)
        for side in sides:
            side.skip(same)
        if same == 0:
            yield from _resynchronise(sides)
    for which, side in enumerate(sides):
        while lines := side.peek_lines(_LOOK_AHEAD[-1]):
            yield from _take(which, side, lines)


def _same_lines(sides: tuple[_Side, _Side], held: int) -> int:
    """Return how many bytes from here on are the same, up to the end of a line; 0 where the first line differs."""
    old, new = sides
    while True:
        common = _common(old, new, held)
        at_end = common == held and all(side.ended and len(side.buffer) - side.start == held for side in sides)
        if at_end:
            return held
        end = old.buffer.rfind(b"\n", old.start, old.start + common) + 1
        if end > old.start or common < held:
            return max(0, end - old.start)
        longer = min(*(side.fill(2 * held) for side in sides), 2 * held)  # a line that is longer than the window
        if longer == held:
            return 0
        held = longer


def _common(old: _Side, new: _Side, size: int) -> int:
    """Return the length of the common beginning, at most ``size``, by halving."""
    one, other = old.buffer[old.start : old.start + size], new.buffer[new.start : new.start + size]
    if one == other:
        return size
    low = 0
    while size - low > 1:
        middle = (low + size) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            size = middle
    return low if one[low:size] != other[low:size] else size


def _resynchronise(sides: tuple[_Side, _Side]) -> Iterator[tuple[int, int, bytes]]:
    """Yield lines of both sides up to where they go on alike; all of the widest window where they do not."""
    windows: tuple[list[bytes], list[bytes]] = [], []
    meeting = None
    for count in _LOOK_AHEAD:
        windows = sides[OLD].peek_lines(count), sides[NEW].peek_lines(count)
        meeting = _meeting(*windows)
        if meeting is not None:
            break
    for which, side in enumerate(sides):
        lines = windows[which] if meeting is None else windows[which][: meeting[which]]
        yield from _take(which, side, lines)


def _take(which: int, side: _Side, lines: list[bytes]) -> Iterator[tuple[int, int, bytes]]:
    for line in lines:
        number = side.number
        side.skip(len(line))
        yield which, number, line.removesuffix(b"\n")


def _meeting(old: list[bytes], new: list[bytes]) -> tuple[int, int] | None:
    """Return the first pair of places from which both go on alike; a blank line meets nothing."""
    places: dict[bytes, int] = {}
    for place, line in enumerate(new):
        places.setdefault(line, place)
    best: tuple[int, int] | None = None
    for place, line in enumerate(old):
        if best is not None and place >= sum(best):
            break
        found = places.get(line)
        if found is not None and line.strip() and (best is None or place + found < sum(best)):
            best = place, found
    return best
