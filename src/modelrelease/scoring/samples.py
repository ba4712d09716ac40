"""From the engine's answers to samples: what is kept of each item, and its scores. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from modelrelease.records.suite import Task
from modelrelease.scoring.items import Item
from modelrelease.scoring.journal import Result
from modelrelease.scoring.metrics import PatternTimeoutError, TextScorer, likelihood_score, pick_choice
from modelrelease.scoring.requests import ItemRequests

Sample = dict[str, Any]
NO_NUMBER = "the model gave no finite log-likelihood"
NO_TEXT = "the model gave NaN instead of a next token"


def make_sample(task: Task, item: Item, entry: ItemRequests, results: Sequence[Result]) -> Sample:
    """Return the sample of one item; ``results`` are its requests' results in order.

    An item that could not be scored has ``error`` and no scores: it is never a wrong answer.
    """
    sample: Sample = {
        "task": task.name,
        "item_id": item.row.id,
        "item_digest": item.row.digest,
        "cluster": None,
        "slices": item.slices,
        "repeat": 0,
        "scores": {},
        "output": None,
        "prediction": None,
        "target": list(item.target) if isinstance(item.target, tuple) else item.target,
        "loglikelihoods": [],
        "greedy": [],
        "prompt_tokens": entry.prompt_tokens,
        "input_digest": entry.input_digest,
        "truncated": entry.truncated,
        "boundary_mismatch": entry.mismatch,
        "tie": False,
        "error": entry.error,
    }
    if entry.error is None:
        fill = {"multiple_choice": _choices, "generate": _text, "perplexity": _likelihood}[task.kind]
        fill(task, item, entry, results, sample)
    if sample["error"] is not None:
        sample["scores"] = {}
    return sample


def _choices(task: Task, item: Item, entry: ItemRequests, results: Sequence[Result], sample: Sample) -> None:
    if any(value is None for value, _ in results):
        sample["error"] = NO_NUMBER
        return
    sample["loglikelihoods"] = [value for value, _ in results]
    sample["greedy"] = [greedy for _, greedy in results]
    for number, spec in enumerate(task.metrics):
        pick = pick_choice(spec.name, sample["loglikelihoods"], item.choices)
        sample["scores"][spec.name] = float(pick.index == item.target)
        sample["tie"] |= pick.tie
        if number == 0:
            sample["prediction"] = pick.index


def _text(task: Task, item: Item, entry: ItemRequests, results: Sequence[Result], sample: Sample) -> None:
    output = results[0]
    if output is None:
        sample["error"] = NO_TEXT
        return
    sample["output"] = output
    references = item.target if isinstance(item.target, tuple) else (item.target,)
    texts = [str(reference) for reference in references if reference is not None]
    try:
        for number, spec in enumerate(task.metrics):
            scorer = TextScorer(spec)
            sample["scores"][spec.name] = scorer.score(output, texts)
            if number == 0:
                sample["prediction"] = scorer.prediction(output)
    except PatternTimeoutError as error:
        sample["error"] = str(error)


def _likelihood(task: Task, item: Item, entry: ItemRequests, results: Sequence[Result], sample: Sample) -> None:
    if any(value is None for value, _ in results):
        sample["error"] = NO_NUMBER
        return
    total = math.fsum(value for value, _ in results)
    sample["loglikelihoods"] = [total]
    sample["greedy"] = [all(greedy for _, greedy in results)]
    try:
        for spec in task.metrics:
            sample["scores"][spec.name] = likelihood_score(spec.name, total, entry.scored_tokens, item.text)
    except OverflowError:
        sample["error"] = "the perplexity is larger than any number"
