"""What a target is: the values that go in and come out, and the promises that hold for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from modelrelease.errors import Finding, Refused

Reach = Callable[[str], object]
"""Called with a failpoint's name when it is reached; tests die there."""

FAILPOINTS = (
    "publish: planned",
    "publish: uploaded",
    "publish: committed",
    "publish: checked",
    "publish: tagged",
    "stage: planned",
    "stage: moved",
)
"""The moments after which a run can be killed, in order. A folder has no tag, so it passes by the two around it."""

LEDGER_HEAD = "Ledger-Head"

MAX_READ = 16 << 20
"""Bytes; what is read whole is a record, and never weights."""


def go_on(_: str) -> None:
    """Reach a failpoint in normal life."""


Stamp = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last change of content and of anything, in nanoseconds."""


@dataclass(frozen=True)
class FileDigest:
    """A file as it is, or should be: ``path`` in the release, ``size`` in bytes.

    ``sha256`` is that of its bytes; ``blob`` the id that git gives them (sha1 with a header). The Hub tells the first
    of large files and the second of small ones, a folder the first of all. None is what is not known.
    """

    path: str
    size: int
    sha256: str | None
    blob: str | None = None


@dataclass(frozen=True)
class PlannedFile:
    """A file to be published. ``source`` is where its bytes are; None where only the target itself has them.

    ``stamp`` is what the file system said of the file when it was hashed; None where that proves nothing.
    """

    digest: FileDigest
    source: Path | bytes | None
    stamp: Stamp | None = field(default=None, compare=False)

    @property
    def path(self) -> str:
        """Where it goes."""
        return self.digest.path


@dataclass(frozen=True)
class PlannedRelease:
    """All files of a version, and nothing else: what is at the target and not among them goes.

    ``ledger_head`` is the commit that the ledger is at: publishing anchors it outside.
    """

    version: str
    files: tuple[PlannedFile, ...]
    ledger_head: str | None = None

    @property
    def title(self) -> str:
        """The first line of its message, by which it is found again."""
        return release_title(self.version)

    @property
    def body(self) -> str:
        """The rest of its message."""
        return f"{LEDGER_HEAD}: {self.ledger_head}" if self.ledger_head is not None else ""

    @property
    def digests(self) -> tuple[FileDigest, ...]:
        """What its files have to be."""
        return tuple(file.digest for file in self.files)


@dataclass(frozen=True)
class Published:
    """A version as it stands at the target: ``commit`` names it for good, ``message`` is what was said of it."""

    version: str
    commit: str
    files: tuple[FileDigest, ...]
    message: str

    @property
    def ledger_head(self) -> str | None:
        """The ledger's head when it was published, None where its message does not say."""
        return trailer(self.message, LEDGER_HEAD)


@dataclass(frozen=True)
class StageState:
    """What a stage is at. ``commit`` names this state of the stage, None where there is no such stage yet.

    ``version`` and ``release`` (its commit) say what it mirrors, compared by content; None where that is no version
    as it was published. ``claimed`` is the version that it says it has.
    """

    name: str
    commit: str | None = None
    version: str | None = None
    release: str | None = None
    claimed: str | None = None


class Raced(Refused):
    """Somebody else has moved the target meanwhile: exit 1, and nothing of this run is left. Run it again."""


class Target(Protocol):
    """One place for one model's versions. Every call asks what is there first, so that it can be called again.

    All raise Unavailable (exit 3) when the target does not answer or does not let us in; nothing half-done is ever
    visible then, and calling again ends where an undisturbed call would have.
    """

    @property
    def address(self) -> str:
        """The target as modelrelease.yaml names it."""

    def versions(self) -> tuple[str, ...]:
        """Return the versions that are published, lowest first."""

    def inspect(self, version: str) -> Published | None:
        """Return what is published under a version's name, None where nothing is. Its content is not verified."""

    def stage(self, name: str) -> StageState:
        """Return what a stage is at."""

    def check_writable(self) -> None:
        """Raise what publishing would (Unavailable, exit 3) where we may only read. Nothing is changed by asking.

        It is asked before a release is announced: an announcement that nobody can carry out keeps others waiting.
        """

    def publish(self, release: PlannedRelease) -> Published:
        """Publish a version at once or not at all; done already where the same content is.

        Raises Refused (MR703) where the name stands for other content, or where what arrived is not what was sent;
        Raced where somebody changed the same files meanwhile; InvalidInput (MR705) for files that cannot be published.
        """

    def move_stage(self, name: str, release: Published, expected: StageState) -> StageState:
        """Let a stage mirror ``release``, from ``expected``, in one step that no reader sees half of.

        Done already where it does. Raises Raced where the stage is no longer at ``expected``; Refused (MR702, MR703)
        where the version is not published as ``release`` says.
        """

    def read(self, version: str, path: str) -> bytes | None:
        """Return a published record's bytes, None where there is no such version or file. They are not verified.

        Raises InvalidInput (MR705) where it has more than ``MAX_READ`` bytes.
        """

    def read_unnamed(self, version: str, path: str) -> bytes | None:
        """Return what a run that died before the version had its name has left of a record; None where nothing is.

        As :meth:`read`, and never verified either.
        """

    def verify(
        self, version: str, expected: Sequence[FileDigest], *, commit: str | None = None, download: bool = False
    ) -> tuple[Finding, ...]:
        """Return what differs between a published version and ``expected``: nothing where all is well.

        ``commit`` is the one that was recorded: a name that was moved off it is a finding. With ``download`` every
        file's bytes are read and hashed; without, the target's own digests are compared where it keeps them.
        """


def release_title(version: str) -> str:
    """Return the title of the commit that publishes a version."""
    return f"Release {version}"


def move_title(stage: str, version: str) -> str:
    """Return the title of the commit that moves a stage."""
    return f"Move {stage} to {version}"


def trailer(message: str, name: str) -> str | None:
    """Return what a line ``name: …`` of a message says, the last where there are several."""
    return next(_values(message, name), None)


def _values(message: str, name: str) -> Iterator[str]:
    for line in reversed(message.splitlines()):
        key, found, value = line.partition(": ")
        if found and key == name:
            yield value.strip()


def by_path(files: Sequence[FileDigest]) -> Mapping[str, FileDigest]:
    """Return digests by their path."""
    return {file.path: file for file in files}
