"""A value in a sentence: cut to what a line of output bears, and called by what a person calls it."""

from __future__ import annotations

import json
import re
from typing import Any

from modelrelease.errors import shorten
from modelrelease.records.faults import MAX_SHOWN
from modelrelease.records.located import Keys

_SIMPLE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
_SCALARS = (str, bool, int, float)


def kind_of(value: Any) -> str:
    """Return what ``value`` is in plain words: text, a whole number, a list, ..."""
    if value is None:
        return "null"
    return _KINDS.get(type(value), "a mapping")


def shown(value: Any) -> str:
    """Return ``value`` as JSON, at most 80 characters, and what it is: ``1.5 (a number)``."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, _SCALARS):
        cut = value[: MAX_SHOWN + 1] if isinstance(value, str) else value
        return f"{shorten(json.dumps(cut, ensure_ascii=False), MAX_SHOWN)} ({kind_of(value)})"
    if not value:
        return f"an empty {'list' if isinstance(value, list) else 'mapping'}"
    return f"{shorten(json.dumps(value, ensure_ascii=False), MAX_SHOWN)} ({kind_of(value)})"


def key_path(keys: Keys) -> str:
    """Return ``keys`` as a person writes them: ``tasks[0].metrics["*/nll"].margin``."""
    parts = []
    for key in keys:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _SIMPLE_KEY.fullmatch(key):
            parts.append(f".{key}" if parts else key)
        else:
            parts.append(f'["{shorten(key, MAX_SHOWN // 2)}"]')
    return "".join(parts)
