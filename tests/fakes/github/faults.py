"""What goes wrong on GitHub's side, in its own words."""

from __future__ import annotations

from fakes.faults import Fault, Faults

__all__ = ["Fault", "Faults", "error", "html", "retry_after", "secondary"]

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. "
    "If you reach out to GitHub Support for help, please include the request ID."
)
HTML = (
    "<!DOCTYPE html><html><head><title>Unicorn!</title></head><body>We had issues producing the response</body></html>"
)


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
