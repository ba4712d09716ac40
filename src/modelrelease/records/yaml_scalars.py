"""Which plain scalars of YAML are no text: the core schema of YAML 1.2.2, section 10.3.2, in decimal.

So `NO`, `on`, `2026-11-22`, `1:30`, `1_000`, `0x1F` and `0o17` are text, as their authors saw them.
"""

from __future__ import annotations

import re

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

Scalar = str | int | float | bool | None


def digits_of(text: str) -> int:
    """Return how many digits the whole number ``text`` has; 0 where it is none."""
    return len(text.lstrip("+-")) if _WHOLE.fullmatch(text) else 0


def is_not_finite(text: str) -> bool:
    """Return whether the plain scalar ``text`` is NaN, an infinity, or too large for a float."""
    if _NOT_FINITE.fullmatch(text):
        return True
    return bool(_FLOAT.fullmatch(text)) and not digits_of(text) and float(text) in (float("inf"), float("-inf"))


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar that is finite and of a length that int() takes."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
