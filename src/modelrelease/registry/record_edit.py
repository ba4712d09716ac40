"""A change record written into a file that holds one, leaving every other character as it is.

The text is edited where the record stands, so comments, order and quoting stay. Nothing is trusted: each way of editing
is read back, and only one that gives the same content and the wanted record is taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused
from modelrelease.registry.formats import RECORD, read_governed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import yaml

_SIMPLE = re.compile(r"[A-Za-z][A-Za-z0-9 .'-]*[A-Za-z0-9.]")
_FRONT = re.compile(r"(---[ \t]*\r?\n)(.*?)(^---[ \t]*(?:\r?\n|\Z))", re.DOTALL | re.MULTILINE)
_BOM = "\ufeff"


def with_record(data: bytes, path: str, record: dict[str, str]) -> bytes:
    """Return ``data`` with ``record`` (author, reason, date) as its change record.

    Raises InvalidInput where the file cannot be read, Refused (MR116) where no edit leaves its content as it is.
    """
    before = read_governed(data, path)
    text = data.decode("utf-8")
    bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    for candidate in _candidates(text, path.lower(), record):
        edited = (bom + candidate).encode("utf-8")
        try:
            after = read_governed(edited, path)
        except InvalidInput:
            continue
        if after.content == before.content and after.record is not None and after.record.values == record:
            return edited
    shown = ", ".join(f"{key}: {json.dumps(record[key], ensure_ascii=False)}" for key in RECORD)
    message = "its form leaves no place where a record can be written without touching what it says"
    raise Refused(Finding(path, Code.NOT_STAMPED, message, f"write it by hand: change: {{{shown}}}"))


def _candidates(text: str, name: str, record: dict[str, str]) -> Iterator[str]:
    if name.endswith(".json"):
        yield from _json(text, record)
    elif name.endswith((".yml", ".yaml")):
        yield from _yaml(text, record)
    else:
        found = _FRONT.match(text)
        if found is not None:
            for front in _yaml(found[2], record):
                yield found[1] + front + text[found.start(3) :]


def _yaml(text: str, record: dict[str, str]) -> Iterator[str]:
    import yaml

    end = "\r\n" if "\r\n" in text else "\n"
    block = _block(record, "", end)
    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return
    if root is None:
        yield text + block
        return
    if not isinstance(root, yaml.MappingNode):
        return
    members = _members(root)
    change = members.get("change")
    if change is not None:
        if isinstance(change[1], yaml.MappingNode):
            yield from _in_mapping(text, change[1], record, end)
        return
    if any(key in members for key in RECORD):
        yield from _in_mapping(text, root, record, end)
        return
    start = root.start_mark.index
    if root.flow_style:
        yield f"{text[: start + 1]}change: {_flow(record)}, {text[start + 1 :]}"
        yield f"{text[: start + 1]}change: {_flow(record)}{text[start + 1 :]}"
        return
    yield text + ("" if text.endswith("\n") else end) + block
    yield text[:start] + block + text[start:]


def _members(node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    return {str(key.value): (key, value) for key, value in node.value if isinstance(key.value, str)}


def _in_mapping(text: str, node: yaml.MappingNode, record: dict[str, str], end: str) -> Iterator[str]:
    """Replace the values that are there, and add the keys that are not before the first that is."""
    members = _members(node)
    edits: list[tuple[int, int, str]] = []
    for key in RECORD:
        if key in members:
            value = members[key][1]
            first, last = value.start_mark.index, value.end_mark.index
            line_end = end if text[first:last].endswith("\n") else ""
            edits.append((first, last, _scalar(record[key], flow=bool(node.flow_style)) + line_end))
    missing = [key for key in RECORD if key not in members]
    if missing:
        known = [members[key][0] for key in RECORD if key in members]
        mark = known[0].start_mark if known else node.value[0][0].start_mark if node.value else None
        if mark is None:
            edits.append((node.start_mark.index, node.end_mark.index, _flow(record)))
        else:
            between = ", " if node.flow_style else end + " " * mark.column
            parts = [f"{key}: {_scalar(record[key], flow=bool(node.flow_style))}{between}" for key in missing]
            edits.append((mark.index, mark.index, "".join(parts)))
    yield _edited(text, edits)


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for first, last, new in sorted(edits, reverse=True):
        text = text[:first] + new + text[last:]
    return text


def _block(record: dict[str, str], indent: str, end: str) -> str:
    lines = [f"{indent}change:", *(f"{indent}  {key}: {_scalar(record[key])}" for key in RECORD)]
    return "".join(line + end for line in lines)


def _flow(record: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(record[key], flow=True)}" for key in RECORD) + "}"


def _scalar(text: str, *, flow: bool = False) -> str:
    """Return ``text`` as a YAML scalar: plain where nobody could read it otherwise, in double quotes elsewhere."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) or (_SIMPLE.fullmatch(text) and not flow):
        return text
    return json.dumps(text, ensure_ascii=False)


def _json(text: str, record: dict[str, str]) -> Iterator[str]:
    members = _json_members(text)
    if members is None:
        return
    as_json = json.dumps({key: record[key] for key in RECORD}, ensure_ascii=False)
    if "change" in members:
        first, last = members["change"]
        yield text[:first] + as_json + text[last:]
        return
    edits = [(*members[key], json.dumps(record[key], ensure_ascii=False)) for key in RECORD if key in members]
    missing = [key for key in RECORD if key not in members] if edits else []
    added = [f'"{key}": {json.dumps(record[key], ensure_ascii=False)}' for key in missing]
    if not edits:
        added = [f'"change": {as_json}']
    if added:
        last = max((last for _, last in members.values()), default=text.index("{") + 1)
        opening = text.index("{") + 1
        blank = re.match(r"\s*", text[opening:])
        space = blank.group() if blank is not None and members else ""
        joined = f",{space or ' '}".join(added)
        edits.append((last, last, f",{space or ' '}{joined}" if members else joined))
    yield _edited(text, edits)


def _json_members(text: str) -> dict[str, tuple[int, int]] | None:
    """Return where the value of each member of the top-level object stands; None where there is no such object."""
    decoder = json.JSONDecoder()
    members: dict[str, tuple[int, int]] = {}
    place = _past(text, 0)
    if text[place : place + 1] != "{":
        return None
    place = _past(text, place + 1)
    while text[place : place + 1] == '"':
        key, place = decoder.raw_decode(text, place)
        first = _past(text, _past(text, place) + 1)
        _, last = decoder.raw_decode(text, first)
        members[key] = first, last
        place = _past(text, last)
        place = _past(text, place + 1) if text[place : place + 1] == "," else place
    return members


def _past(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
