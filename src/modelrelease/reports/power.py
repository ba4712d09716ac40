"""``power``'s answers as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tabulate import tabulate

from modelrelease.numbers import show_count, show_delta, show_items


class Items(Protocol):
    """Items needed at a share of flips."""

    @property
    def discordance(self) -> float:
        """The share of items that flips."""

    @property
    def items(self) -> int:
        """The items needed."""


class Margin(Protocol):
    """A margin that can be proven at a share of flips."""

    @property
    def discordance(self) -> float:
        """The share of items that flips."""

    @property
    def margin(self) -> float:
        """The margin, as a share."""

    @property
    def promoted(self) -> float | None:
        """How often it is proven when nothing changed; None where it was not enumerated."""


def items_text(margin: float, plans: Sequence[Items]) -> str:
    """Return how many items prove ``margin``."""
    rows = [[f"{plan.discordance:.0%}", show_count(plan.items)] for plan in plans]
    table = tabulate(rows, headers=["items that flip", "items needed"], disable_numparse=True, stralign="right")
    points = show_delta(margin, True, sign=False)
    return f"To rule out a loss of {points} points with 80 % power when nothing changed:\n\n{table}\n"


def margins_text(items: int, plans: Sequence[Margin]) -> str:
    """Return which margins ``items`` items prove."""
    rows = [
        [
            f"{p.discordance:.0%}",
            show_delta(p.margin, True, sign=False) if p.margin < 1 else "none",
            "–" if p.promoted is None else f"{p.promoted:.0%}",
        ]
        for p in plans
    ]
    header = ["items that flip", "smallest margin", "proven"]
    table = tabulate(rows, headers=header, disable_numparse=True, stralign="right")
    return f"What {show_items(items)} can prove when nothing changed (margin in points):\n\n{table}\n"
