"""How a command bears with a server that fails: a few tries of one request, and a bounded wait in all. A leaf.

What a failure means, and how long to wait after it, is each server's own: see ``github/patience`` and
``release/targets/patience``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

MAX_TRIES = 5


@dataclass(frozen=True)
class Failure:
    """What came instead of an answer. ``status`` is None where none came, or none that can be read."""

    status: int | None
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    server: ClassVar[str] = "the server"

    def __str__(self) -> str:
        """Return it in words, for a sentence that goes on."""
        return self.message if self.status is None else f"{self.server} answered {self.status}: {self.message}"


class Waiting(ABC):
    """What is left of a command's patience: ``left`` seconds of ``most``, and how often each request was tried."""

    most: ClassVar[float]
    sleep: Callable[[float], object]
    tell: Callable[[str], object]
    left: float
    _tries: Counter[str]

    @abstractmethod
    def seconds(self, failure: Failure, tries: int) -> float | None:
        """Return the seconds to wait after ``tries`` failures, None where another try changes nothing."""

    def wait(self, request: str, failure: Failure) -> str | None:
        """Wait before another try of ``request`` and return None, or return why there is none ("" needs no words)."""
        self._tries[request] += 1
        tries = self._tries[request]
        seconds = self.seconds(failure, tries)
        if seconds is None:
            return ""
        if tries >= MAX_TRIES:
            return f"tried {tries} times"
        if seconds > self.left:
            return f"it asks to wait {seconds:.0f} s, and {self.left:.0f} s are left of {self.most:.0f} s"
        self.left -= seconds
        self.tell(f"{failure}; waiting {seconds:.0f} s before another try")
        self.sleep(seconds)
        return None

    def begin(self, request: str) -> None:
        """Forget the tries of a request that has been answered."""
        self._tries.pop(request, None)
