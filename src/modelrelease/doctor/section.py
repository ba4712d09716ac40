"""How answers are made: one line a check, with the step that mends it."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease.errors import Finding, shorten
from modelrelease.records.diagnosis import Check, Group
from modelrelease.records.repository_settings import Unseen

MAX_SAID = 400


@dataclass(frozen=True)
class Section:
    """A group of checks."""

    group: Group

    def ok(self, name: str, says: str) -> Check:
        """Return the answer for what is set up."""
        return Check(group=self.group, name=name, state="ok", says=_plain(says))

    def todo(self, name: str, says: str, step: str) -> Check:
        """Return the answer for what is not, with the step that mends it."""
        return Check(group=self.group, name=name, state="to-do", says=_plain(says), step=_plain(step))

    def unseen(self, name: str, why: Unseen) -> Check:
        """Return the answer for what cannot be seen from here."""
        return Check(group=self.group, name=name, state="unseen", says=_plain(why.why), step=_plain(why.shown_by))

    def finding(self, name: str, found: Finding, more: int = 0) -> Check:
        """Return the answer for what a reader or a rule has found wrong, and how many findings there are besides."""
        line = f":{found.line}" if found.line is not None else ""
        rest = f" (and {more:,} more)" if more else ""
        return self.todo(name, f"{found.path}{line}: {found.code.value} {found.message}{rest}", found.todo)


def _plain(text: str) -> str:
    """Return text as a JSON document may hold it: a name's bytes that are no UTF-8 as escapes."""
    return shorten(text.encode("utf-8", "backslashreplace").decode("utf-8"), MAX_SAID)
