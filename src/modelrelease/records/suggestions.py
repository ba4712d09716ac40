"""What to write instead of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Comparing longer names costs time that only a hostile document would make us spend.
_MAX_COMPARED = 64


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return ``did you mean `x`?`` for the one of ``known`` that is like ``name``; None where none is."""
    near = difflib.get_close_matches(name, list(known), n=1) if len(name) <= _MAX_COMPARED else []
    return f"did you mean `{near[0]}`?" if near else None


def suggest(key: str, known: Iterable[str]) -> str:
    """Return what to do about a ``key`` that a mapping does not have: the nearest of ``known``, or all of them."""
    names = list(known)
    return nearest(key, names) or (f"known keys: {', '.join(names)}" if names else "remove it")
