""".pre-commit-config.yaml with the kit's hook: written anew, or added to one without touching a byte of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from modelrelease.errors import InvalidInput
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.text import decode
from modelrelease.scaffold.kit import Kit
from modelrelease.scaffold.lines import line_end
from modelrelease.scaffold.yaml_text import scalar

HOOK = "modelrelease"
PRECOMMIT = ".pre-commit-config.yaml"


def hook_lines(kit: Kit, indentation: int) -> list[str]:
    """Return the lines of the list's item, the dash ``indentation`` columns from the left."""
    lines = [
        f"- repo: https://github.com/{kit.repository}",
        f"  rev: {scalar(kit.ref)}{kit.remark}",
        "  hooks:",
        f"    - id: {HOOK}",
    ]
    return [" " * indentation + line for line in lines]


def new_precommit(kit: Kit) -> bytes:
    """Return a config with nothing but the kit's hook."""
    return "".join(line + "\n" for line in ["repos:", *hook_lines(kit, 2)]).encode("utf-8")


def has_hook(data: bytes) -> bool:
    """Say whether a config names the kit's hook, from wherever it comes."""
    return any(hook.get("id") == HOOK for entry in _entries(_parsed(data)) for hook in _hooks(entry))


def with_hook(data: bytes, kit: Kit) -> bytes | None:
    """Return ``data`` with the hook as the last item under `repos`; None where that cannot be done safely.

    Every byte that was there is kept, comments and all. Safe means: read again, the file says what it said before,
    and the hook besides.
    """
    before = _parsed(data)
    place = _place_after(data) if _entries(before) else None
    if place is None:
        return None
    line, indentation = place
    end = line_end(data)
    lines = data.split(b"\n")
    kept, rest = b"\n".join(lines[:line]), b"\n".join(lines[line:])
    kept += (b"\n" if line < len(lines) else b"" if kept.endswith(b"\n") else end) if kept else b""
    added = b"".join(text.encode("utf-8") + end for text in hook_lines(kit, indentation))
    after = kept + added + rest
    return after if _parsed(after) == _wanted(before, kit) else None


def _wanted(before: Any, kit: Kit) -> dict[str, Any]:
    hook = {"repo": f"https://github.com/{kit.repository}", "rev": kit.ref, "hooks": [{"id": HOOK}]}
    return {**before, "repos": [*before["repos"], hook]}


def _parsed(data: bytes) -> Any:
    """The document in ``data``, None where a strict reader does not take it."""
    try:
        return read_yaml(decode(data, PRECOMMIT), PRECOMMIT).value
    except InvalidInput:
        return None


def _entries(document: Any) -> list[dict[str, Any]]:
    repos = document.get("repos") if isinstance(document, dict) else None
    return [entry for entry in repos if isinstance(entry, dict)] if isinstance(repos, list) else []


def _hooks(entry: dict[str, Any]) -> list[dict[str, Any]]:
    hooks = entry.get("hooks")
    return [hook for hook in hooks if isinstance(hook, dict)] if isinstance(hooks, list) else []


def _place_after(data: bytes) -> tuple[int, int] | None:
    """Return after how many lines the list under `repos` ends, and the column of its dashes; None in flow style."""
    text = data.decode("utf-8").replace("\r\n", "\n")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:  # what the strict reader takes and this one does not, such as tabs
        return None
    assert isinstance(root, yaml.MappingNode)
    repos = next((value for key, value in root.value if key.value == "repos"), None)
    if not isinstance(repos, yaml.SequenceNode) or repos.flow_style:
        return None
    # A collection's own end is where the next thing begins, after comments that may belong to that.
    end = max((leaf.end_mark for leaf in _leaves(repos)), key=lambda mark: mark.index, default=None)
    if end is None:
        return None
    return end.line + (end.column > 0), repos.start_mark.column


def _leaves(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        yield node
        return
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            yield from _leaves(part)
