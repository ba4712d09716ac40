"""Which items of two evaluations belong together: by task, item id and item digest. Pure.

Whatever is unequal is named, never dropped; repeats of an item, when they come, are averaged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelrelease.errors import shorten
from modelrelease.numbers import show_count, show_items
from modelrelease.records.comparison import Verdict
from modelrelease.records.evaluation import ScoredTask
from modelrelease.records.results import Results
from modelrelease.records.task_samples import TaskSamples

SHOWN_IDS = 10
SAME_SUITE = "score both sides with the same suite"
SCORE_AGAIN = "score the older side again"


@dataclass(frozen=True)
class Problem:
    """Why something cannot be compared: the verdict that says so, the reason in words, and what to do about it."""

    verdict: Verdict
    reason: str
    todo: str


@dataclass(frozen=True)
class PairedTask:
    """One task on both sides. ``baseline[i]`` and ``candidate[i]`` are the sample numbers of one item.

    ``problem`` forbids comparing the task; ``left_out`` items were dropped because the caller asked for it.
    """

    name: str
    baseline: Sequence[int] = ()
    candidate: Sequence[int] = ()
    problem: Problem | None = None
    left_out: tuple[str, ...] = ()


def pair(baseline: Results, candidate: Results, *, intersect: bool = False) -> list[PairedTask]:
    """Return the tasks of both sides, the candidate's first, each paired or with the reason why not.

    ``intersect``: compare the items that are the same on both sides and list the others.
    """
    before = {task.name: task for task in baseline.evaluation.suite.tasks}
    after = {task.name: task for task in candidate.evaluation.suite.tasks}
    names = [*after, *(name for name in before if name not in after)]
    return [_pair_task(name, before.get(name), after.get(name), baseline, candidate, intersect) for name in names]


def _pair_task(
    name: str,
    before: ScoredTask | None,
    after: ScoredTask | None,
    baseline: Results,
    candidate: Results,
    intersect: bool,
) -> PairedTask:
    if before is None or after is None:
        side = "the baseline" if before is None else "the candidate"
        reason, todo = f"{side} was not scored on task `{name}`", f"score {side} with a suite that has it"
        return PairedTask(name, problem=Problem("missing", reason, todo))
    scorers = baseline.evaluation.scorer_version, candidate.evaluation.scorer_version
    if scorers[0] != scorers[1]:
        reason = f"scored by two versions of the scorer ({scorers[0]} and {scorers[1]})"
        return PairedTask(name, problem=Problem("incomparable", reason, SCORE_AGAIN))
    if before.digest != after.digest:
        reason = f"the suites differ: task `{name}` asks for something else (kind, metrics, target or generation)"
        return PairedTask(name, problem=Problem("incomparable", reason, SAME_SUITE))
    return _pair_items(name, baseline.tasks[name], candidate.tasks[name], intersect)


def _pair_items(name: str, before: TaskSamples, after: TaskSamples, intersect: bool) -> PairedTask:
    if before.ids == after.ids and before.digests == after.digests:
        places: Sequence[int] = range(len(after.ids))
        return PairedTask(name, places, places, _unequal_samples(before, after))
    numbers = {item_id: number for number, item_id in enumerate(before.ids)}
    pairs, left_out = [], []
    for number, item_id in enumerate(after.ids):
        other = numbers.pop(item_id, None)
        if other is not None and before.digests[other] == after.digests[number]:
            pairs.append((other, number))
        else:
            left_out.append(item_id)
    left_out += numbers
    if left_out and not (intersect and pairs):
        reason = f"the test sets differ in {show_items(len(left_out))}: {show_ids(left_out)}"
        todo = "score both sides on the same items, or pass `--on-changed-items intersect`"
        return PairedTask(name, problem=Problem("incomparable", reason, todo))
    return PairedTask(
        name, [a for a, _ in pairs], [b for _, b in pairs], _unequal_samples(before, after), tuple(left_out)
    )


def _unequal_samples(before: TaskSamples, after: TaskSamples) -> Problem | None:
    failed = sorted({*before.errors, *after.errors})
    if failed:
        reason = f"{show_items(len(failed))} could not be scored: {show_ids(failed)}"
        return Problem("error", reason, "mend them, and score again")
    cut = sorted(before.truncated ^ after.truncated)
    if cut:
        reason = f"the prompts of {show_items(len(cut))} are truncated on one side only: {show_ids(cut)}"
        return Problem("incomparable", reason, "score both sides with the same limits")
    return None


def show_ids(ids: Sequence[str]) -> str:
    """Return the first ids in words, and how many more there are."""
    shown = ", ".join(shorten(item_id, 40) for item_id in ids[:SHOWN_IDS])
    return shown if len(ids) <= SHOWN_IDS else f"{shown} and {show_count(len(ids) - SHOWN_IDS)} more"


def same_outcome(task: PairedTask, before: TaskSamples, after: TaskSamples) -> bool:
    """Say whether inputs, outputs, log-likelihoods and scores are equal on all of the task's items, none left out."""
    if task.left_out:
        return False
    pairs = zip(task.baseline, task.candidate, strict=True)
    return all(before.outcomes[a] == after.outcomes[b] for a, b in pairs)
