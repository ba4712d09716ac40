"""YAML 1.2 as people mean it: one document, unique keys that are text, no tags, no merge keys."""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records import faults
from modelrelease.records.located import Located
from modelrelease.records.yaml_tree import TreeBuilder

# YAML 1.2.2, section 5.1: what a stream may not hold. Lone surrogates are no characters at all.
_CONTROL = re.compile("[^\t\n\r -\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Line ends of YAML 1.1, on which both parsers are built; plain characters in 1.2, in JSON, in git and in editors.
_OLD_LINE_ENDS = "\x85\u2028\u2029"
_PRIVATE_USE = range(0xE000, 0xF900)
# libyaml's own limit (PyYAML 6.0.4 and newer), which its look-ahead can meet before an event tells us of the depth.
_DEPTH_PROBLEM = "exceeded maximum nesting depth"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class EventParser(Protocol):
        """What PyYAML's two parsers have in common."""

        def get_event(self) -> yaml.Event | None:
            """Return the next event, None after the last."""


class PythonParser(Reader, Scanner, Parser):
    """PyYAML's own parser; takes tabs between tokens where libyaml and YAML 1.2 take them."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        """Skip blanks, comments and line ends; the rule for tabs is that of libyaml's scanner.c."""
        Scanner.scan_to_next_token(self)
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            Scanner.scan_to_next_token(self)


# CSafeLoader is there where PyYAML was built with libyaml; of its parts only the parser is used.
PARSER: Callable[[str], EventParser] = getattr(yaml, "CSafeLoader", PythonParser)


def read_yaml(text: str, path: str, first_line: int = 1, *, opaque_tags: bool = False) -> Located:
    """Return the one document in ``text`` (as ``decode`` gives it); None is its value when it is empty.

    ``first_line`` is the line of the file on which ``text`` begins. ``opaque_tags``: a file's own tags (`!function`)
    are kept as ``{tag: value}`` instead of refused, and those of the core schema (`!!null`) are read.
    Raises InvalidInput with lines: MR201
    (syntax, control characters, nesting), MR203 (duplicate keys), MR204 (numbers that are not finite), MR205
    (several documents, merge keys, tags, keys that are no text, aliases that recur or expand without bound).
    """
    control = _CONTROL.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + first_line
        message = f"holds the control character U+{ord(control.group()):04X}"
        raise invalid(path, Code.SYNTAX, message, "remove it, or write it as an escape in double quotes", line)
    shielded, restore = _shield(text)
    last_line = first_line + text.removesuffix("\n").count("\n")
    builder = TreeBuilder(path, first_line, last_line, restore, opaque_tags)
    parser = PARSER(shielded)
    try:
        while (event := parser.get_event()) is not None:
            builder.feed(event)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the latter two: int() and chr() inside PyYAML
        raise _syntax(builder, error, getattr(parser, "line", 0)) from error
    if builder.findings:
        raise InvalidInput(builder.findings)
    place = builder.place
    return Located(builder.value, path, lambda: place)


def _syntax(builder: TreeBuilder, error: Exception, reached: int) -> InvalidInput:
    """Return the parser's complaint, after what was found before it; ``reached`` is its line where that has none."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    line, column = max(builder.line, builder.first_line + reached), None
    if mark is not None:
        line = builder.first_line + mark.line
        column = mark.column + 1 if line <= builder.last_line else None
    if problem == _DEPTH_PROBLEM:
        return InvalidInput([*builder.findings, faults.too_deep(builder.path, min(line, builder.last_line))])
    message = "is not valid YAML" + (f": {builder.restore(str(problem))}" if problem else "")
    finding = Finding(builder.path, Code.SYNTAX, message, "correct it here", min(line, builder.last_line), column)
    return InvalidInput([*builder.findings, finding])


def _shield(text: str) -> tuple[str, Callable[[str], str]]:
    """Return ``text`` with YAML 1.1's extra line ends as characters it does not hold, and the way back."""
    if not any(end in text for end in _OLD_LINE_ENDS):
        return text, str
    used = set(text)
    free = (code for code in _PRIVATE_USE if chr(code) not in used)
    there = {ord(end): code for end, code in zip(_OLD_LINE_ENDS, free, strict=False)}
    back = {code: end for end, code in there.items()}
    return text.translate(there), lambda shielded: shielded.translate(back)
