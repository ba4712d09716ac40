"""Regular expressions from a suite, matched against model output: both can be hostile, so time is bounded.

The ``regex`` library takes the syntax of ``re`` and a timeout; transformers brings it along.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

from modelrelease.errors import shorten

MAX_PATTERN = 4000
MAX_EXPANDED = 50_000
_PIECE = re.compile(r"(?P<repeat>[*?+]|\{(?P<least>\d*),?\d*\})|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)

TIMEOUT = 2.0
"""Seconds one search may take; an expression that needs longer backtracks without end."""


class PatternTimeoutError(Exception):
    """An expression did not finish on one text in ``TIMEOUT`` seconds."""


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with a regular expression, None where it compiles. Imports nothing heavy.

    An expression has to be one for ``re`` and, where that library is there, for ``regex``; and neither may take long
    over it, which repeats inside repeats make it do.
    """
    if len(pattern) > MAX_PATTERN:
        return f"it has {len(pattern)} characters, more than {MAX_PATTERN}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of what `[[` may mean one day
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return str(error)
    if _too_large(pattern):
        return f"its repeats inside repeats expand to more than {MAX_EXPANDED} steps"
    return _refusal(pattern)


def _refusal(pattern: str) -> str | None:
    """Return what ``regex`` has against an expression that ``re`` takes: ``a{e<1`` begins a fuzzy match there."""
    try:
        import regex
    except ImportError:
        return None
    try:
        _compiled(pattern)
    except regex.error as error:
        return str(error)
    return None


def _too_large(pattern: str) -> bool:
    """Say whether ``regex`` would write the expression out in more than ``MAX_EXPANDED`` steps.

    It copies a repeated group once for each time that it must match, and once more: nested deeply, that takes all
    memory there is.
    """
    sizes, atom = [0], 0
    for match in _PIECE.finditer(pattern):
        piece = match.group()
        if piece == "(":
            sizes.append(0)
            atom = 0
        elif piece == ")" and len(sizes) > 1:
            atom = sizes.pop() + 1
            sizes[-1] += atom
        elif match["repeat"] is not None:
            least = int(match["least"] or 0) + (piece == "+")
            sizes[-1] += atom * least
            atom *= least + 1
        else:
            atom = 1
            sizes[-1] += 1
        if sizes[-1] > MAX_EXPANDED:
            return True
    return False


def find(pattern: str, text: str, take: str) -> str | None:
    """Return what the first or last match captures: its first group, or all of it. None without a match."""
    found: str | None = None
    try:
        for match in _compiled(pattern).finditer(text, timeout=TIMEOUT):
            found = match.group(1) if match.re.groups else match.group(0)
            if take == "first":
                break
    except TimeoutError as error:
        raise _timeout(pattern) from error
    return found


def matches(pattern: str, text: str) -> bool:
    """Say whether ``pattern`` matches anywhere in ``text``."""
    try:
        return _compiled(pattern).search(text, timeout=TIMEOUT) is not None
    except TimeoutError as error:
        raise _timeout(pattern) from error


def _timeout(pattern: str) -> PatternTimeoutError:
    return PatternTimeoutError(f"the expression {shorten(pattern, 80)!r} did not finish in {TIMEOUT:g} s")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)
