"""Carry an announcement out: look, do, look again, until the tag's release is out and whole.

A draft is made, gets its files, and is published when all of them are there: whoever is stopped in between leaves a
draft that nobody sees, and whoever runs it again goes on with it.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, invalid
from modelrelease.github.announcing import (
    Mine,
    Release,
    Step,
    marker_of,
    ours,
    plan,
    read_marker,
    refuse_other,
    refuse_unfit,
)
from modelrelease.github.client import Api, LookAgain, NotFound, Rejected
from modelrelease.github.comments import BOT_ID
from modelrelease.github.git_tags import refuse_moved_tag
from modelrelease.github.release_pages import Pages
from modelrelease.github.transfer import Upload
from modelrelease.github.writing import SETTLE, as_written, until_done
from modelrelease.records.announcement import Announcement, Asset
from modelrelease.records.files import sha256_of
from modelrelease.reports.release_notes import ledger_head, release_notes

# Somebody else may still be sending a file that is not whole; what is so for this many looks was given up.
_LOOKS_AT_A_PART = 3
# What GitHub rejects because it is there already, or gone, is seen so at the next look, or at the one after.
_MAX_REJECTIONS = 3


def announce(
    api: Api,
    repository: str,
    announcement: Announcement,
    sleep: Callable[[float], object],
    tell: Callable[[str], object],
    *,
    author: int = BOT_ID,
    settle: float = SETTLE,
) -> str:
    """See to it that the tag has one published release with all files, and return its address.

    ``author`` is the id of the user that the token writes as. Nothing is written where it is all there. Raises
    InvalidInput (MR744) for what no release can have; Refused (exit 1) where the tag is not there at its commit
    (MR742), or the tag's release is not ours or not the same (MR741); Unavailable (exit 3) where GitHub does not let
    us, or others keep on writing.
    """
    refuse_unfit(announcement)
    mine = Mine(announcement, release_notes(announcement, str(marker_of(announcement))), author)
    doing = _Doing(Pages(api, repository), mine, tell)
    doing.refuse_moved_tag()

    def turn() -> str | None:
        published, drafts = doing.look()
        steps = plan(published, drafts, doing.mine)
        if not steps and published is not None:
            doing.refuse_moved_tag()  # GitHub makes a tag that somebody has removed meanwhile, and not at its commit
            return published.url
        # After a write that may have been done, or whose place has gone, the steps behind it rest on nothing.
        with contextlib.suppress(LookAgain):
            for step in steps:
                doing.do(step, [one for one in (published, *drafts) if one is not None])
        return None

    return until_done(turn, sleep, settle, f"{repository}: release {announcement.tag}", "this release")


def refuse_taken(api: Api, repository: str, announcement: Announcement) -> None:
    """Raise what `announce` would raise at its end for a tag or a release that is not ours; writes nothing.

    For a plan, before anything is released: Refused (MR741, MR742), InvalidInput (MR744).
    """
    refuse_unfit(announcement)
    refuse_moved_tag(api, repository, announcement.tag, announcement.commit)
    published = Pages(api, repository).of_tag(announcement.tag)
    if published is not None:
        refuse_other(published, announcement)


def anchors(api: Api, repository: str) -> list[tuple[str, str]]:
    """Return where a ledger's head was written down, in words, and the commit: of every published release of ours.

    Newest first, from all pages. Raises Unavailable (exit 3) where GitHub does not answer or lets us not in.
    """
    found: list[tuple[str, str]] = []
    for release in Pages(api, repository).all():
        marker = None if release.draft else read_marker(release.body)
        head = ledger_head(release.body) if marker is not None else None
        if marker is not None and head is not None and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", head):
            found.append((f"the GitHub release {marker.tag}", head))
    return found


@dataclass
class _Doing:
    """What this run has done, as far as GitHub has confirmed it: a list that is read right after may not show it."""

    pages: Pages
    mine: Mine
    tell: Callable[[str], object]
    made: int | None = None
    parts: Counter[int] = field(default_factory=Counter)
    rejected: Counter[Step] = field(default_factory=Counter)

    def refuse_moved_tag(self) -> None:
        said = self.mine.announcement
        refuse_moved_tag(self.pages.api, self.pages.repository, said.tag, said.commit)

    def look(self) -> tuple[Release | None, list[Release]]:
        """Return the tag's published release, and our drafts of it, the first one with its files."""
        # First the drafts: one that is published between the two looks is then seen twice, and never not at all.
        drafts = ours(list(self.pages.all()), self.mine)
        published = self.pages.of_tag(self.mine.announcement.tag)
        if published is not None:
            others = [draft for draft in drafts if draft.id != published.id]
            return self.pages.with_files(published), others
        if self.made is not None and all(draft.id != self.made for draft in drafts):
            with contextlib.suppress(NotFound):
                drafts = ours([*drafts, self.pages.one(self.made)], self.mine)
        if drafts:
            drafts[0] = self.pages.with_files(drafts[0])
        return None, drafts

    def do(self, step: Step, known: list[Release]) -> None:
        try:
            self._do(step, known)
        except (NotFound, Rejected):
            # It is there already, or gone, or cannot be: the next look tells, and the third time is GitHub's last word.
            self.rejected[step] += 1
            if self.rejected[step] >= _MAX_REJECTIONS:
                raise
            raise LookAgain(()) from None

    def _do(self, step: Step, known: list[Release]) -> None:
        said = self.mine.announcement
        if step.release is None:
            made = self.pages.create_draft(said.tag, self.mine.title, self.mine.body)
            self.made, self.mine = made.id, as_written(self.mine, made.author, self.tell)
            return
        release = next(one for one in known if one.id == step.release)
        if step.action == "discard":
            # It was a draft when the list was read; what has been published since is not ours to take back.
            if self.pages.one(step.release).draft:
                self.pages.discard(step.release)
        elif step.action == "remove" and step.asset is not None:
            if self._given_up(release, step.asset):
                self.pages.remove(step.asset)
        elif step.action == "upload":
            asset = next(one for one in said.assets if one.name == step.name)
            refuse_changed(asset)
            self.pages.send(release, Upload(asset.name, asset.size, asset.source))
        else:
            self.refuse_moved_tag()
            self.pages.publish(step.release, said.tag, self.mine.title, self.mine.body)

    def _given_up(self, release: Release, asset: int) -> bool:
        stored = next(one for one in release.assets if one.id == asset)
        self.parts[asset] += 1
        return stored.whole or self.parts[asset] >= _LOOKS_AT_A_PART


def refuse_changed(asset: Asset) -> None:
    """Raise Refused (MR744) where a file is no longer what was to be published."""
    if isinstance(asset.source, bytes):
        return
    try:
        same = asset.source.stat().st_size == asset.size and sha256_of(asset.source) == asset.sha256
    except OSError as error:
        raise invalid(asset.source, Code.UNREADABLE, error.strerror or str(error), "put it back") from error
    if not same:
        message, todo = "changed since it was released", "put back what was released, and run it again"
        raise Refused(Finding(str(asset.source), Code.RELEASE_ASSET, message, todo))
