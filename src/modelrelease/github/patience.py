"""When a request that failed is worth another try, and how long to wait before it.

Source: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api, "Handle rate limit
errors appropriately".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from modelrelease.patience import Failure as AnyFailure
from modelrelease.patience import Waiting

MAX_WAIT = 600.0
_MINUTE = 60.0
_SECONDARY = ("secondary rate limit", "abuse detection")


@dataclass(frozen=True)
class Failure(AnyFailure):
    """What came instead of an answer of GitHub's."""

    server: ClassVar[str] = "GitHub"


def delay(failure: AnyFailure, tries: int, now: float) -> float | None:
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
class Patience(Waiting):
    """How much more failure of GitHub's a command takes."""

    sleep: Callable[[float], object]
    now: Callable[[], float]
    tell: Callable[[str], object]
    left: float = MAX_WAIT
    _tries: Counter[str] = field(default_factory=Counter)

    most: ClassVar[float] = MAX_WAIT

    def seconds(self, failure: AnyFailure, tries: int) -> float | None:
        """Return the seconds to wait, as :func:`delay` has it."""
        return delay(failure, tries, self.now())
