"""Runs a batch plan: finished batches from the journal, the others through the engine, with progress."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from modelrelease.scoring.batches import Batch
from modelrelease.scoring.engines import Engine, Generation, TokenScore
from modelrelease.scoring.items import Item
from modelrelease.scoring.journal import Journal, Result
from modelrelease.scoring.suites import LoadedTask


class Progress(Protocol):
    """What a person watches while items are scored."""

    def start(self, items: int, already: int) -> None:
        """So many items are to be scored, ``already`` of them by an earlier run."""

    def advance(self, items: int) -> None:
        """So many more are done."""

    def finish(self) -> None:
        """No more will come."""


class NoProgress:
    """Progress that nobody watches."""

    def start(self, items: int, already: int) -> None:
        """Say nothing."""

    def advance(self, items: int) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


def run_batches(
    batches: Sequence[Batch],
    items: Sequence[Item],
    tasks: Sequence[LoadedTask],
    engine: Engine,
    journal: Journal,
    progress: Progress,
) -> list[list[Result]]:
    """Return, for each item, its requests' results in order. Batches the journal has are not run again."""
    open_parts = Counter(request.item for batch in batches for request in batch.requests)
    results: list[dict[int, Result]] = [{} for _ in items]

    def take(batch: Batch, answers: Sequence[Result]) -> int:
        finished = 0
        for request, answer in zip(batch.requests, answers, strict=True):
            results[request.item][request.part] = answer
            open_parts[request.item] -= 1
            finished += open_parts[request.item] == 0
        return finished

    known = {
        n: journal.done[n] for n, batch in enumerate(batches) if len(journal.done.get(n, ())) == len(batch.requests)
    }
    # Items with an error have no requests: nobody waits for them.
    total = len(open_parts)
    progress.start(total, sum(take(batches[number], answers) for number, answers in known.items()))
    try:
        for number, batch in enumerate(batches):
            if number not in known:
                answers = _ask(engine, batch, items, tasks)
                journal.keep(number, answers)
                progress.advance(take(batch, answers))
    finally:
        progress.finish()
    return [[answers[part] for part in sorted(answers)] for answers in results]


def _ask(engine: Engine, batch: Batch, items: Sequence[Item], tasks: Sequence[LoadedTask]) -> list[Result]:
    if batch.task is None:
        return [_plain(score) for score in engine.loglikelihoods(batch.requests)]
    spec = tasks[batch.task].spec
    settings = Generation(spec.stop, spec.temperature, spec.top_p, spec.top_k)
    seeds = [item_seed(spec.seed, spec.name, items[request.item].row.id) for request in batch.requests]
    return list(engine.generate(batch.requests, settings, seeds))


def _plain(score: TokenScore) -> Result:
    value = score.loglikelihood
    return [value if math.isfinite(value) else None, score.greedy]


def item_seed(seed: int, task: str, item_id: str, repeat: int = 0) -> int:
    """Return the seed of one item and repeat: it depends on nothing but what names them."""
    name = f"{seed}\n{task}\n{item_id}\n{repeat}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big") >> 1
