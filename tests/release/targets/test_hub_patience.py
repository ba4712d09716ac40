"""When a request to the Hub is tried again, and how its answers are judged."""

from __future__ import annotations

import pytest

from modelrelease.patience import MAX_TRIES
from modelrelease.release.targets.patience import Failure, Patience, delay


@pytest.mark.parametrize(
    ("status", "headers", "tries", "seconds"),
    [
        (None, {}, 1, 0.75),
        (500, {}, 1, 0.75),
        (502, {}, 3, 3.0),
        (429, {}, 2, 1.5),
        (429, {"retry-after": "30"}, 1, 30.5),
        (503, {"retry-after": "5"}, 1, 5.5),
        (500, {"retry-after": "5"}, 1, 0.75),
        (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1, 0.75),
        (429, {"retry-after": "-1"}, 1, 0.75),
        (429, {"retry-after": "9" * 5000}, 1, 0.75),
        (429, {"retry-after": "٣"}, 1, 0.75),
        (429, {"ratelimit": '"api";r=0;t=55'}, 1, 55.5),
        (408, {}, 1, 0.75),
        (400, {}, 1, None),
        (401, {}, 1, None),
        (403, {"retry-after": "5"}, 1, None),
        (404, {}, 1, None),
        (409, {}, 1, None),
        (412, {}, 1, None),
        (501, {}, 1, None),
        (507, {}, 1, None),
    ],
)
def test_delay(status: int | None, headers: dict[str, str], tries: int, seconds: float | None) -> None:
    assert delay(Failure(status, "no", headers), tries, 0.5) == seconds


def patience(waits: list[float]) -> Patience:
    return Patience(waits.append, lambda: 0.0, lambda _: None)


def test_patience_ends_after_a_few_tries_of_one_request() -> None:
    waits: list[float] = []
    one = patience(waits)
    found = [one.wait("refs", Failure(500, "no")) for _ in range(MAX_TRIES)]
    assert found == [None] * (MAX_TRIES - 1) + ["tried 5 times"]
    assert one.wait("tree", Failure(500, "no")) is None
    one.begin("refs")
    assert one.wait("refs", Failure(500, "no")) is None
    assert waits == [0.5, 1.0, 2.0, 4.0, 0.5, 0.5]


def test_patience_is_bounded_over_all_requests() -> None:
    waits: list[float] = []
    one = patience(waits)
    slow = Failure(429, "no", {"retry-after": "140"})
    assert [one.wait(name, slow) for name in "abc"] == [
        None,
        None,
        "it asks to wait 140 s, and 20 s are left of 300 s",
    ]
    assert waits == [140.0, 140.0]


def test_what_changes_nothing_needs_no_words() -> None:
    assert patience([]).wait("refs", Failure(403, "no")) == ""
