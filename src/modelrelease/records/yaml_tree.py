"""Builds a document from YAML's events without recursion, and notes what strict YAML does not have."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, invalid
from modelrelease.records import faults, yaml_scalars
from modelrelease.records.located import MAX_DEPTH, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What aliases may add to a document: nodes, where a text counts one more for each 64 characters.
MAX_ALIASED = 100_000
_TEXT_OF_A_NODE = 64
# YAML 1.2.2, section 10.3: what a plain value is anyway, said aloud. Only tools write them.
_CORE_TAGS = frozenset({"!!null", "!!bool", "!!int", "!!float", "!!str", "!!map", "!!seq"})


class _Node:
    """A finished value; ``weight`` and ``height`` are what an alias to it adds."""

    __slots__ = ("height", "merge", "place", "value", "weight")

    def __init__(self, value: Any, place: Place, weight: int = 1, height: int = 0, merge: bool = False) -> None:
        self.value = value
        self.place = place
        self.weight = weight
        self.height = height
        self.merge = merge


class _Frame:
    """An open list or mapping; ``key`` is the key that waits for its value."""

    __slots__ = ("anchor", "children", "height", "key", "line", "tag", "value", "weight")

    def __init__(self, value: Any, line: int, anchor: str | None, tag: str | None) -> None:
        self.value = value
        self.tag = tag
        self.children: dict[str | int, Place] = {}
        self.line = line
        self.anchor = anchor
        self.weight = 1
        self.height = 0
        self.key: _Node | None = None


class TreeBuilder:
    """Takes events one by one; ``value``, ``place`` and ``findings`` are what came of them, ``line`` the latest's.

    ``first_line`` and ``last_line`` are those of the YAML in its file (libyaml puts what is left out at the end on the
    line after); ``restore`` undoes what was done to its texts. ``opaque_tags``: unknown tags are kept as part of the
    value, ``{"!tag": value}``, and never acted on; else they are findings.
    """

    def __init__(
        self, path: str, first_line: int, last_line: int, restore: Callable[[str], str], opaque_tags: bool = False
    ) -> None:
        self.path = path
        self.first_line = first_line
        self.last_line = last_line
        self.restore = restore
        self.opaque_tags = opaque_tags
        self.value: Any = None
        self.place = Place(1, 1)
        self.findings: list[Finding] = []
        self.line = 1
        self.documents = 0
        self.aliased = 0
        self.stack: list[_Frame] = []
        self.anchors: dict[str, _Node | None] = {}

    def feed(self, event: yaml.Event) -> None:
        """Take one event; raises InvalidInput where going on would be unsafe or make no sense."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._refusal(self._line(event), "holds more than one document", "keep one document a file")

    def _line(self, event: yaml.Event) -> int:
        if event.start_mark is not None:
            self.line = min(self.first_line + event.start_mark.line, self.last_line)
        return self.line

    def _refusal(self, line: int, message: str, todo: str) -> InvalidInput:
        return InvalidInput([*self.findings, Finding(self.path, Code.YAML_FEATURE, message, todo, line)])

    def _note(self, line: int, message: str, todo: str) -> None:
        self.findings.append(Finding(self.path, Code.YAML_FEATURE, message, todo, line))

    def _check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, line: int) -> str | None:
        """Return a tag of the file's own that is kept; note one that is not."""
        if event.tag is None:
            return None
        if self.opaque_tags and len(event.tag) > 1 and event.tag.startswith("!"):
            return str(event.tag)
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        if self.opaque_tags and tag in _CORE_TAGS:
            return None
        self._note(line, f"uses the tag {faults.quoted(tag)}", "remove the tag; put text in quotes")
        return None

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line = self._line(event)
        tag = self._check_tag(event, line)
        plain = not event.style
        text = self.restore(event.value)
        block = event.style == "|"
        place = Place(line, line + 1 if event.style in ("|", ">") else line, block)
        resolved = event.tag is None or (self.opaque_tags and tag is None and not event.tag.endswith((":str", "!")))
        value: Any = self._plain(text, line) if plain and resolved else text
        value = value if tag is None else {tag: value}
        node = _Node(value, place, 1 + len(text) // _TEXT_OF_A_NODE, merge=plain and text == "<<")
        if not plain and faults.SURROGATE.search(text):
            self.findings.append(faults.half_character(self.path, text, line))
        self._add(node, event.anchor)

    def _plain(self, text: str, line: int) -> yaml_scalars.Scalar:
        digits = yaml_scalars.digits_of(text)
        if digits > faults.MAX_DIGITS:
            self.findings.append(faults.too_many_digits(self.path, digits, line))
        elif yaml_scalars.is_not_finite(text):
            self.findings.append(faults.not_finite(self.path, text, line))
        else:
            return yaml_scalars.resolve(text)
        return None

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        line = self._line(event)
        tag = self._check_tag(event, line)
        if len(self.stack) >= MAX_DEPTH:
            raise InvalidInput([*self.findings, faults.too_deep(self.path, line)])
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.stack.append(_Frame(value, line, event.anchor, tag))

    def _close(self) -> None:
        frame = self.stack.pop()
        place = Place(frame.line, frame.line, children=frame.children)
        value = frame.value if frame.tag is None else {frame.tag: frame.value}
        self._add(_Node(value, place, frame.weight, frame.height + 1), frame.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        line, name = self._line(event), str(event.anchor)
        if name not in self.anchors:
            message = f"the alias {faults.quoted('*' + name)} names no anchor before it"
            raise invalid(self.path, Code.SYNTAX, message, "define the anchor first", line)
        node = self.anchors[name]
        if node is None:
            message = f"the alias {faults.quoted('*' + name)} stands inside what it names"
            raise self._refusal(line, message, "write the value out")
        self.aliased += node.weight
        if self.aliased > MAX_ALIASED:
            raise self._refusal(line, f"aliases expand to more than {MAX_ALIASED} nodes", "write the values out")
        if len(self.stack) + node.height > MAX_DEPTH:
            raise InvalidInput([*self.findings, faults.too_deep(self.path, line)])
        place = Place(line, node.place.text_line, node.place.verbatim, node.place.children)
        self._add(_Node(node.value, place, node.weight, node.height), None)

    def _add(self, node: _Node, anchor: str | None) -> None:
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.stack:
            self.value, self.place = node.value, node.place
            return
        frame = self.stack[-1]
        frame.weight += node.weight
        frame.height = max(frame.height, node.height)
        if isinstance(frame.value, list):
            frame.children[len(frame.value)] = node.place
            frame.value.append(node.value)
        elif frame.key is None:
            frame.key = self._key(node, frame)
        else:
            key, frame.key = frame.key, None
            line, place = key.place.line, node.place
            text_line = place.text_line if isinstance(node.value, str) else line
            frame.value[key.value] = node.value
            frame.children[key.value] = Place(line, text_line, place.verbatim, place.children)

    def _key(self, node: _Node, frame: _Frame) -> _Node:
        """Return ``node`` as a key; where it cannot be one, note why and go on with a stand-in."""
        line = node.place.line
        if node.merge:
            self._note(line, "uses the merge key `<<`", "write the keys out")
        elif not isinstance(node.value, str):
            self._note(line, f"the key {_shown(node.value)} is no text", "put it in quotes")
            return _Node(f"\0{len(frame.value)}", node.place)
        elif node.value in frame.children:
            first = frame.children[node.value].line
            self.findings.append(faults.duplicate_key(self.path, node.value, first, line))
        return node


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "that is a mapping" if isinstance(value, dict) else "that is a list"
    words = {None: "null", True: "true", False: "false"}
    return faults.quoted(words[value] if value is None or isinstance(value, bool) else str(value))
