"""What goes wrong between a client and a local server, on order: by method and path, a number of times."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to the next ``times`` requests that match.

    ``applied``: the request does its work first, and only its answer is lost. ``status`` None leaves the answer as it
    is. ``body`` is sent as it stands. ``keep`` cuts the answer after that many bytes; ``honest`` then says its true
    length, as a proxy does that saw no more. ``reset`` closes the connection instead of answering. ``gather`` holds
    every answer back until all that it waits for have been made: however slow the machine, nobody sees what another
    does with it. ``take`` lets only that many bytes of the request arrive.
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
    take: int | None = None


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
