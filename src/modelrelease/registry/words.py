"""What changed in a text, word by word, and in a document, field by field. Both are bounded."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SAME, GONE, CAME = "same", "removed", "added"
MAX_WORDS = 4000
MAX_SEGMENTS = 60
CONTEXT = 8
_WORD = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)

Segments = list[tuple[str, str]]


def fields_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text and number of a document with where it stands: ``messages[0].content``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from fields_of(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from fields_of(item, f"{path}[{number}]")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def changed_fields(before: Any, after: Any) -> Iterator[tuple[str, Segments]]:
    """Yield the fields that differ, each word by word, in the order of the new document."""
    old, new = dict(fields_of(before)), dict(fields_of(after))
    for path in [*new, *(path for path in old if path not in new)]:
        if old.get(path) != new.get(path):
            yield path, changed_words(old.get(path, ""), new.get(path, ""))


def changed_words(before: str, after: str) -> Segments:
    """Return both texts as runs that are the same, went, or came; long runs of the same are cut to their ends.

    Texts of more than ``MAX_WORDS`` words are compared line by line, and what is still too long is cut.
    """
    old, new = _parts(before), _parts(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    segments: Segments = []
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            segments.append((SAME, _shortened(old[first:last], bool(segments), last < len(old))))
            continue
        if last > first:
            segments.append((GONE, "".join(old[first:last])))
        if end > start:
            segments.append((CAME, "".join(new[start:end])))
    if len(segments) > MAX_SEGMENTS:
        segments = [*segments[:MAX_SEGMENTS], (SAME, " …")]
    return segments


def _parts(text: str) -> list[str]:
    words = _WORD.findall(text[: MAX_WORDS * 20])
    return words if len(words) <= MAX_WORDS else text.splitlines(keepends=True)[:MAX_WORDS]


def _shortened(words: list[str], has_before: bool, has_after: bool) -> str:
    """Return a run of the same words, cut to what stands next to a change."""
    keep = 2 * CONTEXT
    head, tail = (keep if has_before else 0), (keep if has_after else 0)
    if len(words) <= head + tail + 2:
        return "".join(words)
    return "".join(words[:head]) + " … " + "".join(words[len(words) - tail :] if tail else [])
