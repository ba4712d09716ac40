"""An event of the ledger: what was done to which version, by whom, when and why. Never edited, never removed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from modelrelease.records.base import Document, Part, Sha256

EventKind = Literal["intent", "released", "rolled-back", "rolled-forward", "revoked", "override"]
CommitId = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
MAX_REASON = 1000
PROMPTS = "prompts/"
"""Where a release keeps the prompts that its version was scored with."""
_MAX_OVERRIDES = 1000


def _day(text: str) -> str:
    """What looks like a day and is none stops whoever counts with it: ValueError."""
    date.fromisoformat(text)
    return text


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _inside(path: str) -> str:
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise ValueError("leads out of the release")
    return path


_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
Day = Annotated[str, StringConstraints(pattern=f"^{_DAY}$"), AfterValidator(_day)]
Moment = Annotated[
    str, StringConstraints(pattern=rf"^{_DAY}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}\+00:00$"), AfterValidator(_moment)
]
# What an event names is asked of git and of the disk: a name is one word and no option, a path stays below a folder.
Ref = Annotated[str, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]{0,249}$")]
RelativePath = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,500}$"), AfterValidator(_inside)]


class Person(Part):
    """Who did it: as git knows them, and as GitHub does where it ran there."""

    name: str | None
    email: str | None
    login: str | None = None


class Approval(Part):
    """Somebody's consent to a run. ``counts`` is False where the policy does not take it; ``why`` says so."""

    login: str
    user_id: int | None
    environment: str | None
    at: str | None
    counts: bool
    why: str | None = None


class ReleasedFile(Part):
    """One published file; ``blob`` is the id that git gives it, which is what the Hub tells of small files."""

    path: RelativePath
    size: int = Field(ge=0)
    sha256: Sha256
    blob: str | None = Field(pattern=r"^[0-9a-f]{40}$")


class ReleaseFacts(Part):
    """What a promotion is of, and on what grounds: everything that it publishes, and what decided.

    ``git_sha`` is the commit of the git tag ``tag``; ``baseline`` the version that it was held against, None for the
    first. ``overrides`` are sequences of events.
    """

    tag: Ref
    git_sha: CommitId
    files: tuple[ReleasedFile, ...] = Field(min_length=1, max_length=10_000)
    eval_sha256: Sha256
    comparison_sha256: Sha256
    decision: Literal["promote"]
    summary: str = Field(min_length=1, max_length=MAX_REASON)
    bootstrap: bool
    baseline: str | None
    policy_ref: Ref
    policy_digest: Sha256
    overrides: tuple[int, ...] = Field(default=(), max_length=_MAX_OVERRIDES)
    approvals: tuple[Approval, ...] = ()

    @property
    def prompts(self) -> frozenset[str]:
        """The digests of the prompts that it publishes."""
        return frozenset(file.sha256 for file in self.files if file.path.startswith(PROMPTS))


class Receipt(Part):
    """Where a release ended up. ``intent`` is the sequence of the event that announced it."""

    intent: int = Field(ge=1)
    target_commit: str
    target_tag: str
    github_release: str | None


class Move(Part):
    """The stage's way: from the version that it named (None: nothing yet) to the one that it names."""

    before: str | None
    after: str


class Override(Part):
    """One named loss accepted for one digest, up to and including the day ``until`` (UTC)."""

    metric: str = Field(pattern=r"^[^/\s]+/[^/\s]+$")
    until: Day


_PARTS: dict[EventKind, frozenset[str]] = {
    "intent": frozenset({"release"}),
    "released": frozenset({"receipt", "move"}),
    "rolled-back": frozenset({"move", "reason"}),
    "rolled-forward": frozenset({"move"}),
    "revoked": frozenset({"reason"}),
    "override": frozenset({"override", "reason"}),
}
"""What each kind of event has to say besides what all say."""


class Event(Document):
    """One event. ``previous`` is the sha256 of the bytes of the event before it, None for the first.

    ``at`` in UTC. ``model_digest`` is the checkpoint's: a name alone says nothing about content.
    """

    schema_version: Literal[1] = 1
    sequence: int = Field(ge=1)
    previous: Sha256 | None
    kind: EventKind
    at: Moment
    by: Person
    run_url: str | None
    version: str = Field(pattern=r"^model_v[0-9]+(\.[0-9]+){1,2}$")
    model_digest: Sha256
    target: str
    stage: str
    reason: str | None = Field(default=None, min_length=1, max_length=MAX_REASON)
    release: ReleaseFacts | None = None
    receipt: Receipt | None = None
    move: Move | None = None
    override: Override | None = None

    @model_validator(mode="after")
    def _says_what_its_kind_has_to_say(self) -> Event:
        wanted = _PARTS[self.kind]
        for name in ("release", "receipt", "move", "override", "reason"):
            there = getattr(self, name) is not None
            if there != (name in wanted) and not (name == "reason" and there):
                raise ValueError(f"an event of the kind {self.kind} {'has' if name in wanted else 'has no'} `{name}`")
        if (self.sequence == 1) != (self.previous is None):
            raise ValueError("the first event alone has no `previous`")
        if self.move is not None and self.move.after != self.version:
            raise ValueError("`move.after` is the version that the event is of")
        return self
