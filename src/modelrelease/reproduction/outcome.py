"""Two runs of one experiment, sample by sample: exact, equivalent, close flips only, or a mismatch. Pure.

One rule holds for every item: each of its log-likelihoods may move by the tolerance. A flip that this allows is one
between choices closer than twice the tolerance, since each of the two moved by the tolerance at most. So what is
listed as a flip is explained by its gap, and everything beyond is a mismatch.

For generated text the samples keep no log-likelihoods: nobody can tell from them how close the two next tokens were
where a text went another way. Such a text is no difference where it leads to the same prediction and scores, and a
mismatch where it does not.

A record can also be edited so that nothing moves further than the tolerance. So where an item came out otherwise, what
the record says of it has to follow from the record's own log-likelihoods, as it does in every run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelrelease.errors import shorten
from modelrelease.records.metric_types import Kind
from modelrelease.records.reproduction import MAX_LISTED, CloseFlip, Mismatch, Outcome
from modelrelease.reproduction.tolerance import allowed

Sample = Mapping[str, Any]
Lengths = Mapping[tuple[str, str], Sequence[int]]
"""The choices' lengths in characters by task and item id, as ``acc_norm`` divides by them."""

_GIVEN = (
    "item_id", "item_digest", "cluster", "slices", "repeat", "target", "prompt_tokens", "input_digest", "truncated",
    "boundary_mismatch",
)  # fmt: skip
_SHOWN = 60
_AGREEMENT = 1e-9


@dataclass
class Differences:
    """What came of holding all samples against each other. ``largest`` in nats, None without log-likelihoods."""

    items: int = 0
    largest: float | None = None
    texts: int = 0
    flip_count: int = 0
    flips: list[CloseFlip] = field(default_factory=list)
    mismatch_count: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)

    def outcome(self, same_bytes: bool) -> Outcome:
        """Return the outcome; ``same_bytes``: the two samples.jsonl are one file."""
        if self.mismatch_count:
            return "mismatch"
        if same_bytes:
            return "exact"
        return "variance-documented" if self.flip_count else "equivalent"


def compare_samples(
    recorded: Iterable[Sample], found: Iterable[Sample], kinds: Mapping[str, Kind], tolerance: float, lengths: Lengths
) -> Differences:
    """Hold two runs' samples, in the same order, against each other; ``kinds`` by task, ``tolerance`` in nats."""
    differences = Differences()
    for before, after in zip(recorded, found, strict=True):
        differences.items += 1
        if before != after:
            _compare(before, after, kinds[before["task"]], tolerance, lengths, differences)
        elif before["loglikelihoods"]:
            differences.largest = differences.largest or 0.0
    return differences


def _compare(before: Sample, after: Sample, kind: Kind, tolerance: float, lengths: Lengths, into: Differences) -> None:
    distance = _distance(before, after)
    if distance is not None:
        into.largest = max(into.largest or 0.0, distance)
    into.texts += before["output"] != after["output"]
    task, item = before["task"], before["item_id"]
    own = lengths.get((task, item), ())
    problem = _problem(before, after, kind, tolerance, distance) or _contradiction(before, after, kind, own)
    if problem is not None:
        into.mismatch_count += 1
        if len(into.mismatches) < MAX_LISTED:
            into.mismatches.append(
                Mismatch(task=task, item_id=item, what=problem, difference=distance, **_said(before, after))
            )
    elif kind == "multiple_choice" and _flipped(before, after):
        into.flip_count += 1
        if len(into.flips) < MAX_LISTED:
            gap = _gap(before, after, own)
            into.flips.append(CloseFlip(task=task, item_id=item, gap=gap))


def _problem(before: Sample, after: Sample, kind: Kind, tolerance: float, distance: float | None) -> str | None:
    """Say what no tolerance explains; None where there is nothing of it."""
    other = _other_work(before, after)
    if other is not None:
        return other
    changed = _outcomes(before, after)
    pairs = zip(before["loglikelihoods"], after["loglikelihoods"], strict=True)
    if not all(abs(one - other) <= allowed(tolerance, one) for one, other in pairs):
        return "log-likelihood" + (f", and {changed}" if changed else "")
    if changed and kind == "generate":
        return f"its text went another way: {changed}"
    if changed and distance == 0.0:  # the scorer's doing, not the model's
        return f"{changed}, from the same log-likelihoods"
    return None


def _contradiction(before: Sample, after: Sample, kind: Kind, lengths: Sequence[int]) -> str | None:
    """Say that an item came out otherwise, and that the record's own log-likelihoods do not give what it says."""
    changed = _outcomes(before, after)
    if not changed or kind == "generate":
        return None
    follows = _choices_follow(before, lengths) if kind == "multiple_choice" else _likelihood_follows(before, after)
    return None if follows else f"{changed}, and no scoring gives the recorded one"


def _choices_follow(sample: Sample, lengths: Sequence[int]) -> bool:
    """Say whether prediction and scores are what the log-likelihoods give (scoring.metrics.choices)."""
    sums, scores = sample["loglikelihoods"], sample["scores"]
    if not sums:
        return not scores and sample["prediction"] is None
    picks = {"acc": _best(sums, [1] * len(sums))}
    if "acc_norm" in scores:
        if len(lengths) != len(sums):
            return True
        picks["acc_norm"] = _best(sums, lengths)
    own = {name: pick for name, pick in picks.items() if name in scores}
    right = all(scores[name] == float(pick == sample["target"]) for name, pick in own.items())
    return right and (not own or sample["prediction"] in own.values())


def _likelihood_follows(before: Sample, after: Sample) -> bool:
    """Say whether the scores of a text are to its log-likelihood as they are in the new run (scoring.metrics)."""
    one, other = (math.fsum(sample["loglikelihoods"]) for sample in (before, after))
    if before["prediction"] is not None or before["scores"].keys() != after["scores"].keys():
        return False
    for name, score in before["scores"].items():
        values = [score, after["scores"][name]]
        if name == "perplexity":
            if not all(value > 0 for value in values):
                return False
            values = [math.log(value) for value in values]
        if not math.isclose(values[0] * other, values[1] * one, rel_tol=_AGREEMENT, abs_tol=_AGREEMENT):
            return False
    return True


def _other_work(before: Sample, after: Sample) -> str | None:
    """Say what the two runs did not both do with an item."""
    given = [name for name in _GIVEN if before[name] != after[name]]
    if given:
        return f"was asked something else ({', '.join(given)})"
    if before["error"] != after["error"]:
        return f"error: {_show(before['error'])} → {_show(after['error'])}"
    same = len(before["loglikelihoods"]) == len(after["loglikelihoods"])
    return None if same else "another number of log-likelihoods"


def _outcomes(before: Sample, after: Sample) -> str:
    """What became of an item, where that differs."""
    found = []
    one, other = before["prediction"], after["prediction"]
    if one != other:
        texts = isinstance(one, str) or isinstance(other, str)
        found.append("another prediction" if texts else f"prediction {_show(one)} → {_show(other)}")
    names = sorted(before["scores"].keys() | after["scores"].keys())
    values = [(name, before["scores"].get(name), after["scores"].get(name)) for name in names]
    found += [f"{name} {_show(one)} → {_show(other)}" for name, one, other in values if one != other]
    return ", ".join(found)


def _said(before: Sample, after: Sample) -> dict[str, str]:
    """What the model said, where that is text: for whoever may see it, and so apart from what is wrong."""
    texts = {"recorded": before["prediction"], "found": after["prediction"]}
    if not any(isinstance(text, str) for text in texts.values()) or texts["recorded"] == texts["found"]:
        return {}
    return {name: _show(text) for name, text in texts.items()}


def _flipped(before: Sample, after: Sample) -> bool:
    return bool(before["prediction"] != after["prediction"] or before["scores"] != after["scores"])


def _distance(before: Sample, after: Sample) -> float | None:
    pairs = list(zip(before["loglikelihoods"], after["loglikelihoods"], strict=False))
    return max((abs(one - other) for one, other in pairs), default=None)


def _gap(before: Sample, after: Sample, lengths: Sequence[int]) -> float | None:
    """How close the choices were that changed places, in nats: by the sums, else by the sums per character."""
    sums, again = before["loglikelihoods"], after["loglikelihoods"]
    units = [1] * len(sums)
    if _best(sums, units) == _best(again, units):
        if len(lengths) != len(sums):
            return None
        units = list(lengths)
    best = _best(sums, units)
    # Both move by t at most: value / length moves by t / length, and they meet from a gap of t/a + t/b on.
    gaps = [
        2 * (sums[best] / units[best] - value / unit) / (1 / units[best] + 1 / unit)
        for place, (value, unit) in enumerate(zip(sums, units, strict=True))
        if place != best
    ]
    return max(0.0, min(gaps, default=0.0))


def _best(sums: Sequence[float], units: Sequence[int]) -> int:
    values = [value / unit for value, unit in zip(sums, units, strict=True)]
    return values.index(max(values))


def _show(value: object) -> str:
    if isinstance(value, str):
        return shorten(repr(value), _SHOWN)
    return "none" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
