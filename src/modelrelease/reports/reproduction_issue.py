"""The issue about a live version that no longer reproduces: its title, its text, and the notes under it.

Names and reasons come from a machine that ran a model's code, so all of them go through ``inert``.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath

from modelrelease.errors import shorten
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.reproduction import REPRODUCED, Reproduction
from modelrelease.reports.budget import Section, fit, units, utf8_bytes
from modelrelease.reports.comment import MOST_OF_A_COMMENT, About, run_link
from modelrelease.reports.inert import code, escape
from modelrelease.reports.reproduction import headline, reproduction_markdown

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MAX_REASON, _MAX_PATH = 600, 200
_ELSEWHERE = "the job summary"
_END = "Each run writes this text anew; the title and what you write below stay. It is closed when it reproduces again."


@dataclass(frozen=True)
class Subject:
    """What was run again. ``name`` tells the models of one repository apart; None for what is not known.

    ``model`` is the version's folder, or the eval.json in it.
    """

    name: str | None = None
    model: str | None = None

    @property
    def version(self) -> str | None:
        """Return the version's name; None where it is not known, or no name that a version could have."""
        path = PurePosixPath(self.model or "")
        name = path.parent.name if path.name == EVAL_FILE else path.name
        return name if _WORD.fullmatch(name) else None

    @property
    def shown(self) -> str:
        """Return the version, with the model's name where it has one, as plain text."""
        version = self.version or "the live version"
        return f"{self.name}: {version}" if self.name else version


def issue_title(reproduction: Reproduction | None, subject: Subject) -> str:
    """Return the title of the issue, as plain text; without a ``reproduction`` it could not be made."""
    title = f"{subject.shown} {'could not be run again' if reproduction is None else 'no longer reproduces'}"
    return title[0].upper() + title[1:] if subject.version is None and not subject.name else title


def issue_markdown(
    reproduction: Reproduction | None, reason: str, subject: Subject, about: About, *, limit: int
) -> str:
    """Return the issue's text of at most ``limit``: what came of it, what to do, and the report of the run.

    ``reason`` says why there is no ``reproduction``. Up to ``MOST_OF_A_COMMENT`` the limit is in UTF-16 code units,
    above that in bytes of UTF-8.
    """
    report = "" if reproduction is None else reproduction_markdown(reproduction, subject.shown).strip("\n")
    sections = [
        Section((f"{_first(reproduction, subject)} {_what_next(reproduction, reason, subject)}",), stays=True),
        Section((report,)),
        Section((run_link(about) or "",), stays=True),
        Section((_END,), stays=True),
    ]
    shown = [section for section in sections if section.head != ("",)]
    return fit(shown, limit, _ELSEWHERE, units if limit <= MOST_OF_A_COMMENT else utf8_bytes)


def note_markdown(reproduction: Reproduction | None, reason: str, subject: Subject, about: About) -> str:
    """Return the note that tells people of another outcome."""
    what = _why(reason) if reproduction is None else f"{escape(headline(reproduction))}."
    lines = [f"{_first(reproduction, subject)} {what}".rstrip(), run_link(about)]
    return "\n\n".join(line for line in lines if line) + "\n"


def _first(reproduction: Reproduction | None, subject: Subject) -> str:
    if reproduction is not None and reproduction.outcome in REPRODUCED:
        return f"**🟢 {escape(subject.shown)} reproduces again.**"
    return f"**🔴 {escape(issue_title(reproduction, subject))}.**"


def _what_next(reproduction: Reproduction | None, reason: str, subject: Subject) -> str:
    if reproduction is None:
        return f"{_why(reason)} Once that is mended, the next run tells whether it reproduces.".lstrip()
    model = shorten(subject.model, _MAX_PATH) if subject.model and subject.model.isprintable() else ""
    command = code(f"modelrelease reproduce {shlex.quote(model)}" if model else "modelrelease reproduce")
    return {
        "mismatch": f"Run {command} on the machine that recorded it: where it reproduces there, the runner has changed;"
        " where it does not, score the version again and ask what the old record was of.",
        "refused": "Bring back what was recorded, or score the version again and commit its new record.",
    }.get(reproduction.outcome, "Nothing is to be done.")


def _why(reason: str) -> str:
    text = shorten(reason, _MAX_REASON).strip()
    return f"{escape(text[0].upper() + text[1:])}." if text else ""
