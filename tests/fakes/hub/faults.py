"""What goes wrong between a client and the Hub, on order."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from fakes.faults import Fault as AnyFault
from fakes.faults import Faults

__all__ = ["Fault", "Faults", "error"]


@dataclass
class Fault(AnyFault):
    """As on the local GitHub, and: ``after`` resets the connection when that many bytes of the request have come.

    ``meet`` is waited for before the request is looked at: that many writers have all read before anybody writes.
    """

    after: int | None = None
    meet: threading.Barrier | None = field(default=None)


def error(status: int, message: str = "Server Error", **headers: str) -> dict[str, object]:
    """Return the parts of a fault that answers as the Hub does; ``Retry_After`` stands for ``Retry-After``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    shown = {"X-Error-Message": message, "X-Request-Id": "fault", **named}
    return {"status": status, "body": f'{{"error": "{message}"}}', "headers": shown}
