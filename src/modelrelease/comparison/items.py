"""Every item that changed sides, task by task, as far as it is to be shown. Pure but for the samples it is given."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from modelrelease.comparison.flips import LookUp, SampleTexts, text_of
from modelrelease.comparison.measure import Measure
from modelrelease.errors import shorten
from modelrelease.records.item_changes import MAX_ITEM_TEXT, ItemChange, ItemScore, ItemSide, TaskItems
from modelrelease.records.results import Results

MAX_ITEMS = 20
_MAX_ID = 500
_Direction = Literal["broken", "fixed"]


def describe_items(
    measures: Sequence[Measure], baseline: Results, candidate: Results, look_up: LookUp, most: int | None
) -> Iterator[TaskItems]:
    """Yield the tasks that could be compared, in the suite's order; of each at most ``most`` broken and fixed items.

    ``most`` None: all of them. The largest change comes first, equal ones in the order of the items.
    """
    tasks: dict[str, list[Measure]] = {}
    for measure in measures:
        if measure.problem is None:
            tasks.setdefault(measure.info.task, []).append(measure)
    for name, own in tasks.items():
        changed = _changes(own)
        sides: tuple[_Direction, _Direction] = ("broken", "fixed")
        places = {side: [place for place, (found, _) in changed.items() if found == side] for side in sides}
        yield TaskItems(
            task=name,
            n=len(own[0].after),
            broken=len(places["broken"]),
            fixed=len(places["fixed"]),
            other_answers=_other_answers(own[0], changed, baseline, candidate),
            items=tuple(
                _item(own, place, side, look_up(own[0], place))
                for side in sides
                for place in _largest(places[side], changed, most)
            ),
        )


def _changes(own: list[Measure]) -> dict[int, tuple[_Direction, float]]:
    """The places whose score changed in any metric, with direction and size in the first that did."""
    found: dict[int, tuple[_Direction, float]] = {}
    for measure in own:
        for place in measure.broken:
            found.setdefault(place, ("broken", abs(measure.rises[place])))
        for place in measure.fixed:
            found.setdefault(place, ("fixed", abs(measure.rises[place])))
    return found


def _largest(places: list[int], changed: dict[int, tuple[_Direction, float]], most: int | None) -> list[int]:
    return heapq.nsmallest(len(places) if most is None else most, places, key=lambda p: (-changed[p][1], p))


def _other_answers(measure: Measure, changed: dict[int, Any], baseline: Results, candidate: Results) -> int:
    name, paired = measure.info.task, measure.paired
    before, after = baseline.tasks[name].answers, candidate.tasks[name].answers
    pairs = enumerate(zip(paired.baseline, paired.candidate, strict=True))
    return sum(before[a] != after[b] and place not in changed for place, (a, b) in pairs)


def _item(own: list[Measure], place: int, direction: _Direction, texts: SampleTexts) -> ItemChange:
    return ItemChange(
        item_id=shorten(texts.candidate["item_id"], _MAX_ID),
        direction=direction,
        scores=tuple(ItemScore(metric=m.info.metric, baseline=m.before[place], candidate=m.after[place]) for m in own),
        input=_cut(texts.input),
        target=_cut(text_of(texts.candidate["target"])),
        baseline=_side(texts.baseline, texts.right),
        candidate=_side(texts.candidate, texts.right),
    )


def _side(sample: dict[str, Any], right: int | None) -> ItemSide:
    output, prediction = sample["output"], text_of(sample["prediction"])
    if output is None:
        return ItemSide(answer=_cut(prediction), gap=_gap(sample.get("loglikelihoods", []), right))
    return ItemSide(answer=_cut(output), prediction=_cut(prediction) if prediction != output else None)


def _gap(loglikelihoods: list[float], right: int | None) -> float | None:
    if right is None or not 0 <= right < len(loglikelihoods) or len(loglikelihoods) < 2:
        return None
    return loglikelihoods[right] - max(value for n, value in enumerate(loglikelihoods) if n != right)


def _cut(text: str | None) -> str | None:
    return None if text is None else shorten(text, MAX_ITEM_TEXT)
