"""When a request to the Hub that failed is worth another try, and how long to wait before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from modelrelease.patience import Failure as AnyFailure
from modelrelease.patience import Waiting

MAX_WAIT = 300.0
_NOT_AGAIN = {501, 505, 507}
_WINDOW = re.compile(r"(?:^|[;,\s])t=(\d{1,6})(?:$|[;,\s])")


@dataclass(frozen=True)
class Failure(AnyFailure):
    """What came instead of an answer of the Hub's."""

    server: ClassVar[str] = "the Hub"


def delay(failure: AnyFailure, tries: int, jitter: float) -> float | None:
    """Return the seconds to wait before another try, None where another try changes nothing.

    ``tries`` counts those that failed, from 1; ``jitter`` is in 0 to 1, so that many jobs do not come back at once.
    What the Hub asks for comes first: Retry-After, else the time left in the window of its RateLimit header.
    Source: https://huggingface.co/docs/hub/rate-limits
    """
    status = failure.status
    if status is not None and status not in {408, 429} and (status < 500 or status in _NOT_AGAIN):
        return None
    told = _seconds(failure.headers) if status in {429, 503} else None
    return told + jitter if told is not None else 2.0 ** (tries - 1) * (0.5 + jitter / 2)


def _seconds(headers: Mapping[str, str]) -> float | None:
    after = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,6}", after, re.ASCII):
        return float(after)
    window = _WINDOW.search(headers.get("ratelimit", ""))
    return float(window[1]) if window else None


@dataclass
class Patience(Waiting):
    """How much more failure of the Hub's a command takes."""

    sleep: Callable[[float], object]
    jitter: Callable[[], float]
    tell: Callable[[str], object]
    left: float = MAX_WAIT
    _tries: Counter[str] = field(default_factory=Counter)

    most: ClassVar[float] = MAX_WAIT

    def seconds(self, failure: AnyFailure, tries: int) -> float | None:
        """Return the seconds to wait, as :func:`delay` has it."""
        return delay(failure, tries, self.jitter())
