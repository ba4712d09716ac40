"""The names of versions, ``model_vX.Y[.Z]``, and their order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Leading zeros would give one version two names; ten digits are more than anybody counts to.
_NUMBER = r"(0|[1-9]\d{0,9})"
_VERSION = re.compile(rf"model_v{_NUMBER}\.{_NUMBER}(?:\.{_NUMBER})?", re.ASCII)


def version_key(name: str) -> tuple[int, int, int] | None:
    """Return what versions are ordered by, ``(X, Y, Z)`` with 0 for a missing Z; None where ``name`` is no version."""
    match = _VERSION.fullmatch(name)
    if match is None:
        return None
    major, minor, patch = match.groups(default="0")
    return int(major), int(minor), int(patch)


def sorted_versions(names: Iterable[str]) -> list[str]:
    """Return those of ``names`` that are versions, lowest first; `model_v1.0` before its other spelling `model_v1.0.0`.

    1.10 comes after 1.9.
    """
    found = [(key, name) for name in names if (key := version_key(name)) is not None]
    return [name for _, name in sorted(found)]
