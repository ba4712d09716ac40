"""What set a workflow off, read from the file that GITHUB_EVENT_PATH names.

The file is data: its title and branch names are whoever's opened the pull request.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.records.strict_json import read_json_file
from modelrelease.records.validation import validate

# A webhook's payload, which this file is, has 25 MB at most:
# https://docs.github.com/webhooks/webhook-events-and-payloads
MAX_BYTES = 25_000_000

# What git lets a branch be called (git-check-ref-format), as far as it keeps a name from being anything else.
_REF = re.compile(r"(?!-)(?!.*(\.\.|@\{|//))[^\x00-\x20\x7f~^:?*\[\\]{1,250}")


def _branch(text: str) -> str:
    if not _REF.fullmatch(text):
        raise ValueError("must be the name of a branch")
    return text


Sha = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Ref = Annotated[str, AfterValidator(_branch)]


class _Payload(BaseModel):
    """A part of an event; GitHub's hold a great deal more than we read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class EventRepository(_Payload):
    """A repository, as ``owner/name``."""

    full_name: str


class Side(_Payload):
    """One side of a pull request. ``repo`` is None where a fork has been deleted."""

    sha: Sha
    ref: str
    repo: EventRepository | None


class Base(_Payload):
    """The branch that a pull request wants to be merged into. ``sha`` is stale by definition: never compare with it."""

    sha: Sha
    ref: Ref
    repo: EventRepository


class PullRequest(_Payload):
    """The pull request that an event is about."""

    number: int = Field(ge=1, le=2**53)
    head: Side
    base: Base

    @property
    def is_fork(self) -> bool:
        """Say whether the head is in another repository than the base."""
        return self.head.repo is None or self.head.repo.full_name != self.base.repo.full_name


class MergeGroup(_Payload):
    """What a merge queue wants checked: a commit made of ``base_sha`` and one or more pull requests."""

    base_sha: Sha
    head_sha: Sha
    head_ref: str


class Event(_Payload):
    """An event. Both parts are None for pushes, schedules and runs that a person started."""

    pull_request: PullRequest | None = None
    merge_group: MergeGroup | None = None

    @property
    def head_sha(self) -> str | None:
        """Return the commit that is asked about; None where the event names none."""
        if self.pull_request is not None:
            return self.pull_request.head.sha
        return self.merge_group.head_sha if self.merge_group is not None else None


def read_event(path: Path) -> Event:
    """Read an event. InvalidInput (exit 2): no file or too large (MR209), malformed (MR2xx)."""
    try:
        size = path.stat().st_size
    except OSError:
        size = 0  # the reader below says what is wrong
    if size > MAX_BYTES:
        raise invalid(path, Code.UNREADABLE, f"has {size:,} bytes, and no event is as large", "see GITHUB_EVENT_PATH")
    return validate(Event, read_json_file(path))


def base_ref_of(event: Event) -> str | None:
    """Return the git ref to compare with: the fetched base branch, a merge group's base; None for other events."""
    if event.pull_request is not None:
        return f"origin/{event.pull_request.base.ref}"
    return event.merge_group.base_sha if event.merge_group is not None else None
