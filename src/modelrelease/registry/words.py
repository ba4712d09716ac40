"""What changed in a text, word by word, and in a document, field by field. Both are bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator

from modelrelease.records.word_diff import SAME, Runs, word_runs, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_SEGMENTS = 60
CONTEXT = 8

Segments = Runs


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

    Texts of very many words are compared line by line, and what is still too long is cut.
    """
    runs = word_runs(before, after)
    segments = [
        (kind, _shortened(words_of(text), number > 0, number < len(runs) - 1) if kind == SAME else text)
        for number, (kind, text) in enumerate(runs)
    ]
    if len(segments) > MAX_SEGMENTS:
        segments = [*segments[:MAX_SEGMENTS], (SAME, " …")]
    return segments


def _shortened(words: list[str], has_before: bool, has_after: bool) -> str:
    """Return a run of the same words, cut to what stands next to a change."""
    keep = 2 * CONTEXT
    head, tail = (keep if has_before else 0), (keep if has_after else 0)
    if len(words) <= head + tail + 2:
        return "".join(words)
    return "".join(words[:head]) + " … " + "".join(words[len(words) - tail :] if tail else [])
