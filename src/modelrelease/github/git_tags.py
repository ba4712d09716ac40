"""Where a git tag is on GitHub, asked before and after a release: GitHub makes a tag that is not there."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from modelrelease.codes import Code
from modelrelease.errors import Finding, Refused, escape_controls, shorten
from modelrelease.github.client import Api, NotFound

NEEDS = "contents: read"
_MAX_DEPTH = 5


class _Object(BaseModel):
    model_config = ConfigDict(extra="ignore")
    sha: str
    type: str


class _Holder(BaseModel):
    model_config = ConfigDict(extra="ignore")
    object: _Object


def _target(data: Any) -> _Object:
    return _Holder.model_validate(data).object


def commit_of_tag(api: Api, repository: str, tag: str) -> str | None:
    """Return the commit of a tag, through tag objects; None where there is no such tag, or it is of no commit."""
    try:
        found = api.get(f"/repos/{repository}/git/ref/tags/{quote(tag, safe='/')}", _target, needs=NEEDS)
    except NotFound:
        api.get(f"/repos/{repository}", lambda _: None, needs=NEEDS)  # it is the tag that is not there
        return None
    for _ in range(_MAX_DEPTH):
        if found.type != "tag":
            break
        found = api.get(f"/repos/{repository}/git/tags/{quote(found.sha, safe='')}", _target, needs=NEEDS)
    return found.sha if found.type == "commit" else None


def refuse_moved_tag(api: Api, repository: str, tag: str, commit: str) -> None:
    """Raise Refused (MR742) where a tag is not on GitHub, or not at ``commit``."""
    found = commit_of_tag(api, repository, tag)
    if found == commit:
        return
    where = f"{repository}: tag {escape_controls(shorten(tag, 100))}"
    if found is None:
        todo = "push the tag, and run it again"
        raise Refused(Finding(where, Code.GIT_TAG, f"is not on GitHub; it has to be at {commit[:12]}", todo))
    message = f"is at {escape_controls(shorten(found, 64))[:12]} on GitHub, and was released from {commit[:12]}"
    todo = "find out who moved it; a released version never changes: release the next patch version"
    raise Refused(Finding(where, Code.GIT_TAG, message, todo))
