"""What is to become of one file."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease.records.setup import Action


@dataclass(frozen=True)
class FilePlan:
    """A file below the root: its bytes ``before`` (None: it is not there) and ``after`` (None: it stays as it is).

    ``text``: what is added to it, or for `by-hand` the lines that a person has to paste.
    """

    path: str
    action: Action
    reason: str
    before: bytes | None = None
    after: bytes | None = None
    text: str | None = None


def created(path: str, text: str, reason: str) -> FilePlan:
    """Return the plan of a file that is not there yet."""
    return FilePlan(path, "created", reason, None, text.encode("utf-8"), text)


def kept(path: str, before: bytes, reason: str) -> FilePlan:
    """Return the plan of a file that stays as it is."""
    return FilePlan(path, "left-alone", reason, before)
