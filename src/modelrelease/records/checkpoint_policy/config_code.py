"""Code that a configuration asks for: classes beside the weights or on the Hub, fetched and run when it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding
from modelrelease.records.located import Located
from modelrelease.records.shown import key_path

# Source: transformers' dynamic_module_utils.py and pipelines/__init__.py; hub_kernels.py for kernels.
_CLASSES = frozenset({"auto_map", "custom_pipelines", "custom_pipeline"})
_KERNELS = frozenset(
    {"attn_implementation", "_attn_implementation", "_experts_implementation", "experts_implementation"}
)
_TODO = "use an architecture that transformers has, and save the checkpoint with it; a published version runs no code"


def code_asked_for(document: Located, shown: str) -> list[Finding]:
    """Return a finding (MR406) for each key, however deep, by which a configuration asks for code."""
    return [
        Finding(shown, Code.REMOTE_CODE, f"`{key_path(keys)}` asks for code that is not transformers' own", _TODO, line)
        for keys in _asking(document.value)
        for line in (document.line_of(keys),)
    ]


def _asking(value: Any) -> Iterator[tuple[str | int, ...]]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        keys, node = waiting.pop()
        if isinstance(node, dict):
            for key, inner in node.items():
                if _asks(key, inner):
                    yield (*keys, key)
                waiting.append(((*keys, key), inner))
        elif isinstance(node, list):
            waiting += [((*keys, place), inner) for place, inner in enumerate(node)]


def _asks(key: str, value: Any) -> bool:
    if key in _CLASSES:
        return bool(value)
    if key == "trust_remote_code":
        return value is not False and value is not None
    return key in _KERNELS and "/" in str(value)
