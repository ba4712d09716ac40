"""Text that stands for text yet to be written. Pure.

Code is left out: `<bos>` and `{{question}}` are what a card of a language model shows there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.records.faults import quoted
from modelrelease.records.located import Keys, Located

MAX_FOUND = 20
_WORDS = re.compile(
    r"\[?\bmore information needed\b\]?|\blorem ipsum\b|\[(?:insert|your|fill in|add)\b[^\]\n]{0,80}\](?!\()",
    re.IGNORECASE,
)
# In capitals: a to-do list may be what a model is for.
_CAPITALS = re.compile(r"\b(?:TODO|TBD|FIXME|XXX)\b")
_ANGLES = re.compile(r"<(?:…|\.\.\.|[A-Za-z][\w.-]{0,80}(?:[ /][\w.-]{1,80}){0,8})>")
# Source: what GitHub's and the Hub's sanitizers let through of HTML, without the obsolete.
_HTML_ELEMENTS = """
    a abbr audio b bdo blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption
    figure h1 h2 h3 h4 h5 h6 hr i iframe img ins kbd li mark ol p picture pre q rp rt ruby s samp section small source
    span strike strong sub summary sup table tbody td tfoot th thead time tr tt ul var video wbr
"""
_HTML = frozenset(_HTML_ELEMENTS.split())
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_MAX_LINE = 4000  # what backticks can cost grows with a line's square


def placeholders_in(text: str, path: str, first_line: int) -> list[Finding]:
    """Return the placeholders in Markdown that people wrote, which begins on ``first_line``; comments hide theirs."""
    found = [
        Finding(path, Code.CARD_PLACEHOLDER, *_said(word), first_line + number)
        for number, line in enumerate(_outside_of_code(_without_comments(text)))
        for word in _found(line)
    ]
    return found[:MAX_FOUND]


def placeholders_of(located: Located) -> list[Finding]:
    """Return the placeholders in the texts of front matter."""
    found = [
        Finding(located.path, Code.CARD_PLACEHOLDER, *_said(word), located.line_of(keys))
        for keys, text in _texts(located.value, ())
        for word in _found(text)
    ]
    return found[:MAX_FOUND]


def _said(word: str) -> tuple[str, str]:
    return f"{quoted(word)} stands for something that is yet to be written", "write it, or take the line out"


def _found(text: str) -> Iterator[str]:
    for pattern in (_WORDS, _CAPITALS):
        yield from (found.group() for found in pattern.finditer(text))
    for found in _ANGLES.finditer(text):
        if re.split(r"[^A-Za-z0-9]", found.group()[1:])[0].lower() not in _HTML:
            yield found.group()


def _without_comments(text: str) -> str:
    """Return ``text`` with its HTML comments as the line feeds in them; one that never ends hides the rest."""
    parts = []
    for number, part in enumerate(text.split("<!--")):
        comment, ends, rest = part.partition("-->") if number else ("", "-->", part)
        parts.append("\n" * comment.count("\n") + (rest if ends else ""))
    return "".join(parts)


def _outside_of_code(text: str) -> Iterator[str]:
    """Yield the lines of Markdown, those inside fences empty and code spans cut out."""
    fence: str | None = None
    for line in text.split("\n"):
        opening = _FENCE.match(line)
        if fence is not None:
            closes = opening is not None and opening[1].startswith(fence) and not line.strip().strip(fence[0])
            fence = None if closes else fence
            yield ""
        elif opening is not None:
            fence = opening[1]
            yield ""
        else:
            yield _SPAN.sub("", line[:_MAX_LINE])


def _texts(value: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*keys, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, (*keys, number))
