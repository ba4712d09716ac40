"""Regular expressions from a suite, matched against model output: both can be hostile, so time is bounded.

The ``regex`` library takes the syntax of ``re`` and a timeout; transformers brings it along.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

TIMEOUT = 2.0
"""Seconds one search may take; an expression that needs longer backtracks without end."""


class PatternTimeoutError(Exception):
    """An expression did not finish on one text in ``TIMEOUT`` seconds."""


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with a regular expression, None where it compiles. Imports nothing heavy."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def find(pattern: str, text: str, take: str) -> str | None:
    """Return what the first or last match captures: its first group, or all of it. None without a match."""
    found: str | None = None
    try:
        for match in _compiled(pattern).finditer(text, timeout=TIMEOUT):
            found = match.group(1) if match.re.groups else match.group(0)
            if take == "first":
                break
    except TimeoutError as error:
        raise PatternTimeoutError(f"the expression {pattern!r} did not finish in {TIMEOUT:g} s") from error
    return found


def matches(pattern: str, text: str) -> bool:
    """Say whether ``pattern`` matches anywhere in ``text``."""
    return find(f"(?:{pattern})()", text, "first") is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)
