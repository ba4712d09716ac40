"""What goes wrong between a client and GitHub, on order: by method and path, a number of times."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)
HTML = (
    "<!DOCTYPE html><html><head><title>Unicorn!</title></head><body>We had issues producing the response</body></html>"
)


@dataclass
class Fault:
    """What happens to the next ``times`` requests that match.

    ``applied``: the request does its work first, and only its answer is lost. ``status`` None leaves the answer as it
    is. ``body`` is sent as it stands. ``keep`` cuts the answer after that many bytes; ``honest`` then says its true
    length, as a proxy does that saw no more. ``reset`` closes the connection instead of answering. ``gather`` holds
    every answer back until all that it waits for have been made: however slow the machine, nobody sees what another
    does with it.
    """

    method: str = ".*"
    path: str = ".*"
    times: int = 1
    delay: float = 0.0
    applied: bool = False
    status: int | None = None
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    keep: int | None = None
    honest: bool = False
    reset: bool = False
    gather: threading.Barrier | None = None


def error(status: int, message: str = "Server Error") -> dict[str, object]:
    """Return the parts of a fault that answers with an error in GitHub's own form."""
    return {"status": status, "body": f'{{"message": "{message}", "status": "{status}"}}'}


def html(status: int) -> dict[str, object]:
    """Return the parts of a fault that answers with a page for people."""
    return {"status": status, "body": HTML, "headers": {"Content-Type": "text/html; charset=utf-8"}}


def retry_after(seconds: int, status: int = 429) -> dict[str, object]:
    """Return the parts of a fault that asks to come back later."""
    return {**error(status, "Too Many Requests"), "headers": {"Retry-After": str(seconds)}}


def secondary() -> dict[str, object]:
    """Return the parts of a fault that is GitHub's secondary rate limit, in its documented words."""
    return error(403, SECONDARY)


class Faults:
    """The faults on order; the first that matches happens."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order a fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._waiting.clear()

    def left(self) -> int:
        """Return how many requests are still to go wrong: 0 when a test has seen all it asked for."""
        with self._lock:
            return sum(fault.times for fault in self._waiting)

    def take(self, method: str, path: str) -> Fault | None:
        """Return what happens to this request, and count it."""
        with self._lock:
            for fault in self._waiting:
                if fault.times and re.fullmatch(fault.method, method) and re.fullmatch(fault.path, path):
                    fault.times -= 1
                    return fault
        return None
