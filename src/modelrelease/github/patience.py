"""When a request that failed is worth another try, and how long to wait before it.

Source: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api, "Handle rate limit
errors appropriately".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_TRIES = 5
MAX_WAIT = 600.0
_MINUTE = 60.0
_SECONDARY = ("secondary rate limit", "abuse detection")


@dataclass(frozen=True)
class Failure:
    """What came instead of an answer. ``status`` is None where none came, or none that can be read."""

    status: int | None
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it in words, for a sentence that goes on."""
        return self.message if self.status is None else f"GitHub answered {self.status}: {self.message}"


def delay(failure: Failure, tries: int, now: float) -> float | None:
    """Return the seconds to wait before another try, None where another try changes nothing.

    ``tries`` counts those that failed, from 1; ``now`` is in seconds since 1970. What GitHub asks for comes first.
    """
    if failure.status is None or failure.status >= 500:
        return float(2 ** (tries - 1))
    if failure.status not in {403, 429}:
        return None
    if (told := _number(failure.headers.get("retry-after"))) is not None:
        return told
    if failure.headers.get("x-ratelimit-remaining") == "0":
        reset = _number(failure.headers.get("x-ratelimit-reset"))
        return max(1.0, reset - now + 1) if reset is not None else _MINUTE
    limited = failure.status == 429 or any(words in failure.message.lower() for words in _SECONDARY)
    return _MINUTE * 2 ** (tries - 1) if limited else None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 12 else None


@dataclass
class Patience:
    """How much more failure a command takes: a few tries of one request, and a bounded wait in all."""

    sleep: Callable[[float], object]
    now: Callable[[], float]
    tell: Callable[[str], object]
    left: float = MAX_WAIT
    _tries: Counter[str] = field(default_factory=Counter)

    def wait(self, request: str, failure: Failure) -> str | None:
        """Wait before another try of ``request`` and return None, or return why there is none ("" needs no words)."""
        self._tries[request] += 1
        tries = self._tries[request]
        seconds = delay(failure, tries, self.now())
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
