"""The error path of the JSON reader: where each value stands, and everything that is wrong.

A tolerant scanner without recursion, in time linear in the text. It runs only after the C parser has
refused a document, or when somebody asks for a line.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import accumulate

from modelrelease.errors import Finding
from modelrelease.records import faults
from modelrelease.records.located import MAX_DEPTH, Place

# A string that never ends is matched up to the end of the text: trying again at each of its quotes would be quadratic.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
_TOKEN = re.compile(
    rf'(?P<text>{_STRING})|(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<newline>\n)|(?P<other>[^\s"\[\]{{}},:]+)', re.DOTALL
)
_BRACKET = re.compile(rf"(?P<text>{_STRING})|(?P<open>[\[{{])|(?P<close>[\]}}])", re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in _STEPS)
_PIECE = 1 << 16
_NUMBER = re.compile(r"-?[0-9]+(?P<fraction>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})


def line_too_deep(text: str) -> int | None:
    """Return the line on which ``text`` nests deeper than MAX_DEPTH; None where it never does."""
    if text.count("[") + text.count("{") <= MAX_DEPTH or not _nests_deep(text):
        return None
    depth = 0
    for match in _BRACKET.finditer(text):
        kind = match.lastgroup
        depth += (kind == "open") - (kind == "close")
        if depth > MAX_DEPTH:
            return text.count("\n", 0, match.start()) + 1
    return None


def _nests_deep(text: str) -> bool:
    """Say whether ``text`` nests deeper than MAX_DEPTH, in less than half the time that finding where takes.

    Without escaped quotes, every second part between quotes is a string. A backslash elsewhere is a syntax error, at
    which the parser stops, so what is thought of the text behind it does not matter. Memory is that of a piece.
    """
    depth, start, inside = 0, 0, False
    while start < len(text):
        end = start + _PIECE
        while text[end - 1 : end] == "\\":  # an escape is not taken apart
            end += 1
        parts = text[start:end].replace("\\\\", "").replace('\\"', "").split('"')
        brackets = "".join(parts[inside::2]).encode("utf-8", "replace").translate(None, _NO_BRACKETS)
        steps = [_STEPS[bracket] for bracket in brackets]
        if depth + max(accumulate(steps), default=0) > MAX_DEPTH:
            return True
        depth += sum(steps)
        inside ^= len(parts) % 2 == 0
        start = end
    return False


def locate(text: str) -> Place:
    """Return the places of all values in a valid JSON text."""
    return _Scan("").run(text)


def problems(text: str, path: str) -> list[Finding]:
    """Return every duplicate key, number that is none, and half character of a JSON text."""
    scan = _Scan(path)
    scan.run(text)
    return scan.findings


@dataclass(slots=True)
class _Frame:
    """An open list or mapping; ``key`` is the key that waits for its value."""

    place: Place
    children: dict[str | int, Place]
    mapping: bool
    key: str | None = None


@dataclass(slots=True)
class _Scan:
    path: str
    findings: list[Finding] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    line: int = 1
    root: Place | None = None
    leaf: Place | None = None

    def run(self, text: str) -> Place:
        steps = {"text": self._text, "open": self._open, "close": self._close, "other": self._other}
        for match in _TOKEN.finditer(text):
            kind = match.lastgroup or ""
            if kind == "newline":
                self.line += 1
            else:
                steps[kind](match.group())
        return self.root or Place(1, 1)

    def _text(self, token: str) -> None:
        text = self._unescape(token)
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.mapping and frame.key is None:
            if text in frame.children:
                first = frame.children[text].line
                self.findings.append(faults.duplicate_key(self.path, text, first, self.line))
            frame.key = text
            frame.children[text] = self._leaf()
        else:
            self._place(self._leaf())
        self.line += token.count("\n")

    def _unescape(self, token: str) -> str:
        if "\\" not in token:
            return token[1:-1]
        try:
            text = str(json.loads(token))
        except ValueError:
            return token
        if faults.SURROGATE.search(text):
            self.findings.append(faults.half_character(self.path, text, self.line))
        return text

    def _leaf(self) -> Place:
        """One place serves all plain values of a line: large documents have millions of them."""
        if self.leaf is None or self.leaf.line != self.line:
            self.leaf = Place(self.line, self.line)
        return self.leaf

    def _place(self, place: Place) -> None:
        if not self.stack:
            self.root = self.root or place
            return
        frame = self.stack[-1]
        if not frame.mapping:
            frame.children[len(frame.children)] = place
        elif frame.key is not None:
            line = frame.children[frame.key].line
            if line != place.line:
                place = Place(line, place.text_line, children=place.children)
            frame.children[frame.key] = place
            frame.key = None

    def _open(self, bracket: str) -> None:
        children: dict[str | int, Place] = {}
        self.stack.append(_Frame(Place(self.line, self.line, children=children), children, bracket == "{"))

    def _close(self, bracket: str) -> None:
        if self.stack:
            self._place(self.stack.pop().place)

    def _other(self, token: str) -> None:
        self._place(self._leaf())
        number = _NUMBER.fullmatch(token)
        if token in _NOT_FINITE:
            self.findings.append(faults.not_finite(self.path, token, self.line))
        elif number is not None and number["fraction"]:
            if faults.too_large(token):
                self.findings.append(faults.not_finite(self.path, token, self.line))
        elif number is not None and len(token.lstrip("-")) > faults.MAX_DIGITS:
            self.findings.append(faults.too_many_digits(self.path, len(token.lstrip("-")), self.line))
