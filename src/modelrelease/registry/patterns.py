"""Which files are governed: patterns in gitignore's dialect, the last that matches decides.

A pattern matches what git would ignore by it; unlike there, a later pattern may take a file back from a folder. The
pathspec library costs 35 ms to import where a whole hook may take 45, and reads some patterns (`/*`) unlike git.
Source: gitignore(5), "PATTERN FORMAT".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

MAX_DOUBLE_STARS = 3

_SPECIAL = re.compile(r"[*?\[\\]")
_CLASS = re.compile(r"\[(!|\^)?(\]?[^\]]*)\]")


class Patterns:
    """Patterns as one question: is this path governed?"""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raise ValueError for a pattern that cannot be one."""
        self._tests = [test for test in map(_compile, patterns) if test is not None]

    def __call__(self, path: str) -> bool:
        """Return whether ``path`` (relative, with slashes) is governed."""
        for wanted, prefix, regex in reversed(self._tests):
            if path.startswith(prefix) and (regex is None or regex.match(path)):
                return wanted
        return False


def _compile(pattern: str) -> tuple[bool, str, re.Pattern[str] | None] | None:
    """Return whether a match governs, what a path must begin with, and the expression for the whole of it."""
    text = _trimmed(pattern)
    if not text or text.startswith("#"):
        return None
    wanted = not text.startswith("!")
    text = text if wanted else text[1:]
    if not text.strip("/"):
        return None
    folder = text[:-3]
    if text.endswith("/**") and not _SPECIAL.search(folder) and folder.strip("/"):
        return wanted, folder.removeprefix("/") + "/", None  # the usual case needs no expression
    try:
        return wanted, "", re.compile(_expression(text), re.DOTALL)
    except re.error as error:
        raise ValueError("is not valid") from error


def _trimmed(pattern: str) -> str:
    """Blanks at the end do not count unless a backslash stands before them."""
    text = pattern.rstrip(" ")
    escaped = (len(text) - len(text.rstrip("\\"))) % 2
    return text + " " if escaped and len(text) < len(pattern) else text


def _expression(text: str) -> str:
    anchored = "/" in text[:-1]
    only_folders = text.endswith("/")
    names = text.strip("/").split("/")
    parts = [name for at, name in enumerate(names) if name != "**" or names[at - 1 : at] != ["**"]]
    before = "" if anchored else "(?:.*/)?"
    if parts.count("**") > MAX_DOUBLE_STARS:
        raise ValueError(f"has more than {MAX_DOUBLE_STARS} `**`")
    body = ""
    groups = itertools.count()
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            body += ".+" if last else "(?:.*/)?"
        else:
            body += _part(part, groups) + ("" if last else "/")
    return before + body + ("/.*" if only_folders else "(?:/.*)?") + r"\Z"


def _part(part: str, groups: Iterator[int]) -> str:
    """Return the expression of what stands between two slashes.

    What follows a star is looked for once: the group that holds it is not tried again at other lengths, which is what
    makes an expression of many stars take for ever. Source: fnmatch.translate in Python's standard library.
    """
    pieces: list[str] = [""]
    for token in _tokens(part):
        if token is None:
            pieces.append("")
        else:
            pieces[-1] += token
    first, *rest = pieces
    if not rest:
        return first
    *middle, last = rest
    found = ""
    for piece in filter(None, middle):
        group = f"g{next(groups)}"
        found += f"(?=(?P<{group}>[^/]*?{piece}))(?P={group})"
    return f"{first}{found}[^/]*{last}"


def _tokens(part: str) -> Iterator[str | None]:
    """Yield the expression of each character or class, None for a star."""
    place = 0
    while place < len(part):
        character = part[place]
        found = _CLASS.match(part, place) if character == "[" else None
        if found is not None:
            body = found[2].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
            yield f"(?!/)[{'^' if found[1] else ''}{body}]"
            place = found.end()
            continue
        if character == "\\" and place + 1 < len(part):
            place += 1
            character = part[place]
            yield re.escape(character)
        else:
            yield None if character == "*" else "[^/]" if character == "?" else re.escape(character)
        place += 1
