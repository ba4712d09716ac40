"""A tag's release on GitHub: how ours is known again, and what is still to be done until it is out, whole.

All decisions, no effects. A tag has at most one published release, but any number of drafts, which only a list shows.
So ours are known by a hidden first line and by who wrote them, the first of several stays, and nothing is published
before every file is there and is what it has to be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, escape_controls, invalid, shorten
from modelrelease.records.announcement import Announcement, Asset

MAX_ASSET = 2 << 30
"""GitHub takes files below this. Source: https://docs.github.com/repositories/releasing-projects-on-github."""
_MAX_TITLE = 200
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9])?")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]{0,199}")
_MARKER = re.compile(
    r"<!-- modelrelease:release tag=(?P<tag>[A-Za-z0-9][A-Za-z0-9_.+/-]{0,199})"
    r" commit=(?P<commit>[0-9a-f]{40}|[0-9a-f]{64}) model=(?P<model>[0-9a-f]{64}) -->"
)


@dataclass(frozen=True)
class Marker:
    """The hidden first line of a release's text: the tag, its commit, and the checkpoint's digest."""

    tag: str
    commit: str
    model: str

    def __str__(self) -> str:
        """Return the line, without its end."""
        return f"<!-- modelrelease:release tag={self.tag} commit={self.commit} model={self.model} -->"


def marker_of(announcement: Announcement) -> Marker:
    """Return the line by which an announcement's release is known."""
    return Marker(announcement.tag, announcement.commit, announcement.model_digest)


def read_marker(body: str) -> Marker | None:
    """Return the marker at the very beginning of a text; anywhere else it is a quotation."""
    match = _MARKER.match(body)
    return Marker(match["tag"], match["commit"], match["model"]) if match is not None else None


@dataclass(frozen=True)
class Stored:
    """A file as GitHub has it. ``whole`` is False while it is sent, or where sending it broke off.

    ``sha256`` is None where this GitHub keeps no digests.
    """

    id: int
    name: str
    size: int
    sha256: str | None
    whole: bool


@dataclass(frozen=True)
class Release:
    """A release as GitHub has it. ``author`` is a user's id, None where the account is gone."""

    id: int
    tag: str
    author: int | None
    draft: bool
    body: str
    url: str
    upload_url: str
    assets: tuple[Stored, ...] = ()


@dataclass(frozen=True)
class Mine:
    """What this run wants to be out. ``author`` is the id that its token writes as."""

    announcement: Announcement
    body: str
    author: int

    @property
    def marker(self) -> Marker:
        """The line by which it is known."""
        return marker_of(self.announcement)

    @property
    def title(self) -> str:
        """Its name, on one line."""
        return escape_controls(shorten(self.announcement.title, _MAX_TITLE))


@dataclass(frozen=True)
class Step:
    """One thing to do to the release ``release`` (None: a new one): ``asset`` is the id of a stored file.

    ``draft``: make one; ``discard``: remove it, the double of another; ``remove``: a file of it; ``upload``: send it
    the file called ``name``; ``publish``: let everybody see it.
    """

    action: Literal["draft", "discard", "remove", "upload", "publish"]
    release: int | None = None
    asset: int | None = None
    name: str = ""


def refuse_unfit(announcement: Announcement) -> None:
    """Raise InvalidInput (MR744) for what no release of GitHub's can have: names that it would change, sizes."""
    if not _TAG.fullmatch(announcement.tag):
        raise _unfit(announcement.tag, "is no tag of a version", "name it model_vX.Y")
    if read_marker(str(marker_of(announcement))) != marker_of(announcement):
        raise _unfit(announcement.tag, "has a commit or a digest that is none", "give both as hex digits")
    names = [asset.name for asset in announcement.assets]
    for asset in announcement.assets:
        if not _NAME.fullmatch(asset.name) or names.count(asset.name) > 1:
            raise _unfit(asset.name, "stands twice, or GitHub would change this name", "name it with plain letters")
        if not 0 < asset.size < MAX_ASSET:
            todo = "GitHub takes files that are not empty and below 2 GiB"
            raise _unfit(asset.name, f"has {asset.size:,} bytes", todo)


def _unfit(what: str, message: str, todo: str) -> Exception:
    return invalid(escape_controls(shorten(what, 100)), Code.RELEASE_ASSET, message, todo)


def ours(drafts: Sequence[Release], mine: Mine) -> list[Release]:
    """Return our drafts of the tag, the first one first; it stays.

    Not by GitHub's own field for the tag alone: while a draft's tag is not there it can read ``untagged-…``.
    """
    found = [draft for draft in drafts if draft.draft and draft.author == mine.author and _is_of(draft, mine)]
    return sorted(found, key=lambda draft: draft.id)


def _is_of(draft: Release, mine: Mine) -> bool:
    marker = read_marker(draft.body)
    return marker is not None and marker.tag == mine.announcement.tag


def plan(published: Release | None, drafts: Sequence[Release], mine: Mine) -> list[Step]:
    """Return what is still to be done, in this order; nothing when the release is out and whole.

    ``published`` and the first of ``drafts`` have their files with digests. What follows a ``draft`` step is planned
    when it is there. Raises Refused (MR741) where the tag's release is not ours, or not what was released.
    """
    drafts = ours(drafts, mine)
    if published is not None:
        return [*_completed(published, mine), *(Step("discard", draft.id) for draft in drafts)]
    if not drafts:
        return [Step("draft")]
    kept, *doubles = drafts
    wanted = {asset.name: asset for asset in mine.announcement.assets}
    wrong = [one for one in kept.assets if one.name not in wanted or not same_file(one, wanted[one.name])]
    steps = [Step("discard", double.id) for double in doubles]
    steps += [Step("remove", kept.id, one.id, one.name) for one in wrong]
    there = {one.name for one in kept.assets}  # a wrong one has to be gone before it is sent again
    steps += [Step("upload", kept.id, name=name) for name in wanted if name not in there]
    return steps if any(step.action != "discard" for step in steps) else [*steps, Step("publish", kept.id)]


def same_file(stored: Stored, asset: Asset) -> bool:
    """Say whether a file on GitHub is the one that is to be there."""
    return stored.whole and (stored.size, stored.sha256) == (asset.size, asset.sha256)


def _completed(published: Release, mine: Mine) -> list[Step]:
    """Return what a published release lacks: only what was never there, or never whole, is added to it."""
    refuse_other(published, mine.announcement)
    there = {one.name: one for one in published.assets}
    steps: list[Step] = []
    for asset in mine.announcement.assets:
        stored = there.get(asset.name)
        if stored is None:
            steps.append(Step("upload", published.id, name=asset.name))
        elif not stored.whole:
            steps.append(Step("remove", published.id, stored.id, asset.name))
        elif not same_file(stored, asset):
            message = f"holds another {asset.name} than was released"
            todo = "find out who changed it; remove that file from the release, and run it again"
            raise Refused(Finding(_shown(published), Code.GITHUB_RELEASE, message, todo))
    return steps


def refuse_other(published: Release, announcement: Announcement) -> None:
    """Raise Refused (MR741) where a tag's published release is somebody else's, or of another commit or checkpoint."""
    marker, wanted = read_marker(published.body), marker_of(announcement)
    if marker is None:
        message = "was not written by modelrelease, and a tag has one release only"
        todo = "delete this release (Releases; its tag stays), and run it again"
        raise Refused(Finding(_shown(published), Code.GITHUB_RELEASE, message, todo))
    if marker != wanted:
        message = f"is of commit {marker.commit[:12]} with the checkpoint {marker.model[:12]}, not of"
        message += f" {wanted.commit[:12]} with {wanted.model[:12]}"
        todo = "a released version never changes: release the next patch version"
        raise Refused(Finding(_shown(published), Code.GITHUB_RELEASE, message, todo))


def _shown(release: Release) -> str:
    return escape_controls(shorten(release.url or f"the GitHub release {release.id}", 200))
