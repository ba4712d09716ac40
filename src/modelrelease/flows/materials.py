"""What the package brings along that is no module: the demo's files, the workflow templates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable

_PACKAGE = Path(__file__).resolve().parent.parent
_CLONE = _PACKAGE.parent.parent


@dataclass(frozen=True)
class Material:
    """A file or folder of the kit. ``clone``: the root of the clone it was found in, None where it is installed."""

    path: Path
    clone: Path | None


def material(name: str) -> Material:
    """Return what the kit holds under ``name``: in the installed package, or beside the sources in a clone.

    Raises Unavailable (exit 3) where it is in neither.
    """
    for root, clone in ((_PACKAGE, None), (_CLONE, _CLONE)):
        if (root / name).exists():
            return Material(root / name, clone)
    message = "is missing from this installation"
    raise Unavailable(Finding(str(_PACKAGE / name), Code.UNAVAILABLE, message, "install modelrelease again"))
