"""Which lines differ, held against counting them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.registry import lines
from modelrelease.registry.lines import differing_lines


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make windows so small that short files meet all of their edges."""
    monkeypatch.setattr(lines, "_WINDOW", 64)
    monkeypatch.setattr(lines, "_LOOK_AHEAD", (2, 4, 8))


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def balance(old: bytes, new: bytes, size: int) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    for side, number, line in differing_lines(pieces(old, size), pieces(new, size)):
        assert (old, new)[side].split(b"\n")[number - 1].rstrip(b"\r") == line.rstrip(b"\r")
        found[line] += 1 if side else -1
    return Counter({line: count for line, count in found.items() if count and line})


def expected(old: bytes, new: bytes) -> Counter[bytes]:
    counts = Counter(new.split(b"\n"))
    counts.subtract(Counter(old.split(b"\n")))
    return Counter({line: count for line, count in counts.items() if count and line})


LINE = st.one_of(
    st.sampled_from([b"", b"a", b"b", b"same"]), st.binary(max_size=100).map(lambda data: data.hex().encode())
)
FILE = st.builds(lambda rows, end: b"\n".join(rows) + end, st.lists(LINE, max_size=30), st.sampled_from([b"", b"\n"]))


@given(FILE, FILE, st.integers(1, 200))
def test_what_comes_out_is_the_difference(old: bytes, new: bytes, size: int) -> None:
    assert balance(old, new, size) == expected(old, new)


@pytest.mark.parametrize("seed", range(200))
def test_edits_of_a_file_come_out(seed: int) -> None:
    chance = random.Random(seed)
    rows = [str(chance.randrange(10**9)).encode() * chance.choice([1, 1, 20]) for _ in range(40)]
    edited = list(rows)
    for _ in range(5):
        place = chance.randrange(len(edited))
        edited[place : place + chance.randrange(3)] = [b"new"] * chance.randrange(3)
    old, new = b"\n".join(rows) + b"\n", b"\n".join(edited) + b"\n"
    assert balance(old, new, 7) == expected(old, new)


def test_only_lines_that_differ_come_out() -> None:
    rows = [b"row %d" % number for number in range(1000)]
    edited = [*rows[:500], b"other", *rows[501:700], *rows[701:], b"last"]
    found = list(differing_lines([b"\n".join(rows) + b"\n"], [b"\n".join(edited) + b"\n"]))
    assert found == [(0, 501, b"row 500"), (1, 501, b"other"), (0, 701, b"row 700"), (1, 1000, b"last")]
