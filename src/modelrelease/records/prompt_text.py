"""The text formats of prompts: front matter between lines of ``---``, and Prompty's role markers."""

from __future__ import annotations

import re

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid

_FENCE = re.compile(r"---[ \t]*(?:\n|\Z)")
_CLOSING_FENCE = re.compile(r"^---[ \t]*(?:\n|\Z)", re.MULTILINE)
# Source: Prompty's chat parser (microsoft/prompty, class PromptyChatParser); newer ones allow `role[name="x"]:`.
# No two runs of blanks may touch: that would be quadratic on a line of blanks.
_MARKER = re.compile(
    r"^[ \t]*(?:#[ \t]*)?(?P<role>system|user|assistant|developer|tool|function)[ \t]*"
    r"(?:(?P<attributes>\[[^\]\n]*\])[ \t]*)?:[ \t]*(?:\n|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_JINJA = re.compile(r"\{[%#]")


class Block:
    """The text of one message without blank lines around it, on which line it begins, and whose it is.

    ``marker_line`` is the line of its role marker.
    """

    __slots__ = ("line", "marker_line", "role", "text")

    def __init__(self, role: str, text: str, line: int, marker_line: int) -> None:
        self.role = role
        self.text = text
        self.line = line
        self.marker_line = marker_line


def split_front_matter(text: str, path: str) -> tuple[str | None, str, int]:
    """Return the front matter (None where there is none), the body, and the line on which the body begins.

    Front matter begins on line 1 with ``---`` and ends with the next line ``---``; raises InvalidInput (MR309) where
    it never ends.
    """
    opening = _FENCE.match(text)
    if opening is None:
        return None, text, 1
    closing = _CLOSING_FENCE.search(text, opening.end())
    if closing is None:
        raise invalid(path, Code.PROMPT, "the front matter is never closed", "close it with a line `---`", 1)
    front = text[opening.end() : closing.start()]
    return front, text[closing.end() :], text.count("\n", 0, closing.end()) + 1


def prompty_blocks(body: str, path: str, line: int) -> list[Block]:
    """Return the messages of a .prompty's ``body``, which begins on ``line``.

    As Prompty's own runtime does it: text before the first role marker, or without any, is the system's; blank space
    around a message is dropped, and so is a last marker with nothing after it. Raises InvalidInput (MR302) for Jinja's
    blocks and comments, which would need code to run, and (MR309) for markers with attributes.
    """
    _refuse_jinja(body, path, line)
    blocks: list[Block] = []
    role, marker_line, start = "system", line, 0
    counted = 0
    for marker in _MARKER.finditer(body):
        blocks.append(_block(role, body[start : marker.start()], marker_line, bool(blocks)))
        marker_line += body.count("\n", counted, marker.start())
        if marker["attributes"] is not None:
            raise invalid(path, Code.PROMPT, "a role marker has attributes", "write the role alone", marker_line)
        role, start, counted = marker["role"].lower(), marker.end(), marker.start()
    blocks.append(_block(role, body[start:], marker_line, bool(blocks)))
    if not blocks[0].text:
        blocks.pop(0)
    if blocks and not blocks[-1].text:
        blocks.pop()
    return blocks


def _block(role: str, text: str, marker_line: int, marked: bool) -> Block:
    content = text.strip()
    blank = text[: len(text) - len(text.lstrip())]
    return Block(role, content, marker_line + int(marked) + blank.count("\n"), marker_line)


def _refuse_jinja(body: str, path: str, line: int) -> None:
    findings = []
    end = 0
    for match in _JINJA.finditer(body):
        line += body.count("\n", end, match.start())
        end = match.start()
        message = f"`{match.group()}` begins Jinja, which could run code"
        findings.append(Finding(path, Code.TEMPLATE_SYNTAX, message, "use {{field}} and plain text only", line))
    if findings:
        raise InvalidInput(findings)
