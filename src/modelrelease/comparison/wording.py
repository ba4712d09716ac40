"""The sentences of a comparison. They stand in comparison.json, so every report says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelrelease.comparison.measure import Measure
from modelrelease.comparison.pairing import show_ids
from modelrelease.numbers import in_points, round_range, show_count, show_delta, show_p, show_value
from modelrelease.records.comparison import Decision
from modelrelease.records.config import GatePolicy

if TYPE_CHECKING:
    from modelrelease.comparison.judgement import Ruling


def outcome(ruling: Ruling) -> str:
    """Return a metric's name, verdict and reason as one clause."""
    return f"{ruling.measure.name} is {ruling.judged.verdict}: {reason(ruling)}"


def reason(ruling: Ruling) -> str:
    """Return why a metric has its verdict."""
    measure, judged = ruling.measure, ruling.judged
    if measure.problem is not None:
        return measure.problem.reason
    p = ruling.p_holm if ruling.p_holm is not None else measure.evidence.p_difference
    size, tested = _size(measure), f"p = {show_p(p)}".replace("= <", "<")
    margin = _amount(measure, ruling.policy.margin if ruling.policy else None)
    words = {
        "identical": "identical: inputs and outputs are equal on all items",
        "gain": f"a gain of {size} ({tested})",
        "loss": f"a loss of {size} ({tested})",
        "loss_within_margin": f"a real loss of {size}, inside your margin of {margin} ({tested})",
        "not_inferior": f"a change of {_signed(measure)}; a loss of {margin} or more is ruled out",
        "too_few": f"only {measure.evidence.n} items, fewer than the policy's `min_items`",
        "no_margin": f"a change of {_signed(measure)}, not told from none ({tested}); no margin is set",
        "uncertain": f"a change of {_signed(measure)}; a loss of {margin} or more is not ruled out. ",
    }
    return words[judged.why] + (_what_n_shows(ruling) if judged.why == "uncertain" else "")


def _what_n_shows(ruling: Ruling) -> str:
    power, measure = ruling.power, ruling.measure
    if power is None or power.mde is None:
        return "One item shows nothing"
    shown = f"{show_count(measure.evidence.n)} items can show {_amount(measure, power.mde)} at best"
    return f"{shown}; {needed(ruling)} would be needed"


def needed(ruling: Ruling) -> str:
    """Return how many items the margin needs, as a range rounded outwards."""
    low, high = _needed_range(ruling)
    return f"{show_count(low)} to {show_count(high)} items" if low != high else f"{show_count(low)} items"


def _needed_range(ruling: Ruling) -> tuple[int, int]:
    power = ruling.power
    assert power is not None
    assert power.items_needed_low is not None
    assert power.items_needed_high is not None
    return round_range(power.items_needed_low, power.items_needed_high)


def left_out(measure: Measure) -> str:
    """Return which items were not compared because the caller asked to leave them out."""
    ids = measure.paired.left_out
    return f"{measure.info.task}: {len(ids)} items that differ between the sides were left out: {show_ids(ids)}"


def below_floor(ruling: Ruling) -> str:
    """Return how a hard floor fails."""
    points = in_points(ruling.measure.info.range)
    minimum = ruling.policy.min if ruling.policy else None
    bound = f"its lower bound {show_value(ruling.floor, points)}" if ruling.floor is not None else "no score"
    return f"{ruling.measure.name} is below its floor: {bound} is not {show_value(minimum, points)} or more"


def headline(
    decision: Decision,
    gates: Sequence[Ruling],
    first: Ruling | None,
    absent: Sequence[str],
    warned: bool,
    gate: GatePolicy,
) -> str:
    """Return the decision and what to do next, in one sentence."""
    if decision == "promote":
        open_questions = [ruling for ruling in gates if ruling.judged.verdict == "inconclusive"]
        if open_questions and warned:
            names = ", ".join(ruling.measure.name for ruling in open_questions)
            return f"Promote, with a warning: {names} not proven, not blocked here; a release would block."
        better = [ruling.measure.name for ruling in gates if ruling.judged.verdict == "better"]
        what = f"{', '.join(better)} better" if better else "the same within the margins"
        rest = ", the rest the same within the margins" if better and len(better) < len(gates) else ""
        return f"Promote: {what}{rest}; merge."
    if first is None:
        what = f"{absent[0]} was not measured" if absent else "no gate metric was measured"
        return f"Blocked: {what}; score it, or mend the policy."
    return f"Blocked: {first.measure.name} is {first.judged.verdict}; {_next_step(first, gate)}."


def _next_step(ruling: Ruling, gate: GatePolicy) -> str:
    verdict, measure = ruling.judged.verdict, ruling.measure
    if not ruling.floor_holds:
        return "it does not clear its floor"
    if verdict in {"better", "equivalent"}:
        return "the policy requires better"
    if verdict == "regressed":
        return (
            f"look at the {sum(a != b for a, b in zip(measure.before, measure.after, strict=True))} items that changed"
        )
    if verdict == "inconclusive":
        return _how_to_conclude(ruling, gate)
    return {
        "incomparable": "score both sides with the same suite",
        "missing": "score both sides with the same suite",
        "error": "mend the items that could not be scored",
    }[verdict]


def _how_to_conclude(ruling: Ruling, gate: GatePolicy) -> str:
    n, power, measure = ruling.measure.evidence.n, ruling.power, ruling.measure
    if n < gate.min_items:
        return f"score at least {gate.min_items} items"
    if power is None or power.mde is None:
        return "add items"
    low, high = _needed_range(ruling)
    if low > n:
        more = (show_count(count) for count in round_range(low - n, high - n))
        return f"add {' to '.join(more)} items or widen the margin to {_amount(measure, power.mde)}"
    return "add items, or look at what changed"


def _size(measure: Measure) -> str:
    return _amount(measure, abs(measure.delta))


def _signed(measure: Measure) -> str:
    points = in_points(measure.info.range)
    return show_delta(measure.delta, points) + (" points" if points else "")


def _amount(measure: Measure, value: float | None) -> str:
    points = in_points(measure.info.range)
    return show_delta(value, points, sign=False) + (" points" if points else "")
