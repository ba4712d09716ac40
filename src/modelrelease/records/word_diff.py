"""Two texts aligned word by word, in bounded time whatever they are."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence

SAME, GONE, CAME = "same", "removed", "added"
MAX_WORDS = 4000
# Pairs of equal words are what the matcher's time grows with: a text of one word, many times over, has millions.
MAX_PAIRS = 200_000
_WORD = re.compile(r"\s+|[^\W_]+|.", re.DOTALL)

Runs = list[tuple[str, str]]
"""What stayed, went and came, in order: ``(SAME | GONE | CAME, text)``."""


def words_of(text: str) -> list[str]:
    """Return words, spaces and signs one by one; lines where there are more than ``MAX_WORDS``, and so many of them."""
    words = _WORD.findall(text[: MAX_WORDS * 20])
    return words if len(words) <= MAX_WORDS else text.splitlines(keepends=True)[:MAX_WORDS]


def word_runs(before: str, after: str) -> Runs:
    """Return both texts as runs of words that are the same, went, or came.

    Source: Ratcliff and Obershelp's matching as difflib has it. A run of signs and spaces between two changes belongs
    to them; texts that repeat themselves too often are compared at their beginnings and ends only.
    """
    old, new = words_of(before), words_of(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    first, last = old[head : len(old) - tail], new[head : len(new) - tail]
    runs: Runs = [(SAME, "".join(old[:head]))]
    runs += _middle(first, last)
    runs.append((SAME, "".join(old[len(old) - tail :])))
    return [(kind, text) for kind, text in runs if text]


def shares_words(runs: Runs) -> bool:
    """Say whether two texts have so much in common that their differences say more than both of them do."""
    letters = Counter[str]()
    for kind, text in runs:
        letters[kind] += sum(map(str.isalnum, text))
    return 3 * letters[SAME] >= min(letters[GONE], letters[CAME]) and letters[SAME] > 0


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    for number, (one, other) in enumerate(zip(old, new, strict=False)):
        if one != other:
            return number
    return min(len(old), len(new))


def _middle(old: list[str], new: list[str]) -> Runs:
    counts = Counter(word for word in new if not word.isspace())
    if sum(counts[word] for word in old) > MAX_PAIRS:
        return [(GONE, "".join(old)), (CAME, "".join(new))]
    runs: Runs = []
    gone, came = "", ""
    # Spaces follow their words and align nothing: half of all words they are, and each would match every other one.
    matcher = difflib.SequenceMatcher(str.isspace, old, new, autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        text = "".join(old[first:last])
        if tag == "equal" and (any(map(str.isalnum, text)) or not (gone or came)):
            runs += [(GONE, gone), (CAME, came), (SAME, text)]
            gone, came = "", ""
        else:
            gone += text
            came += "".join(new[start:end])
    return [*runs, (GONE, gone), (CAME, came)]
