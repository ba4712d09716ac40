"""The text of a version's release on GitHub: what it is, by digests, and what changed."""

from __future__ import annotations

from modelrelease.records.announcement import Announcement
from modelrelease.reports.budget import units
from modelrelease.reports.inert import code, defused, table_head, table_row

MAX_BODY = 125_000
"""Characters in a release's text. Source: GitHub's answer to longer ones, "body is too long (maximum is 125000)"."""
LEDGER_HEAD = "Ledger-Head"
_CHANGELOG = "<!-- modelrelease:changelog -->"
_CUT = "Cut to what fits here; the whole text is the file changelog.md."
_ROOM_FOR_A_NOTE = 200


def release_notes(announcement: Announcement, marker: str) -> str:
    """Return the whole text, ``marker`` first, the changelog last: whatever it leaves open, nothing follows it."""
    head = "\n".join([marker, *_facts(announcement), "", *_files(announcement)]) + "\n"
    if not announcement.changelog.strip():
        return head
    head += f"\n{_CHANGELOG}\n\n"
    text = defused(announcement.changelog)
    room = MAX_BODY - units(head) - _ROOM_FOR_A_NOTE
    kept = _lines_that_fit(text, room)
    return f"{head}*{_CUT}*\n\n{kept}" if len(kept) < len(text) else head + text


def ledger_head(body: str) -> str | None:
    """Return what a text says of the ledger's head, None where nothing; what its changelog says is no word of ours.

    The value is as it stands there: whoever may edit a release can write anything.
    """
    for line in body.partition(_CHANGELOG)[0].splitlines():
        name, found, value = line.partition(": ")
        if found and name == LEDGER_HEAD:
            return value.strip()
    return None


def _facts(announcement: Announcement) -> list[str]:
    lines = [f"Checkpoint {code(announcement.model_digest)} (sha256), from the commit {code(announcement.commit)}."]
    if announcement.ledger_head is not None:
        lines += ["", f"{LEDGER_HEAD}: {announcement.ledger_head}"]
    return lines


def _files(announcement: Announcement) -> list[str]:
    rows = [(asset.name, f"{asset.size:,}", asset.sha256) for asset in announcement.assets]
    return [
        *table_head(("file", "bytes", "sha256"), ("left", "right", "left")),
        *(table_row(row, (2,)) for row in rows),
    ]


def _lines_that_fit(text: str, room: int) -> str:
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        room -= units(line)
        if room < 0:
            break
        kept.append(line)
    return "".join(kept)
