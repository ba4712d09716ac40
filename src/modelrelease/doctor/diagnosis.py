"""All answers together, and what the command ends with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from modelrelease.errors import escape_controls
from modelrelease.records.diagnosis import Check, Diagnosis


def diagnosis(repository: str, github: str | None, checks: Sequence[Check], *, malformed: bool) -> Diagnosis:
    """Return the document. ``malformed``: the config or its suite cannot be read, which is exit 2."""
    anything = any(check.state == "to-do" for check in checks)
    code: Literal[0, 1, 2] = 2 if malformed else 1 if anything else 0
    return Diagnosis(repository=escape_controls(repository), github=github, checks=tuple(checks), exit_code=code)
