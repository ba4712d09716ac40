"""Which items changed sides, bounded examples of them, and the same by slice. Pure but for the samples it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from modelrelease.comparison.evidence import gather_evidence
from modelrelease.comparison.measure import Measure
from modelrelease.errors import shorten
from modelrelease.records.comparison import MAX_EXAMPLES, MAX_FIELD, Example, Flips, SliceComparison
from modelrelease.records.results import TaskSamples
from modelrelease.stats import mean

MAX_SLICES = 50


@dataclass(frozen=True)
class Change:
    """One item whose score changed: its place among the paired items, and by how much (better is positive)."""

    place: int
    improvement: float

    @property
    def direction(self) -> Literal["fixed", "broken"]:
        """Whether the item got better or worse."""
        return "fixed" if self.improvement > 0 else "broken"


@dataclass(frozen=True)
class SampleTexts:
    """What is shown of one item: its input where it is known, and both sides' samples."""

    input: str | None
    baseline: dict[str, Any]
    candidate: dict[str, Any]


LookUp = Callable[[Measure, int], SampleTexts]
"""Given a measure and a place among its paired items, what is shown of it."""


def changes(measure: Measure) -> list[Change]:
    """Return the items whose score changed: broken before fixed, the largest change first, then in order."""
    sign = 1 if measure.info.higher_is_better else -1
    pairs = zip(measure.before, measure.after, strict=True)
    found = [Change(place, sign * (b - a)) for place, (a, b) in enumerate(pairs) if a != b]
    return sorted(found, key=lambda change: (change.improvement > 0, -abs(change.improvement), change.place))


def describe_flips(measure: Measure, look_up: LookUp) -> Flips:
    """Return how many items got better and worse, with at most ``MAX_EXAMPLES`` of them."""
    found = changes(measure)
    fixed = [change for change in found if change.direction == "fixed"]
    broken = found[: len(found) - len(fixed)]
    # Half of the room for each side, and what one side leaves for the other.
    share = MAX_EXAMPLES // 2
    kept = broken[: max(share, MAX_EXAMPLES - len(fixed))]
    kept += fixed[: MAX_EXAMPLES - len(kept)]
    examples = tuple(_example(measure, change, look_up(measure, change.place)) for change in kept)
    return Flips(fixed=len(fixed), broken=len(broken), examples=examples)


def _example(measure: Measure, change: Change, texts: SampleTexts) -> Example:
    metric = measure.info.metric
    return Example(
        task=measure.info.task,
        item_id=texts.candidate["item_id"],
        direction=change.direction,
        input=_cut(texts.input),
        target=_cut(_text(texts.candidate["target"])),
        baseline=_cut(_answer(texts.baseline, metric)),
        candidate=_cut(_answer(texts.candidate, metric)),
    )


def _answer(sample: dict[str, Any], metric: str) -> str | None:
    """What a side answered: its text, its choice, or, for a text that was only scored, the score."""
    if sample["output"] is not None:
        return _text(sample["output"])
    if sample["prediction"] is not None:
        return _text(sample["prediction"])
    return f"{sample['scores'][metric]:.4g}" if metric in sample["scores"] else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return " | ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str | None) -> str | None:
    return None if text is None else shorten(text, MAX_FIELD)


def compare_slices(measure: Measure, samples: TaskSamples, alpha: float) -> Iterator[SliceComparison]:
    """Yield the metric by slice, at most ``MAX_SLICES``: information, never a verdict."""
    places: dict[tuple[str, str], list[int]] = {}
    for place, number in enumerate(measure.paired.candidate):
        for pair in samples.slices[number]:
            places.setdefault(pair, []).append(place)
    for (field, value), own in sorted(places.items())[:MAX_SLICES]:
        yield _slice(measure, field, value, own, alpha)


def _slice(measure: Measure, field: str, value: str, places: list[int], alpha: float) -> SliceComparison:
    before = [measure.before[place] for place in places]
    after = [measure.after[place] for place in places]
    turned = measure.info.higher_is_better
    low, high = gather_evidence(before, after, measure.info).interval(1 - alpha)
    if not turned:
        low, high = -high, -low
    better = sum((b > a) is turned for a, b in zip(before, after, strict=True) if a != b)
    worse = sum((b > a) is not turned for a, b in zip(before, after, strict=True) if a != b)
    return SliceComparison(
        field=field,
        value=shorten(value, 80),
        n=len(places),
        baseline=mean(before),
        candidate=mean(after),
        delta=mean([b - a for a, b in zip(before, after, strict=True)]),
        ci_low=low if abs(low) != float("inf") else None,
        ci_high=high if abs(high) != float("inf") else None,
        fixed=better,
        broken=worse,
    )
