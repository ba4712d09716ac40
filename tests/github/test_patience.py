"""When another try is worth it, and how long the wait before it."""

from __future__ import annotations

import pytest
from fakes.github.faults import SECONDARY

from modelrelease.github.patience import MAX_WAIT, Failure, Patience, delay
from modelrelease.patience import MAX_TRIES

NOW = 1_800_000_000.0
NONE_LEFT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000030"}


@pytest.mark.parametrize(
    ("status", "message", "headers", "waits"),
    [
        (None, "the connection to GitHub failed", {}, (1, 2, 4)),
        (500, "Server Error", {}, (1, 2, 4)),
        (502, "no reason", {}, (1, 2, 4)),
        (429, "Too Many Requests", {"retry-after": "7"}, (7, 7, 7)),
        (429, "Too Many Requests", {}, (60, 120, 240)),
        (403, SECONDARY, {}, (60, 120, 240)),
        (403, SECONDARY, {"retry-after": "0"}, (0, 0, 0)),
        (403, "You have triggered an abuse detection mechanism.", {}, (60, 120, 240)),
        (403, "API rate limit exceeded for installation ID 1.", NONE_LEFT, (31, 31, 31)),
        (403, "API rate limit exceeded", {**NONE_LEFT, "x-ratelimit-reset": "5"}, (1, 1, 1)),
        (403, "API rate limit exceeded", {**NONE_LEFT, "x-ratelimit-reset": "soon"}, (60, 60, 60)),
        (429, "Too Many Requests", {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, (60, 120, 240)),
        (429, "Too Many Requests", {"retry-after": "-5"}, (60, 120, 240)),
        (403, "Resource not accessible by integration", {}, (None, None, None)),
        (401, "Bad credentials", {}, (None, None, None)),
        (404, "Not Found", {}, (None, None, None)),
        (422, "Validation Failed", {}, (None, None, None)),
    ],
)
def test_waits(status: int | None, message: str, headers: dict[str, str], waits: tuple[float | None, ...]) -> None:
    failure = Failure(status, message, headers)
    assert tuple(delay(failure, tries, NOW) for tries in (1, 2, 3)) == waits


def test_a_request_is_tried_a_few_times_and_waits_are_told() -> None:
    slept: list[float] = []
    told: list[str] = []
    patience = Patience(slept.append, lambda: NOW, told.append)
    failure = Failure(502, "busy")
    assert [patience.wait("GET /x", failure) for _ in range(MAX_TRIES)] == [None] * 4 + ["tried 5 times"]
    assert slept == [1, 2, 4, 8]
    assert told[0] == "GitHub answered 502: busy; waiting 1 s before another try"
    assert patience.wait("GET /y", failure) is None


def test_a_wait_longer_than_what_is_left_is_none() -> None:
    slept: list[float] = []
    patience = Patience(slept.append, lambda: NOW, lambda _: None)
    patience.wait("GET /x", Failure(429, "later", {"retry-after": "400"}))
    reason = patience.wait("GET /y", Failure(429, "later", {"retry-after": "300"}))
    assert reason == "it asks to wait 300 s, and 200 s are left of 600 s"
    assert sum(slept) <= MAX_WAIT
