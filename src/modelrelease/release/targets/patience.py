"""When a request to the Hub that failed is worth another try, and how long to wait before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_TRIES = 5
MAX_WAIT = 300.0
_NOT_AGAIN = {501, 505, 507}
_WINDOW = re.compile(r"(?:^|[;,\s])t=(\d{1,6})(?:$|[;,\s])")


@dataclass(frozen=True)
class Failure:
    """What came instead of an answer. ``status`` is None where none came, or none that can be read."""

    status: int | None
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it in words, for a sentence that goes on."""
        return self.message if self.status is None else f"the Hub answered {self.status}: {self.message}"


def delay(failure: Failure, tries: int, jitter: float) -> float | None:
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
class Patience:
    """How much more failure a command takes: a few tries of one request, and a bounded wait in all."""

    sleep: Callable[[float], object]
    jitter: Callable[[], float]
    tell: Callable[[str], object]
    left: float = MAX_WAIT
    _tries: Counter[str] = field(default_factory=Counter)

    def wait(self, request: str, failure: Failure) -> str | None:
        """Wait before another try of ``request`` and return None, or return why there is none ("" needs no words)."""
        self._tries[request] += 1
        tries = self._tries[request]
        seconds = delay(failure, tries, self.jitter())
        if seconds is None:
            return ""
        if tries >= MAX_TRIES:
            return f"tried {tries} times"
        if seconds > self.left:
            return f"it asks to wait {seconds:.0f} s, and {self.left:.0f} s are left of {MAX_WAIT:.0f} s"
        self.left -= seconds
        self.tell(f"{failure}; waiting {seconds:.0f} s before another try")
        self.sleep(seconds)
        return None

    def begin(self, request: str) -> None:
        """Forget the tries of a request that has been answered."""
        self._tries.pop(request, None)
