"""What the gate's policy asks, held against what the suite has: metrics, margins, floors. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelrelease.comparison.floors import lower_bound_binary
from modelrelease.comparison.plan import plan_items, proves, whole_point_margin
from modelrelease.comparison.policy import check_policy_of, exact_names, policy_for, unmatched_patterns
from modelrelease.doctor.section import Section
from modelrelease.errors import InvalidInput
from modelrelease.numbers import show_delta, show_few, show_items, show_value
from modelrelease.records.config import GatePolicy, MetricPolicy
from modelrelease.records.diagnosis import Check
from modelrelease.records.metric_types import METRICS, MetricType
from modelrelease.records.repository_settings import Unseen
from modelrelease.scaffold.margins import DISCORDANCE

_HERE = Section("configuration")
_LATER = Unseen(
    "what its items can prove depends on how far their values spread",
    "compare two versions: every report says what the items can show",
)
_MOST_ITEMS = 10_000_000


@dataclass(frozen=True)
class Asked:
    """A metric of the suite, and the items of its task."""

    task: str
    metric: str
    items: int

    @property
    def name(self) -> str:
        """Return ``task/metric``."""
        return f"{self.task}/{self.metric}"

    @property
    def kind(self) -> MetricType:
        """Return what is known of the metric."""
        return METRICS[self.metric]

    @property
    def range(self) -> tuple[float, float | None]:
        """Return its lowest and highest value."""
        return self.kind.low, self.kind.high

    @property
    def higher_is_better(self) -> bool:
        """Return its direction."""
        return self.kind.higher_is_better


def check_gate(gate: GatePolicy, asked: Sequence[Asked], source: str) -> Iterator[Check]:
    """Yield whether the metrics that decide exist, and for each of them what its items can prove."""
    names = [one.name for one in asked]
    known = {*names}
    missing = [name for name in exact_names(gate.metrics) if name not in known]
    missing += unmatched_patterns(gate.metrics, names)
    if missing:
        step = f"correct the name or take it out; the suite has {show_few(names, 5)}"
        yield _HERE.todo("gate metrics", f"the suite has no {show_few(missing, 5)}, which the gate names", step)
    try:
        check_policy_of(gate, source, asked)
    except InvalidInput as error:
        yield _HERE.finding("gate metrics", error.findings[0], len(error.findings) - 1)
        return
    deciding = [(one, found[1]) for one in asked if (found := policy_for(one.name, gate.metrics)) is not None]
    deciding = [(one, policy) for one, policy in deciding if policy.role == "gate"]
    if not missing:
        yield _HERE.ok("gate metrics", f"{len(deciding)} decide{'s' if len(deciding) == 1 else ''}, all in the suite")
    for one, policy in deciding:
        yield _margin(one, policy, gate)
        if policy.min is not None and one.kind.binary:
            yield _floor(one, policy.min, gate.alpha)


def _margin(one: Asked, policy: MetricPolicy, gate: GatePolicy) -> Check:
    assert policy.margin is not None  # what decides has one: the config's reader sees to it
    name = f"margin of {one.name}"
    count = show_items(one.items)
    if one.items < gate.min_items:
        step = f"add items until there are {gate.min_items}, or take the metric out of the gate (`role: info`)"
        return _HERE.todo(name, f"{count} are fewer than `min_items`, and prove nothing", step)
    if not one.kind.binary:
        return _HERE.unseen(name, _LATER)
    margin = show_delta(policy.margin, points=True, sign=False)
    if proves(one.items, policy.margin, DISCORDANCE, gate.alpha):
        return _HERE.ok(name, f"{count} can rule out a loss of {margin} points")
    least = whole_point_margin(one.items, DISCORDANCE, gate.alpha)
    (needed,) = plan_items(policy.margin, DISCORDANCE, gate.alpha)
    says = (
        f"{count} seldom rule out a loss of {margin} points: where nothing got worse and {DISCORDANCE:.0%} of the"
        " items flip, less than 80 % of the comparisons would"
    )
    step = f"set `margin: {least:g}`, or add items: some {needed.items:,} are needed for this one"
    return _HERE.todo(name, says, step)


def _floor(one: Asked, floor: float, alpha: float) -> Check:
    name = f"floor of {one.name}"
    reach = lower_bound_binary(one.items, one.items, alpha)
    shown, count = show_value(floor, points=True), show_items(one.items)
    if reach >= floor:
        return _HERE.ok(name, f"{count} can clear a floor of {shown}")
    needed = _items_for(floor, alpha)
    more = f"; {needed:,} items can clear this one" if needed is not None else ""
    step = f"set `min` to {int(reach * 100) / 100:g} or less{more}"
    return _HERE.todo(name, f"{count} cannot clear a floor of {shown}, even if all were right", step)


def _items_for(floor: float, alpha: float) -> int | None:
    """Return the fewest items that, all right, clear ``floor``; None where no number of them does."""
    low, high = 1, _MOST_ITEMS
    if floor >= 1 or lower_bound_binary(high, high, alpha) < floor:
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if lower_bound_binary(middle, middle, alpha) >= floor else (middle + 1, high)
    return low
