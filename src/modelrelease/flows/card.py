"""A version's README.md and changelog.md: what they are to be, whether they are, and both of them written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import Finding, ModelreleaseError, Unavailable, invalid
from modelrelease.flows.version_story import read_story
from modelrelease.records.checkpoints import CARD
from modelrelease.records.files import read_bytes, write_atomic
from modelrelease.records.version_story import Override, VersionStory
from modelrelease.release.card.assemble import make_card

CHANGELOG = "changelog.md"
MAX_CARD = 1 << 20


@dataclass(frozen=True)
class Written:
    """The two texts as a report gives them: README.md's generated part, and the whole changelog."""

    section: Callable[[VersionStory], str]
    changelog: Callable[[VersionStory], str]


@dataclass(frozen=True)
class CardFile:
    """A file of the pair: ``shown`` is how people name it, ``before`` what stands there, None for nothing."""

    path: Path
    shown: str
    before: bytes | None
    after: bytes

    @property
    def state(self) -> str:
        """``current``, ``stale``, or ``absent`` where there is none."""
        return "absent" if self.before is None else "current" if self.before == self.after else "stale"


@dataclass(frozen=True)
class CardPlan:
    """What `card` would write. ``findings``: what the card, once written, lacks;
    ``notes``: what the changelog cannot tell."""

    version: str
    files: tuple[CardFile, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    def stale(self) -> list[Finding]:
        """Return a finding (MR433) for each file that is not what the records give."""
        problems = {"stale": "is not what the records give", "absent": "is not written yet"}
        changed = [file for file in self.files if file.state in problems]
        return [
            self._no_card()
            if file is self.files[0] and not self._has_card
            else Finding(file.shown, Code.CARD_STALE, problems[file.state], f"run {self._write}")
            for file in changed
        ]

    def lacking(self) -> list[Finding]:
        """Return what the card that stands there lacks; where there is none, that alone (MR433)."""
        return list(self.findings) if self._has_card else [self._no_card()]

    def all_wrong(self) -> list[Finding]:
        """Return all that keeps the two files from being current and whole, each thing once."""
        return [*self.stale(), *(self.findings if self._has_card else ())]

    @property
    def _has_card(self) -> bool:
        return bool((self.files[0].before or b"").strip())

    @property
    def _write(self) -> str:
        return f"`modelrelease card {Path(self.files[0].shown).parent.as_posix()} --write`"

    def _no_card(self) -> Finding:
        todo = f"run {self._write}, and fill in what it leaves open"
        return Finding(self.files[0].shown, Code.CARD_STALE, "there is no card", todo)


def plan_card(
    project: Project,
    folder: Path,
    texts: Written,
    overrides: tuple[Override, ...] = (),
    results: Path | None = None,
) -> CardPlan:
    """Return what the card and the changelog of the version in ``folder`` are to be.

    ``results`` holds the evaluation that they tell of, where it is another one than the folder's. Writes nothing.
    Raises what reading the story and the present card raises: see :func:`read_story`, :func:`make_card`; InvalidInput
    (MR209) where a link or a folder stands in a file's place.
    """
    told = read_story(project, folder, overrides, results)
    story = told.story
    shown = {name: f"{story.folder}/{name}" for name in (CARD, CHANGELOG)}
    before = {name: _existing(folder / name, shown[name]) for name in shown}
    card = make_card(before[CARD], story, texts.section(story), shown[CARD])
    after = {CARD: card.data, CHANGELOG: texts.changelog(story).encode("utf-8")}
    files = tuple(CardFile(folder / name, shown[name], before[name], after[name]) for name in shown)
    return CardPlan(story.version, files, tuple(card.findings), told.notes)


def write_card(plan: CardPlan) -> None:
    """Write both files, or neither: where the second fails, the first is put back.

    Raises Unavailable (exit 3) where the disk refuses, or a file is not what it was when it was planned.
    """
    done: list[CardFile] = []
    try:
        for file in plan.files:
            if file.state != "current":
                _refuse_changed(file)
                write_atomic(file.path, file.after)
                done.append(file)
    except BaseException:  # also somebody's Ctrl-C
        for file in reversed(done):
            with contextlib.suppress(ModelreleaseError, OSError):
                _put_back(file)
        raise


def _refuse_changed(file: CardFile) -> None:
    """What somebody wrote meanwhile is theirs."""
    if _existing(file.path, file.shown) != file.before:
        message = "has changed while this was at work"
        raise Unavailable(Finding(file.shown, Code.UNAVAILABLE, message, "run it again"))


def _put_back(file: CardFile) -> None:
    if file.before is None:
        file.path.unlink()
    else:
        write_atomic(file.path, file.before)


def _existing(path: Path, shown: str) -> bytes | None:
    if path.is_symlink():
        raise invalid(
            shown, Code.UNREADABLE, "is a link, and nothing is written through one", "put the file itself there"
        )
    if not path.exists():
        return None
    if path.is_file() and path.stat().st_size > MAX_CARD:
        raise invalid(shown, Code.UNREADABLE, f"has more than {MAX_CARD >> 20} MB", "see what it is")
    return read_bytes(path, shown, limit=MAX_CARD)
