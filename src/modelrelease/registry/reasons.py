"""Whether a reason says something, and how wide it is."""

from __future__ import annotations

import re

EXAMPLE = "Ask for the answer first: 40 of 200 replies hit the token limit"
# Words that are true of every change. A reason made of nothing else gives none.
_FILLER_WORDS = """
    a all an and another as bug bugfix bugs change changed changes changing clean cleanup code commit config correct
    correction data dataset datasets do done edit edited edits eval evals file files fix fixed fixes fixing for
    hotfix improve improved improvement improvements in it maintenance minor misc modification modified modify more
    my new of on prompt prompts record refactor refactored row rows small some stuff suite temp test testing tests
    text the things this thing tiny tmp to todo tweak tweaked tweaks typo typos up update updated updates updating
    various version wip work working x xx xxx yaml
"""
_FILLER = frozenset(_FILLER_WORDS.split())
_WORD = re.compile(r"[^\W_]+")


def tidy(text: str) -> str:
    """Return ``text`` with runs of blanks as one, and none around it."""
    return " ".join(text.split())


def is_visible(text: str) -> bool:
    """Return whether ``text`` holds a character that can be seen: no blank, control or zero-width character."""
    if text.isascii():
        return any(" " < character < "\x7f" for character in text)
    from unicodedata import category

    return any(category(character)[0] in "LNPS" for character in text)


def width(text: str) -> int:
    """Return the columns of ``text``: a Chinese character counts two, a combining or unseen one none.

    Source: Unicode Standard Annex 11, East Asian Width.
    """
    text = tidy(text)
    if text.isascii():
        return sum(" " <= character < "\x7f" for character in text)
    from unicodedata import category, east_asian_width

    seen = (character for character in text if category(character)[0] not in "MC")
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in seen)


def says_something(text: str) -> bool:
    """Return whether ``text`` holds two words of which one is no filler; a wide character counts as a word."""
    words = [word.casefold() for word in _WORD.findall(text)]
    telling = {word for word in words if word not in _FILLER and not word.isdigit()}
    if not telling:
        return False
    return len(set(words)) >= 2 or (not text.isascii() and any(width(word) > len(word) for word in words))
