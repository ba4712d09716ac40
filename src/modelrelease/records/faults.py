"""What YAML and JSON documents can have wrong alike, worded once."""

from __future__ import annotations

import re

from modelrelease.codes import Code
from modelrelease.errors import Finding, shorten
from modelrelease.records.located import MAX_DEPTH

# The limit of Python's own int(), kept where a caller or the environment has lifted it.
MAX_DIGITS = 4300
MAX_SHOWN = 80

SURROGATE = re.compile("[\ud800-\udfff]")


def quoted(text: str) -> str:
    """Return ``text`` between backticks, cut to what a line of output bears."""
    return f"`{shorten(text, MAX_SHOWN)}`"


def duplicate_key(path: str, key: str, first: int, second: int) -> Finding:
    """A key that stands in one mapping twice, in lines ``first`` and ``second``."""
    where = "twice" if first == second else f"in lines {first} and {second}"
    return Finding(path, Code.DUPLICATE_KEY, f"the key {quoted(key)} stands {where}", "keep one of them", second)


def not_finite(path: str, number: str, line: int) -> Finding:
    """NaN, Infinity, or a number that is beyond what a float holds."""
    message = f"{quoted(number)} is no finite number"
    return Finding(path, Code.NUMBER, message, "write a finite number, null, or text in quotes", line)


def too_many_digits(path: str, digits: int, line: int) -> Finding:
    """A whole number of more digits than are ever meant as one."""
    message = f"a whole number of {digits} digits is too long (at most {MAX_DIGITS})"
    return Finding(path, Code.NUMBER, message, "write it as text in quotes", line)


def half_character(path: str, text: str, line: int) -> Finding:
    """A text with a lone surrogate, which UTF-8 cannot hold."""
    found = SURROGATE.search(text)
    code = f" (\\u{ord(found.group()):04x})" if found else ""
    message = f"a text holds half of a surrogate pair{code}, which is no character"
    return Finding(path, Code.SYNTAX, message, "write the whole character", line)


def too_deep(path: str, line: int) -> Finding:
    """Lists and mappings inside each other without end."""
    return Finding(path, Code.SYNTAX, f"is nested deeper than {MAX_DEPTH} levels", "make it flatter", line)


def too_large(number: str) -> bool:
    """Return whether ``number``, written as a float, is beyond what a float holds."""
    return float(number) in (float("inf"), float("-inf"))
