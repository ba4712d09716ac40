"""The batch plan: a pure function of the requests, ``batch_tokens`` and an order, never of memory or time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from modelrelease.records.canonical import digest_of
from modelrelease.scoring.requests import MAX_SCORED, ItemRequests, Request


@dataclass(frozen=True)
class Batch:
    """Requests that go to the engine together; all of one kind. ``task`` is set for generation only."""

    requests: tuple[Request, ...]
    task: int | None


def plan_batches(
    entries: Sequence[ItemRequests], tasks_of: Sequence[int], batch_tokens: int, order: int = 0
) -> list[Batch]:
    """Return the batches, longest sequences first, each at most ``batch_tokens`` padded tokens.

    ``tasks_of[i]`` is the task of item i. Scoring requests of all tasks share batches; generation is batched
    task by task, since its settings differ. A request larger than ``batch_tokens`` is a batch of its own.
    ``order`` other than 0 is the number of a permutation: the same requests with other neighbours and paddings.
    """
    scored: list[Request] = []
    generated: dict[int, list[Request]] = {}
    for entry in entries:
        for request in entry.requests:
            if request.start == len(request.tokens):
                generated.setdefault(tasks_of[request.item], []).append(request)
            else:
                scored.append(request)
    batches = [Batch(group, None) for group in _fill(_ordered(scored, order), batch_tokens)]
    for task in sorted(generated):
        batches += [Batch(group, task) for group in _fill(_ordered(generated[task], order), batch_tokens)]
    return batches


def _ordered(requests: list[Request], order: int) -> list[Request]:
    if order:
        return sorted(requests, key=lambda request: _shuffled(order, request))
    return sorted(requests, key=lambda request: (-len(request.tokens), request.item, request.part))


def _shuffled(order: int, request: Request) -> bytes:
    return hashlib.sha256(f"{order} {request.item} {request.part}".encode()).digest()


def _fill(requests: list[Request], batch_tokens: int) -> list[tuple[Request, ...]]:
    """Fill batches greedily; the longest of a batch sets the padded length."""
    groups: list[tuple[Request, ...]] = []
    current: list[Request] = []
    width = scored = 0
    for request in requests:
        own = len(request.tokens) - request.start
        size = (len(current) + 1) * max(width, _width(request))
        if current and (size > batch_tokens or scored + own > MAX_SCORED):
            groups.append(tuple(current))
            current, width, scored = [], 0, 0
        width = max(width, _width(request))
        current.append(request)
        scored += own
    return [*groups, tuple(current)] if current else groups


def _width(request: Request) -> int:
    return len(request.tokens) + request.max_new_tokens


def plan_digest(batches: Sequence[Batch]) -> str:
    """Return the digest of what is batched with what, in which order, token by token."""
    return digest_of([[[r.item, r.part, r.start, r.tokens] for r in batch.requests] for batch in batches])
