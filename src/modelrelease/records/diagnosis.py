"""What ``modelrelease doctor`` found set up in a repository and what not: what its ``--json`` prints."""

from __future__ import annotations

from typing import Literal

from modelrelease.records.base import Document, Part

State = Literal["ok", "to-do", "unseen"]
"""``unseen``: it cannot be seen from here whether it is set up."""

Group = Literal["configuration", "repository", "versions", "workflows", "releases", "GitHub", "Hub"]


class Check(Part):
    """One thing that was looked at. ``says``: how it stands.

    ``step``: what mends it, or what would show it; None where it is ok.
    """

    group: Group
    name: str
    state: State
    says: str
    step: str | None = None


class Diagnosis(Document):
    """``repository`` is the work tree's root, ``github`` its owner/name; ``exit_code`` the command's."""

    schema_version: Literal[1] = 1
    repository: str
    github: str | None
    checks: tuple[Check, ...]
    exit_code: Literal[0, 1, 2]
