"""Markdown that shows data and does nothing else.

Everything that can come from a model or a pull request is inside a code fence longer than any in it, in a code span
likewise, or escaped so that it makes no mention, reference, link, image, HTML, emoji, formula or table cell.
"""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterable, Sequence

from modelrelease.errors import escape_controls

# What GitHub makes mentions, references, emoji and links of, wherever it stands outside of code: an invisible space
# after it stops that; a backslash would not. A run of hex digits may be a commit's.
_LINKING = re.compile(r"[@#]|:(?=\S)|www(?=\.)|gh(?=-\d)|\b[0-9a-f]{6}(?=[0-9a-f]{1,58}\b)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~$#&]")
_BEGINS_A_BLOCK = re.compile(r"(?=[+\-=])|\d+(?=[.)])")
_ZERO_WIDTH_SPACE = "\u200b"


def escape(text: str, *, begins_line: bool = False) -> str:
    """Return ``text`` as Markdown that shows it, on one line, and does nothing else.

    ``begins_line``: what comes first could begin a list or a heading.
    """
    flat = _unlinked(_SPECIAL.sub(_harmless, _flat(text)))
    return _BEGINS_A_BLOCK.sub(r"\g<0>\\", flat, count=1) if begins_line and _BEGINS_A_BLOCK.match(flat) else flat


def code(text: str) -> str:
    """Return ``text`` as a code span on one line, a dash where there is none; not for a table's cells."""
    flat = _flat(text)
    ticks = "`" * (_longest("`", flat) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}" if flat else "–"


def fence(text: str, language: str = "text") -> list[str]:
    """Return ``text`` as a code block whose fence is longer than any run of backticks or tildes in it."""
    ticks = "`" * max(3, _longest("`~", text) + 1)
    return [f"{ticks}{language}", *[escape_controls(line) for line in text.split("\n")], ticks]


def table_head(header: Sequence[str], align: Sequence[str]) -> list[str]:
    """Return the first two lines of a table; ``align`` is "left" or "right" by column."""
    marks = ("---:" if side == "right" else "---" for side in align)
    return [f"| {' | '.join(escape(text) for text in header)} |", f"| {' | '.join(marks)} |"]


def table_row(cells: Iterable[str], codes: Container[int] = ()) -> str:
    """Return a table's line with these plain texts in its cells, those at the places ``codes`` as code."""
    return "| " + " | ".join(_code_cell(cell) if n in codes else escape(cell) for n, cell in enumerate(cells)) + " |"


def _code_cell(text: str) -> str:
    # A table is cut at its pipes before code spans are seen, and not alike everywhere after a backslash.
    return escape(text) if "|" in text or "\\" in escape_controls(text) else code(text)


def bullet(sentence: str) -> str:
    """Return a list's item with this plain text."""
    return f"- {escape(sentence, begins_line=True)}"


def fold_head(summary: str) -> str:
    """Return the line that opens a fold; a blank line, the content and ``FOLD_END`` follow."""
    # Inside a summary GitHub reads HTML, not Markdown, and still makes links.
    return f"<details><summary>{html.escape(_unlinked(escape_controls(summary)))}</summary>"


FOLD_END = "</details>"


def _flat(text: str) -> str:
    return escape_controls(" ".join(text.split()))


def _longest(characters: str, text: str) -> int:
    runs = (run for character in characters for run in re.findall(f"{character}+", text))
    return max(map(len, runs), default=0)


def _harmless(match: re.Match[str]) -> str:
    found = match.group()
    return html.escape(found) if found in "<>&" else f"\\{found}"


def _unlinked(text: str) -> str:
    return _LINKING.sub(lambda match: f"{match.group()}{_ZERO_WIDTH_SPACE}", text)


# Headings, our own folds and the entities of `html.escape` are left; an invisible space takes the meaning of the rest,
# also inside of code, where it shows nothing.
_MEANING = re.compile(
    r"(?:[\]<@$]|#(?!x27;)|&(?!(?:lt|gt|amp|quot|#x27);)|:(?=\S)|www(?=\\?\.)|gh(?=\\?-)|`{3}(?=\w)|~{3}(?=\w)"
    rf")(?!{_ZERO_WIDTH_SPACE})",
    re.IGNORECASE,
)
_HEX = re.compile(r"\b[0-9a-f]{7,}\b", re.IGNORECASE)
_FORMULA = re.compile(rf"(?<!{_ZERO_WIDTH_SPACE})\$")
_HEADING = re.compile(r" {0,3}#{1,6}(?= )")
_FOLD = re.compile(r"<details><summary>([^<>]*)</summary>")


def defused(markdown: str) -> str:
    """Return a report of ours that anybody may have edited since: its layout stays, and it does nothing else.

    No link, image, HTML, mention, reference, commit, emoji, formula or diagram is left in it. What was made inert
    already stays so: only invisible spaces are added, never a backslash, which could take the meaning from another.
    """
    return "".join(f"{_defused_line(line)}\n" for line in re.split(r"\r\n|\r|\n", markdown.rstrip("\r\n")))


def _defused_line(line: str) -> str:
    shown = _ZERO_WIDTH_SPACE.join(escape_controls(part) for part in line.split(_ZERO_WIDTH_SPACE))
    if shown == FOLD_END:
        return shown
    if fold := _FOLD.fullmatch(shown):
        return f"<details><summary>{_without_meaning(fold[1])}</summary>"
    heading = _HEADING.match(shown)
    start = heading.end() if heading else 0
    return shown[:start] + _without_meaning(shown[start:])


def _without_meaning(text: str) -> str:
    alone = _FORMULA.sub(f"{_ZERO_WIDTH_SPACE}$", _HEX.sub(_in_sixes, text))
    return _MEANING.sub(lambda match: f"{match.group()}{_ZERO_WIDTH_SPACE}", alone)


def _in_sixes(match: re.Match[str]) -> str:
    # A commit's name has seven digits or more, and whoever writes the text may know one that the rest begins with.
    return re.sub(r"(.{6})(?=.)", rf"\1{_ZERO_WIDTH_SPACE}", match.group())
