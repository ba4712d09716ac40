"""YAML that every reader reads alike: 1.1's (PyYAML, huggingface_hub) and 1.2's (ours, the Hub's, GitHub's)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from modelrelease.errors import InvalidInput
from modelrelease.records.strict_yaml import read_yaml

_NO_WRAP = 1 << 30
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_BASED_NUMBER = re.compile(r"0[xob]", re.IGNORECASE)


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter, with quotes around every text that any reader could take for something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent the items of a list below its key."""
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write every value out."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain(text) else '"')


_Dumper.add_representer(str, _text)


def is_plain(text: str) -> bool:
    """Say whether ``text`` is a word or a path that stays one without quotes, also inside a flow list.

    `no`, `1e3`, `0o17`, `2026-11-22` and `null` are text to some readers only.
    """
    if not _PLAIN.fullmatch(text) or _BASED_NUMBER.match(text):
        return False
    try:
        return bool(yaml.safe_load(text) == text == read_yaml(text, "").value)
    except (ValueError, InvalidInput):  # a day that the calendar lacks, a number beyond the floats
        return False


def dump(value: Mapping[str, Any]) -> str:
    """Return a mapping as block YAML on lines of any length, its keys in their order, a line feed at its end."""
    written = _dump(value, unicode=True)
    # What shows nothing, or turns reading around, as its escape.
    return written if all(line.isprintable() for line in written.split("\n")) else _dump(value, unicode=False)


def _dump(value: Mapping[str, Any], *, unicode: bool) -> str:
    written: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=unicode, width=_NO_WRAP)
    return written
