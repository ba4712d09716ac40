"""Which items changed sides, bounded examples of them, and the same by slice. Pure but for the samples it is given."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from modelrelease.comparison.evidence import gather_evidence, interval
from modelrelease.comparison.measure import Measure
from modelrelease.comparison.pairing import PairedTask
from modelrelease.errors import shorten
from modelrelease.records.comparison import MAX_EXAMPLES, MAX_FIELD, Example, Flips, SliceComparison
from modelrelease.records.task_samples import TaskSamples
from modelrelease.stats import mean

MAX_SLICES = 50
_MAX_NAME = 80


@dataclass(frozen=True)
class SampleTexts:
    """What is shown of one item: its input where it is known, and both sides' samples.

    ``right``: the number of the right choice, where it has one.
    """

    input: str | None
    baseline: dict[str, Any]
    candidate: dict[str, Any]
    right: int | None = None


Places = dict[tuple[str, str], list[int]]
"""Field and value of a slice, and the places of its items among the paired ones."""

LookUp = Callable[[Measure, int], SampleTexts]
"""Given a measure and a place among its paired items, what is shown of it."""


def describe_flips(measure: Measure, look_up: LookUp | None) -> Flips:
    """Return how many items got better and worse, with at most ``MAX_EXAMPLES`` of them; none without ``look_up``.

    Broken before fixed, the largest change first, equal ones in the order of the items.
    """
    if look_up is None:
        return Flips(fixed=len(measure.fixed), broken=len(measure.broken))
    # Half of the room for each side, and what one side leaves for the other.
    broken = _largest(measure, measure.broken, max(MAX_EXAMPLES // 2, MAX_EXAMPLES - len(measure.fixed)))
    fixed = _largest(measure, measure.fixed, MAX_EXAMPLES - len(broken))
    examples = [_example(measure, place, "broken", look_up) for place in broken]
    examples += [_example(measure, place, "fixed", look_up) for place in fixed]
    return Flips(fixed=len(measure.fixed), broken=len(measure.broken), examples=tuple(examples))


def _largest(measure: Measure, places: list[int], count: int) -> list[int]:
    return heapq.nsmallest(count, places, key=lambda place: -abs(measure.rises[place]))


def _example(measure: Measure, place: int, direction: Literal["fixed", "broken"], look_up: LookUp) -> Example:
    texts, metric = look_up(measure, place), measure.info.metric
    return Example(
        task=measure.info.task,
        item_id=shorten(texts.candidate["item_id"], MAX_FIELD),
        direction=direction,
        input=_cut(texts.input),
        target=_cut(text_of(texts.candidate["target"])),
        baseline=_cut(_answer(texts.baseline, metric)),
        candidate=_cut(_answer(texts.candidate, metric)),
    )


def _answer(sample: dict[str, Any], metric: str) -> str | None:
    """What a side answered: its text, its choice, or, for a text that was only scored, the score."""
    if sample["output"] is not None:
        return text_of(sample["output"])
    score = sample["scores"][metric]
    if sample["prediction"] is None:
        return f"{score:.4g}"
    # The choice on record is that of the task's first metric; another one (acc_norm) can have chosen otherwise.
    if score == (sample["prediction"] == sample["target"]):
        return text_of(sample["prediction"])
    return f"{'right' if score else 'wrong'} by {metric}"


def text_of(value: Any) -> str | None:
    """Return an answer or a target as text, several of them side by side."""
    if value is None:
        return None
    return " | ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str | None) -> str | None:
    return None if text is None else shorten(text, MAX_FIELD)


def slice_places(paired: PairedTask, samples: TaskSamples) -> Places:
    """Return where the items of each slice stand among the paired ones; ``samples`` are the candidate's."""
    places: Places = {}
    for place, number in enumerate(paired.candidate):
        for pair in samples.slices[number]:
            if pair in places:
                places[pair].append(place)
            else:
                places[pair] = [place]
    return places


def compare_slices(measure: Measure, places: Places, alpha: float) -> Iterator[SliceComparison]:
    """Yield the metric by slice, at most ``MAX_SLICES``: information, never a verdict."""
    for (field, value), own in sorted(places.items())[:MAX_SLICES]:
        before = [measure.before[place] for place in own]
        after = [measure.after[place] for place in own]
        rises = [measure.rises[place] for place in own]
        up, down = sum(rise > 0 for rise in rises), sum(rise < 0 for rise in rises)
        low, high = interval(gather_evidence(before, after, measure.info), measure.info, 1 - alpha)
        yield SliceComparison(
            field=shorten(field, _MAX_NAME),
            value=shorten(value, _MAX_NAME),
            n=len(own),
            baseline=mean(before),
            candidate=mean(after),
            delta=mean(rises),
            ci_low=low,
            ci_high=high,
            fixed=up if measure.info.higher_is_better else down,
            broken=down if measure.info.higher_is_better else up,
        )
