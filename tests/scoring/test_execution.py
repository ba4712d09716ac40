from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from modelrelease.records.datasets import Row
from modelrelease.records.suite import Task
from modelrelease.scoring.batches import plan_batches
from modelrelease.scoring.engines import EngineFacts, Generation, TokenScore
from modelrelease.scoring.execution import NoProgress, item_seed, run_batches
from modelrelease.scoring.items import Item
from modelrelease.scoring.journal import open_journal
from modelrelease.scoring.requests import ItemRequests, Request
from modelrelease.scoring.suites import LoadedTask

KEY = "k" * 64


class Echo:
    """An engine that answers with what it was asked, and can fail at one request."""

    facts = EngineFacts("echo", "float32", "cpu", "none", deterministic=True, path_taken="none")

    def __init__(self, fails_at: int | None = None) -> None:
        self.asked: list[int] = []
        self.fails_at = fails_at

    def loglikelihoods(self, batch: Sequence[Request]) -> list[TokenScore]:
        for request in batch:
            if request.item == self.fails_at:
                raise KeyboardInterrupt
            self.asked.append(request.item)
        return [TokenScore(-float(len(r.tokens)) - r.part / 8, r.part == 0) for r in batch]

    def generate(self, batch: Sequence[Request], settings: Generation, seeds: Sequence[int]) -> list[str | None]:
        self.asked += [request.item for request in batch]
        return [f"{r.item} {settings.temperature} {seed}" for r, seed in zip(batch, seeds, strict=True)]


class Watcher(NoProgress):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def start(self, items: int, already: int) -> None:
        self.seen.append((items, already))

    def advance(self, items: int) -> None:
        self.seen.append(items)

    def finish(self) -> None:
        self.seen.append("finished")


def setting(kind: str, metric: str, **keys: Any) -> LoadedTask:
    needed = {"multiple_choice": {"choices": "c", "target": "t"}, "generate": {"max_new_tokens": 4}}[kind]
    spec = Task.model_validate(
        {"name": kind, "kind": kind, "dataset": "d", "prompt": "p", "metrics": ({"name": metric},), **needed, **keys}
    )
    return LoadedTask(spec, "s.yaml", 1, (), "0" * 64, None, (), None)


TASKS = (
    setting("multiple_choice", "acc"),
    setting("generate", "f1", temperature=0.5, seed=3),
)


def item(number: int, task: int) -> Item:
    return Item(task, Row(f"id{number}", 1, {}, "0" * 64), "", (), None, "", {})


ITEMS = [item(0, 0), item(1, 1), item(2, 0), item(3, 0), item(4, 1)]
ENTRIES = [
    ItemRequests([Request(0, part, tuple(range(9 - part)), 2) for part in range(3)]),
    ItemRequests([Request(1, 0, (1, 2), 2, 4)]),
    ItemRequests(error="nothing to ask"),
    ItemRequests([Request(3, part, tuple(range(3 + part)), 1) for part in range(2)]),
    ItemRequests([Request(4, 0, (1, 2, 3), 3, 4)]),
]
BATCHES = plan_batches(ENTRIES, [one.task for one in ITEMS], 10)
EXPECTED = [
    [[-9.0, True], [-8.125, False], [-7.25, False]],
    [f"1 0.5 {item_seed(3, 'generate', 'id1')}"],
    [],
    [[-3.0, True], [-4.125, False]],
    [f"4 0.5 {item_seed(3, 'generate', 'id4')}"],
]


def run(engine: Echo, folder: Path | None, watcher: NoProgress | None = None) -> list[list[Any]]:
    with open_journal(folder, KEY) as journal:
        return run_batches(BATCHES, ITEMS, TASKS, engine, journal, watcher or NoProgress())


def test_results_come_back_by_item_and_in_the_order_of_its_requests() -> None:
    assert run(Echo(), None) == EXPECTED


def test_an_interrupted_run_is_gone_on_with_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    first = Echo(fails_at=3)
    watched = Watcher()
    with pytest.raises(KeyboardInterrupt):
        run(first, tmp_path, watched)
    assert first.asked == [0, 0, 0]
    assert watched.seen == [(4, 0), 0, 0, 1, "finished"]
    second = Echo()
    watched = Watcher()
    assert run(second, tmp_path, watched) == EXPECTED
    assert sorted(second.asked) == [1, 3, 3, 4]
    assert watched.seen[0] == (4, 1)
    assert watched.seen[-1] == "finished"
    assert sum(watched.seen[1:-1]) == 3
    third = Echo()
    assert run(third, tmp_path) == EXPECTED
    assert third.asked == []


def test_a_kept_batch_of_another_size_is_not_believed(tmp_path: Path) -> None:
    with open_journal(tmp_path, KEY) as journal:
        for number, batch in enumerate(BATCHES):
            journal.keep(number, [[-1.0, True]] * (len(batch.requests) + 1))
    assert run(Echo(), tmp_path) == EXPECTED


@pytest.mark.parametrize("value", [math.nan, -math.inf, math.inf])
def test_a_log_likelihood_that_is_no_number_is_kept_as_null(value: float, tmp_path: Path) -> None:
    class Broken(Echo):
        def loglikelihoods(self, batch: Sequence[Request]) -> list[TokenScore]:
            return [TokenScore(value, False) for _ in batch]

    assert run(Broken(), tmp_path)[3] == [[None, False], [None, False]]
    assert run(Echo(), tmp_path)[3] == [[None, False], [None, False]]


def test_a_seed_depends_on_what_names_an_item_and_on_nothing_else() -> None:
    seeds = [
        item_seed(0, "a", "1"),
        item_seed(1, "a", "1"),
        item_seed(0, "b", "1"),
        item_seed(0, "a", "2"),
        item_seed(0, "a", "1", repeat=1),
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seeds[0] == 2482465986054200377
