"""Which state of the kit a repository uses: what stands behind ``uses:`` and ``rev:``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from modelrelease.codes import Code
from modelrelease.errors import invalid, shorten

HOME = "modelrelease/modelrelease"
"""Where the kit is published."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}"
_KIT = re.compile(rf"(?P<repository>{_NAME})@(?P<ref>[A-Za-z0-9][A-Za-z0-9_./+-]{{0,199}})")
_GITHUB = re.compile(rf"(?:https?://(?:[^/@\s]+@)?|ssh://git@|git@)github\.com[:/](?P<name>{_NAME}?)(?:\.git)?/?")
_USES = re.compile(
    r"(?P<before>^[ \t]*(?:-[ \t]+)?uses:[ \t]+)(?P<name>[A-Za-z0-9_-]+/modelrelease)(?P<path>(?:/[\w.-]+)*)@[^\s#]+"
    r"(?:[ \t]*#[^\n]*)?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Kit:
    """``repository`` (OWNER/NAME) at ``ref``, a commit or a tag; ``comment`` is the version where ``ref`` is none."""

    repository: str
    ref: str
    comment: str | None = None

    @property
    def remark(self) -> str:
        """The YAML comment that says which version a commit is, with the blanks before it; empty without one."""
        return f" # {self.comment}" if self.comment else ""

    def __str__(self) -> str:
        """Return ``OWNER/NAME@REF``."""
        return f"{self.repository}@{self.ref}"


def parse_kit(text: str) -> Kit:
    """Return the kit in ``OWNER/NAME@REF``; InvalidInput (MR601) where ``text`` is none."""
    match = _KIT.fullmatch(text)
    if match is None:
        message = f"--kit {shorten(text, 80)!r} is no action's address"
        raise invalid("modelrelease init", Code.USAGE, message, f"write OWNER/NAME@REF, such as {HOME}@v1.0.0")
    return Kit(match["repository"], match["ref"])


def kit_of(version: str, commit: str | None, origin: str | None) -> Kit:
    """Return the kit that this program is part of: its commit in a clone, its version's tag where it is installed."""
    tag = f"v{version}"
    repository = (github_name(origin) if origin else None) or HOME
    return Kit(repository, commit, tag) if commit else Kit(repository, tag)


def github_name(url: str) -> str | None:
    """Return ``owner/name`` of a repository on github.com, None for any other address."""
    match = _GITHUB.fullmatch(url)
    return match["name"] if match else None


def pinned(template: str, kit: Kit) -> str:
    """Return a workflow whose steps use ``kit`` wherever they use modelrelease, with the version as comment."""
    return _USES.sub(
        lambda match: f"{match['before']}{kit.repository}{match['path']}@{kit.ref}{kit.remark}",
        template,
    )


def used_parts(workflow: str) -> set[str]:
    """Return what of modelrelease a workflow's steps use, from wherever it comes: "" or "/actions/NAME"."""
    return {match["path"] for match in _USES.finditer(workflow)}
