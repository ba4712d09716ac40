"""Pieces of YAML whose values come from a repository: names of files and fields may hold anything. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from modelrelease.records.yaml_write import is_plain

_NO_WRAP = 1 << 30


def scalar(text: str) -> str:
    """Return ``text`` as YAML on one line that can stand in a flow list; quoted unless it is a plain word or path."""
    if is_plain(text):
        return text
    written: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=_NO_WRAP)
    return written.rstrip("\n")


def flow_list(texts: Iterable[str]) -> str:
    """Return ``texts`` as a list in brackets."""
    return "[" + ", ".join(scalar(text) for text in texts) + "]"


def commented(text: str) -> str:
    """Return lines of YAML as comments, at the indentation that they have: taking ``# `` away brings them back."""
    lines = text.splitlines()
    return "".join(f"# {line}\n" if line else "#\n" for line in lines)


def change_record(change: Mapping[str, Any]) -> str:
    """Return a change record under the key ``change``."""
    return "change:\n" + "".join(f"  {key}: {scalar(str(change[key]))}\n" for key in ("author", "reason", "date"))
