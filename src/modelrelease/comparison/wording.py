"""The sentences of a comparison. They stand in comparison.json, so every report says the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelrelease.comparison.measure import Measure
from modelrelease.comparison.pairing import show_ids
from modelrelease.numbers import in_points, round_range, show_count, show_delta, show_items, show_p, show_value
from modelrelease.records.config import Context, GatePolicy

if TYPE_CHECKING:
    from modelrelease.comparison.judgement import Ruling

NEXT: dict[Context, str] = {"pull_request": "merge", "release": "release it"}
_SHOWN_NAMES = 3


def outcome(ruling: Ruling) -> str:
    """Return a metric's name, verdict and reason as one clause."""
    return f"{_name_and_verdict(ruling)}: {reason(ruling)}"


def _name_and_verdict(ruling: Ruling) -> str:
    verdict = ruling.judged.verdict
    return f"{ruling.measure.name} {'has errors' if verdict == 'error' else f'is {verdict}'}"


def reason(ruling: Ruling) -> str:
    """Return why a metric has its verdict."""
    measure, why = ruling.measure, ruling.judged.why
    if measure.problem is not None:
        return measure.problem.reason
    p = ruling.p_holm if ruling.p_holm is not None else measure.evidence.p_difference
    size, tested = _amount(measure, abs(measure.delta)), f"p = {show_p(p)}".replace("= <", "<")
    margin = _amount(measure, ruling.policy.margin if ruling.policy else None)
    by_chance = f", which chance can explain ({tested})" if measure.delta else ""
    words = {
        "identical": "inputs and outputs are identical on all items",
        "gain": f"a gain of {size} ({tested})",
        "loss": f"a loss of {size} ({tested})",
        "loss_in_doubt": f"a loss of {size} ({tested}){_still_open(ruling)}",
        "loss_within_margin": f"a real loss of {size}, inside your margin of {margin} ({tested})",
        "not_inferior": f"{_change(measure)}; a loss of {margin} or more is ruled out",
        "too_few": f"only {show_items(measure.evidence.n)}, fewer than the policy's `min_items`",
        "no_margin": f"{_change(measure)}{by_chance}; no margin is set",
        "uncertain": f"{_change(measure)}; a loss of {margin} or more is not ruled out",
    }
    return words[why] + (_what_n_shows(ruling) if why == "uncertain" else "")


def _still_open(ruling: Ruling) -> str:
    """What blocks a proven loss that is smaller than the margin: it may be larger than it came out."""
    margin = ruling.policy.margin if ruling.policy else None
    if margin is None or abs(ruling.measure.delta) >= margin:
        return ""
    return f"; one of {_amount(ruling.measure, margin)} or more is not ruled out"


def _what_n_shows(ruling: Ruling) -> str:
    """What these items could have shown, and how many would show the margin."""
    measure, mde, items = ruling.measure, _mde(ruling), show_items(ruling.measure.evidence.n)
    if mde is None:
        too_far = math.isinf(measure.evidence.variance)
        return ", and the scores lie too far apart to tell" if too_far else f", and too few of {items} changed to tell"
    if not _falls_short(ruling):
        return f", though {items} would do had nothing changed"
    return f": {items} can rule out {_amount(measure, mde)} at best, and {_needed(ruling)} would be needed"


def question(ruling: Ruling, release_blocks: bool) -> str:
    """Return what is not proven and lets the decision pass all the same."""
    return f"{outcome(ruling)} (not proven, not blocked here{'; a release would block' if release_blocks else ''})"


def excused(ruling: Ruling, accepted: str) -> str:
    """Return what would have blocked, and who lets it pass."""
    return f"{outcome(ruling)} (accepted: {accepted})"


def promoted_by_override(excused: Sequence[Ruling], context: Context) -> str:
    """Return the headline of a promotion that takes somebody's word for it."""
    losses = "; ".join(_name_and_verdict(ruling) for ruling in excused[:_SHOWN_NAMES])
    rest = len(excused) - _SHOWN_NAMES
    more = f"; and {rest} more" if rest > 0 else ""
    return f"Promote, by override: {losses}{more}, and that is accepted; {NEXT[context]}."


def left_out(measure: Measure) -> str:
    """Return which items were not compared because the caller asked to leave them out."""
    ids = measure.paired.left_out
    return f"{measure.info.task}: left out {show_items(len(ids))}, not the same on both sides: {show_ids(ids)}"


def below_floor(ruling: Ruling) -> str:
    """Return how a hard floor fails."""
    name, points = ruling.measure.name, in_points(ruling.measure.info.range)
    if ruling.floor is None or math.isinf(ruling.floor):  # a single item, or scores beyond the floats
        return f"{name} has a floor of {_floor(ruling)}, and nothing shows that it is cleared"
    shown = f"{show_items(ruling.measure.evidence.n)} show {show_value(ruling.floor, points)} or more"
    return f"{name} does not clear its floor of {_floor(ruling)}: {shown}"


def no_better(ruling: Ruling) -> str:
    """Return that ``require: better`` fails."""
    return f"{ruling.measure.name} is {ruling.judged.verdict}, and the policy requires better"


def promoted(gates: Sequence[Ruling], questions: Sequence[Ruling], release_blocks: bool, context: Context) -> str:
    """Return the headline of a promotion: what stands against it or speaks for it, and what to do next."""
    if questions:
        then = ", but a release would block" if release_blocks else ""
        return f"Promote, with a warning: {_are(questions)} not proven to be as good; not blocked here{then}."
    better = [ruling for ruling in gates if ruling.judged.verdict == "better"]
    lost = [ruling for ruling in gates if ruling.judged.loss_within_margin]
    if all(ruling.judged.why == "identical" for ruling in gates):
        what = "inputs and outputs are identical"
    elif better:
        what = f"{_are(better)} better" + (", the rest the same within its margin" if len(better) < len(gates) else "")
    else:
        what = "the same within the margin" + ("s" if len(gates) > 1 else "")
    loss = f", with a real loss in {_names(lost)}" if lost else ""
    return f"Promote: {what}{loss}; {NEXT[context]}."


def blocked(blocking: Sequence[Ruling], absent: Sequence[str], gate: GatePolicy) -> str:
    """Return the headline of a refusal: the gravest that does not pass, the first of several, and what to do next."""
    if not blocking:
        return f"Blocked: {absent[0]} was not measured; score it, or mend the policy."
    first, rest = min(blocking, key=_gravity), len(blocking) - 1 + len(absent)
    others = f" ({rest} more {'does' if rest == 1 else 'do'} not pass)" if rest else ""
    if not first.floor_holds and first.judged.verdict in {"better", "equivalent", "inconclusive"}:
        return f"Blocked: {first.measure.name} does not clear its floor{others}; {_about_the_floor(first)}."
    if first.judged.verdict == "equivalent":
        return f"Blocked: {no_better(first)}{others}."
    return f"Blocked: {_name_and_verdict(first)}{others}; {_next_step(first, gate)}."


def _gravity(ruling: Ruling) -> int:
    """0 for a proven loss, 1 for what could not be compared, 2 for what is not proven or not enough."""
    return 0 if ruling.judged.verdict == "regressed" else 1 if ruling.measure.problem is not None else 2


def _about_the_floor(ruling: Ruling) -> str:
    points, value = in_points(ruling.measure.info.range), ruling.measure.candidate
    minimum = ruling.policy.min if ruling.policy else None
    if value is None or minimum is None or value < minimum:
        return f"it has {show_value(value, points)}, and {_floor(ruling)} is asked for"
    return f"add items: {show_value(value, points)} is above {_floor(ruling)}, but not surely"


def _next_step(ruling: Ruling, gate: GatePolicy) -> str:
    measure, mde = ruling.measure, _mde(ruling)
    if measure.problem is not None:
        return measure.problem.todo
    if ruling.judged.verdict == "regressed":
        return f"look at the {show_items(len(measure.broken))} that got worse"
    if measure.evidence.n < gate.min_items:
        return f"score {show_count(gate.min_items)} items or more"
    if mde is None:
        return "look at the items that changed"
    if not _falls_short(ruling):
        return f"look at the {show_items(len(measure.broken))} that got worse, or add items"
    n, (low, high) = measure.evidence.n, _range_needed(ruling)
    more = _as_range(*round_range(low - n, high - n)) if low > n else f"up to {show_count(round_range(1, high - n)[1])}"
    return f"add {more} items, or widen the margin to what {show_items(n)} can prove, {_amount(measure, mde)}"


def _mde(ruling: Ruling) -> float | None:
    """The margin that these items clear with 80 % power if nothing changed; None where there is none."""
    return ruling.power.mde if ruling.power else None


def _falls_short(ruling: Ruling) -> bool:
    """Say whether the items were too few from the start, whatever the candidate did."""
    mde, margin = _mde(ruling), ruling.policy.margin if ruling.policy else None
    return mde is not None and margin is not None and mde > margin


def _needed(ruling: Ruling) -> str:
    return f"{_as_range(*round_range(*_range_needed(ruling)))} items"


def _range_needed(ruling: Ruling) -> tuple[int, int]:
    power = ruling.power
    low, high = (power.items_needed_low, power.items_needed_high) if power else (None, None)
    return low or 1, high or 1


def _as_range(low: int, high: int) -> str:
    return show_count(low) if low == high else f"{show_count(low)} to {show_count(high)}"


def _names(rulings: Sequence[Ruling]) -> str:
    names = [ruling.measure.name for ruling in rulings]
    rest = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _are(rulings: Sequence[Ruling]) -> str:
    return f"{_names(rulings)} {'is' if len(rulings) == 1 else 'are'}"


def _floor(ruling: Ruling) -> str:
    return show_value(ruling.policy.min if ruling.policy else None, in_points(ruling.measure.info.range))


def _change(measure: Measure) -> str:
    if measure.delta == 0:
        return "no net change"
    points, way = in_points(measure.info.range), ""
    if not measure.info.higher_is_better:
        way = ", for the worse" if measure.delta > 0 else ", for the better"
    return f"a change of {show_delta(measure.delta, points)}{' points' if points else ''}{way}"


def _amount(measure: Measure, value: float | None) -> str:
    points = in_points(measure.info.range)
    return show_delta(value, points, sign=False) + (" points" if points else "")
