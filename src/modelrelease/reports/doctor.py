"""A diagnosis as a person reads it: a line a check, in groups, and under what is to be done the step that mends it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from modelrelease.errors import escape_controls, shorten
from modelrelease.records.diagnosis import Check, Diagnosis, State

WIDTH = 110
_NARROWEST, _MAX_NAME, _MAX_TEXT = 60, 44, 500
_WORDS: dict[State, str] = {"ok": "ok", "to-do": "to do", "unseen": "cannot be seen from here"}
_MARKS: dict[State, str] = {"ok": "ok   ", "to-do": "to do", "unseen": "?    "}


def diagnosis_text(diagnosis: Diagnosis, width: int = WIDTH) -> str:
    """Return a diagnosis as text for a terminal of ``width`` columns."""
    where = f" ({diagnosis.github})" if diagnosis.github else ""
    lines = [escape_controls(f"repository: {diagnosis.repository}{where}"), ""]
    wide = max(_NARROWEST, min(width, WIDTH))
    for group, checks in groupby(diagnosis.checks, key=lambda check: check.group):
        lines += [group, *_rows(list(checks), wide), ""]
    return "\n".join([*lines, summary(diagnosis), ""])


def summary(diagnosis: Diagnosis) -> str:
    """Return how many checks came to what, on one line."""
    count = {state: sum(check.state == state for check in diagnosis.checks) for state in _WORDS}
    said = [f"{count[state]} {words}" for state, words in _WORDS.items() if count[state] or state != "unseen"]
    return ", ".join(said) + (" (?)" if count["unseen"] else "")


def _rows(checks: Sequence[Check], width: int) -> Iterator[str]:
    names = [shorten(escape_controls(check.name), _MAX_NAME) for check in checks]
    column = max(map(len, names))
    for check, name in zip(checks, names, strict=True):
        head = f"  {_MARKS[check.state]}  {name:<{column}}  "
        yield from _wrapped(head, f"{_unseen(check)}{check.says}", width)
        if check.step is not None:
            yield from _wrapped(f"{'':<9}→ ", check.step, width)


def _unseen(check: Check) -> str:
    return f"{_WORDS['unseen']}: " if check.state == "unseen" else ""


def _wrapped(head: str, text: str, width: int) -> Iterator[str]:
    """Yield ``text`` behind ``head``, its further lines under its first; on a narrow screen further left."""
    plain = shorten(escape_controls(text), _MAX_TEXT)
    indent = len(head) if len(head) <= width // 2 else 11
    first, *rest = textwrap.wrap(
        plain,
        width,
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [head]
    yield first.rstrip()
    yield from rest
