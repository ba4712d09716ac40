"""What a test set can prove, before anything is scored: right-or-wrong items, nothing changed in truth. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from modelrelease.comparison.power import (
    fewest_items,
    finest_margin,
    items_needed,
    promotion_probability,
    smallest_margin,
)

USUAL_DISCORDANCES = (0.02, 0.05, 0.10, 0.20, 0.30)
POWER = 0.8
# Beyond this the exact enumeration takes seconds, and the normal approximation is as good as exact.
EXACT_ITEMS = 20_000


@dataclass(frozen=True)
class ItemsPlan:
    """At this share of flips, the items that clear the margin with 80 % power."""

    discordance: float
    items: int


@dataclass(frozen=True)
class MarginPlan:
    """At this share of flips, the margin that the items clear with 80 % power.

    ``promoted``: how often they do when nothing changed, exactly; None beyond ``EXACT_ITEMS``.
    """

    discordance: float
    margin: float
    promoted: float | None


def plan_items(margin: float, discordance: float | None, alpha: float) -> list[ItemsPlan]:
    """Return the items needed at ``discordance``, or at the usual ones."""
    fewest = fewest_items(margin, alpha)
    return [ItemsPlan(d, max(fewest, items_needed(margin, d, alpha, POWER))) for d in _discordances(discordance)]


def plan_margins(items: int, discordance: float | None, alpha: float) -> list[MarginPlan]:
    """Return the margins that ``items`` can prove at ``discordance``, or at the usual ones."""
    plans = []
    for share in _discordances(discordance):
        margin = max(smallest_margin(items, share, alpha, POWER), finest_margin(items, alpha))
        exact = items <= EXACT_ITEMS and margin < 1
        promoted = promotion_probability(items, margin, share, alpha=alpha) if exact else None
        plans.append(MarginPlan(share, margin, promoted))
    return plans


def whole_point_margin(items: int, discordance: float, alpha: float) -> float:
    """Return the smallest margin in whole points (0.03) that ``items`` clear with 80 % power when nothing changed.

    Exact up to ``EXACT_ITEMS``: below some 150 items, the margins of ``plan_margins`` come from an approximation that
    promises too much. At most 0.99, since a margin of everything is none.
    """
    (plan,) = plan_margins(items, discordance, alpha)
    points = min(99, max(1, math.ceil(round(plan.margin * 100, 6))))
    while items <= EXACT_ITEMS and points < 99:
        if promotion_probability(items, points / 100, discordance, alpha=alpha) >= POWER:
            break
        points += 1
    return points / 100


def proves(items: int, margin: float, discordance: float, alpha: float) -> bool:
    """Say whether ``items`` clear ``margin`` with 80 % power when nothing changed; as :func:`whole_point_margin`."""
    if margin >= 1 or items <= EXACT_ITEMS:
        return margin >= 1 or promotion_probability(items, margin, discordance, alpha=alpha) >= POWER
    least = max(smallest_margin(items, discordance, alpha, POWER), finest_margin(items, alpha))
    return round(least * 100, 6) <= margin * 100


def _discordances(discordance: float | None) -> tuple[float, ...]:
    return USUAL_DISCORDANCES if discordance is None else (discordance,)
