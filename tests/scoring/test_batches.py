from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelrelease.scoring.batches import Batch, plan_batches, plan_digest
from modelrelease.scoring.requests import MAX_SCORED, ItemRequests, Request


def scored(item: int, length: int, own: int, part: int = 0) -> Request:
    return Request(item, part, tuple(range(length)), length - own)


def generated(item: int, length: int, new: int = 5) -> Request:
    return Request(item, 0, tuple(range(length)), length, new)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[ItemRequests], list[int]]:
    entries, tasks = [], []
    for item in range(draw(st.integers(1, 25))):
        task = draw(st.integers(0, 3))
        tasks.append(task)
        if task < 2:
            lengths = draw(st.lists(st.integers(2, 700), min_size=0, max_size=4))
            requests = [scored(item, n, draw(st.integers(1, n - 1)), part) for part, n in enumerate(lengths)]
        else:
            requests = [generated(item, draw(st.integers(1, 90)), new=10 * task)]
        entries.append(ItemRequests(requests))
    return entries, tasks


def requests_of(batches: list[Batch]) -> list[Request]:
    return [request for batch in batches for request in batch.requests]


@given(plans(), st.integers(1, 2000))
@settings(deadline=None, max_examples=150)
def test_every_request_is_in_exactly_one_batch(plan: tuple[list[ItemRequests], list[int]], limit: int) -> None:
    entries, tasks = plan
    batches = plan_batches(entries, tasks, limit)
    assert Counter(requests_of(batches)) == Counter(request for entry in entries for request in entry.requests)
    assert all(batch.requests for batch in batches)


@given(plans(), st.integers(1, 2000))
@settings(deadline=None, max_examples=150)
def test_no_batch_is_larger_than_its_limits_unless_it_is_one_request(
    plan: tuple[list[ItemRequests], list[int]], limit: int
) -> None:
    for batch in plan_batches(*plan, limit):
        if len(batch.requests) > 1:
            width = max(len(request.tokens) + request.max_new_tokens for request in batch.requests)
            assert width * len(batch.requests) <= limit
            assert sum(len(request.tokens) - request.start for request in batch.requests) <= MAX_SCORED


@given(plans(), st.integers(1, 2000))
@settings(deadline=None, max_examples=100)
def test_a_generating_batch_is_of_one_task_and_scoring_batches_of_any(
    plan: tuple[list[ItemRequests], list[int]], limit: int
) -> None:
    entries, tasks = plan
    for batch in plan_batches(entries, tasks, limit):
        generating = {request.start == len(request.tokens) for request in batch.requests}
        assert generating == {batch.task is not None}
        assert batch.task is None or {tasks[request.item] for request in batch.requests} == {batch.task}


@given(plans(), st.integers(1, 2000), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=100)
def test_the_plan_does_not_depend_on_the_order_in_which_items_come(
    plan: tuple[list[ItemRequests], list[int]], limit: int, rng: Random
) -> None:
    entries, tasks = plan
    before = plan_batches(entries, tasks, limit)
    after = plan_batches(rng.sample(entries, len(entries)), tasks, limit)
    assert before == after
    assert plan_digest(before) == plan_digest(after)


def test_the_longest_come_first_and_set_the_width() -> None:
    entries = [ItemRequests([scored(item, length, 1)]) for item, length in enumerate([3, 9, 5, 9, 4])]
    batches = plan_batches(entries, [0] * 5, 20)
    assert [[len(r.tokens) for r in batch.requests] for batch in batches] == [[9, 9], [5, 4, 3]]
    assert [r.item for r in batches[0].requests] == [1, 3]


def test_a_request_larger_than_the_limit_is_a_batch_of_its_own() -> None:
    entries = [ItemRequests([scored(item, length, 1)]) for item, length in enumerate([50, 4, 4])]
    assert [len(batch.requests) for batch in plan_batches(entries, [0] * 3, 10)] == [1, 2]


def test_new_tokens_count_towards_the_width_of_a_generating_batch() -> None:
    entries = [ItemRequests([generated(item, 4, new=6)]) for item in range(4)]
    assert [len(batch.requests) for batch in plan_batches(entries, [0] * 4, 20)] == [2, 2]


@pytest.mark.parametrize(
    "other",
    [
        [Batch((scored(0, 5, 2),), None), Batch((scored(1, 5, 2),), None)],
        [Batch((scored(1, 5, 2), scored(0, 5, 2)), None)],
        [Batch((scored(0, 5, 1), scored(1, 5, 2)), None)],
        [Batch((scored(0, 5, 2), scored(1, 5, 2, part=1)), None)],
        [Batch((scored(0, 5, 2), scored(1, 6, 2)), None)],
    ],
)
def test_the_digest_knows_grouping_order_boundaries_parts_and_tokens(other: list[Batch]) -> None:
    assert plan_digest(other) != plan_digest([Batch((scored(0, 5, 2), scored(1, 5, 2)), None)])


@given(plans(), st.integers(1, 2000), st.integers(1, 5))
@settings(deadline=None, max_examples=100)
def test_another_order_has_the_same_requests_within_the_same_limits(
    plan: tuple[list[ItemRequests], list[int]], limit: int, order: int
) -> None:
    batches = plan_batches(*plan, limit, order)
    assert Counter(requests_of(batches)) == Counter(requests_of(plan_batches(*plan, limit)))
    assert plan_digest(batches) == plan_digest(plan_batches(*plan, limit, order))
    for batch in batches:
        width = max(len(request.tokens) + request.max_new_tokens for request in batch.requests)
        assert len(batch.requests) == 1 or width * len(batch.requests) <= limit


def test_orders_differ() -> None:
    entries = [ItemRequests([scored(item, 10 + item, 3)]) for item in range(12)]
    assert len({plan_digest(plan_batches(entries, [0] * 12, 64, order)) for order in range(4)}) == 4
