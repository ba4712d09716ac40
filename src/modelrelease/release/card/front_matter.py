"""Keys written into front matter, leaving every other character as it is. Pure.

Loading and saving a card with huggingface_hub drops comments, so the text is edited where a key stands. Nothing is
trusted: what was edited is read back, and taken only where it says what it said before and what was to be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, invalid
from modelrelease.records.located import Located
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.yaml_write import dump

_TODO = "write one key a line, at the left margin"


def read_front(text: str, path: str, first_line: int) -> Located:
    """Return front matter as a mapping with its lines; an empty one where it says nothing.

    Raises InvalidInput: what strict YAML does not have (MR2xx), no mapping (MR434).
    """
    located = read_yaml(_with_line_feeds(text), path, first_line)
    if located.value is None:
        return Located({}, path, located.places)
    if not isinstance(located.value, dict):
        raise invalid(
            path, Code.CARD_METADATA, "the front matter is no mapping", "write `key: value` lines", first_line
        )
    return located


def with_keys(text: str, wanted: Mapping[str, Any], path: str, first_line: int, end: str) -> str:
    """Return front matter in which each key of ``wanted`` has its value, and those with None are not there.

    A key that has its value already keeps its text; one that has another is written again at its place; new ones come
    last. Raises Refused (MR434) where no edit leaves the rest as it is, and what :func:`read_front` raises.
    """
    before = read_front(text, path, first_line).value
    changed = {
        key: value for key, value in wanted.items() if before.get(key) != value or (value is None and key in before)
    }
    expected = {key: value for key, value in {**before, **changed}.items() if not (key in changed and value is None)}
    try:
        edited = _edited(text, changed, end)
        if read_front(edited, path, first_line).value == expected:
            return edited
    except (InvalidInput, yaml.YAMLError):
        pass
    message = f"{', '.join(f'`{key}`' for key in wanted)} cannot be written without touching what else stands there"
    raise Refused(Finding(path, Code.CARD_METADATA, message, _TODO, first_line))


def _edited(text: str, changed: Mapping[str, Any], end: str) -> str:
    for key, value in changed.items():
        text = _with_key(text, key, value, end)
    return text


def _with_key(text: str, key: str, value: Any, end: str) -> str:
    lines = "" if value is None else dump({key: value}).replace("\n", end)
    place = _place_of(text, key)
    if place is not None:
        return text[: place[0]] + lines + text[place[1] :]
    return text + ("" if not text or text.endswith("\n") else end) + lines


def _place_of(text: str, key: str) -> tuple[int, int] | None:
    """Return where a key and its value stand, from the line's beginning to the end of the value's last line."""
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for name, node in root.value if isinstance(root, yaml.MappingNode) and not root.flow_style else ():
        if name.value == key:
            last = text.find("\n", max(name.end_mark.index, _end_of(node)))
            return name.start_mark.index, len(text) if last < 0 else last + 1
    return None


def _end_of(node: yaml.Node) -> int:
    """Return where the last character of a value stands: a block's own end mark lies behind comments after it."""
    parts: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode) and not node.flow_style:
        parts = list(node.value)
    if parts:
        return max(map(_end_of, parts))
    end: int = node.end_mark.index
    return end - 1 if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"} else end


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n")
