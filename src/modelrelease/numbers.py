"""Numbers as people read them: shares in points, never a 0 that is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

MINUS = "−"


def in_points(value_range: tuple[float, float | None]) -> bool:
    """Say whether a metric with this range is a share, shown in points (hundredths)."""
    return value_range == (0.0, 1.0)


def show_value(value: float | None, points: bool) -> str:
    """Return a mean: ``32.0`` for a share of .32, four significant digits otherwise; ``–`` for None."""
    if value is None:
        return "–"
    text = _fixed(abs(value) * 100, 1) if points else _significant(abs(value), 4)
    return (MINUS if value < 0 else "") + text


def show_delta(value: float | None, points: bool, *, sign: bool = True) -> str:
    """Return a difference with its sign: ``+5.0`` for .05 of a share. Only an exact 0 shows as 0."""
    if value is None:
        return "–"
    text = _fixed(abs(value) * 100, 1) if points else _significant(abs(value), 3)
    if not sign:
        return text
    return text if value == 0 else (MINUS if value < 0 else "+") + text


def show_interval(low: float | None, high: float | None, points: bool) -> str:
    """Return ``[−16.8, +6.9]``, or a dash where there is none."""
    if low is None or high is None:
        return "–"
    return f"[{show_delta(low, points)}, {show_delta(high, points)}]"


def show_count(count: int) -> str:
    """Return a count with thousands separated: ``1,100``."""
    return f"{count:,}"


def show_items(count: int) -> str:
    """Return ``1 item``, ``1,100 items``."""
    return f"{count:,} item{'' if count == 1 else 's'}"


def show_few(names: Sequence[str], most: int) -> str:
    """Return the first ``most`` names, and how many more there are: ``a, b and 3 more``."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def show_p(p: float | None) -> str:
    """Return a p value with two significant digits, ``< 0.0001`` below that."""
    if p is None:
        return "–"
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def round_range(low: int, high: int) -> tuple[int, int]:
    """Return a range of counts rounded outwards to two significant digits: 1,089–1,808 → 1,000–1,900."""
    return _rounded(low, math.floor), _rounded(high, math.ceil)


def _rounded(count: int, way: Callable[[float], int]) -> int:
    if count < 100:
        return count
    unit: int = 10 ** (len(str(count)) - 2)
    return way(count / unit) * unit


def _fixed(value: float, digits: int) -> str:
    """Fixed digits of 0 or more; more of them where the value would show as 0 and is none."""
    text = f"{value:.{digits}f}"
    return text if value == 0 or float(text) != 0 else _significant(value, 2)


def _significant(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    if not math.isfinite(value) or not 1e-4 <= value < 1e6:
        return f"{value:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(value)))
    return f"{value:.{decimals}f}"
