"""Releases and their files."""

from __future__ import annotations

import re
from pathlib import Path

from fakes.github import shapes
from fakes.github.calls import Answer, Call, Refusal, handles
from fakes.github.state import Repository, Stored

MAX_BODY = 125_000
MAX_ASSET = 2 << 30


@handles("GET R/releases")
def list_releases(call: Call) -> Answer:
    """Return releases, newest first; drafts to those alone who may write."""
    shown = [one for one in call.repository.releases.values() if not one["draft"] or _writes(call)]
    return call.paged([shapes.release(call, one) for one in reversed(shown)])


def _writes(call: Call) -> bool:
    return call.user.permissions.get("contents") == "write"


@handles("POST R/releases")
def create_release(call: Call) -> Answer:
    """Make a release; a tag has at most one that is published, and any number of drafts."""
    branch = call.repository.default_branch
    plain = {"target_commitish": branch, "name": None, "body": None, "draft": False, "prerelease": False, **call.body}
    _refuse_too_long(plain)
    if not plain["draft"]:
        _publish(call, plain, None)
    identity = {"id": call.world.next_id(), "author": call.user.login, "created": call.world.now()}
    call.repository.releases[str(identity["id"])] = {**plain, **identity}
    return Answer(201, shapes.release(call, {**plain, **identity}))


@handles("GET R/releases/tags/{tag}")
def release_of_tag(call: Call) -> Answer:
    """Return the published release of a tag."""
    for one in call.repository.releases.values():
        if one["tag_name"] == call.values["tag"] and not one["draft"]:
            return Answer(200, shapes.release(call, one))
    raise Refusal(404, "Not Found")


@handles(*(f"{method} R/releases/{{release_id}}" for method in ("GET", "PATCH", "DELETE")))
def release(call: Call) -> Answer:
    """Return, change or remove a release; its files go with it, its tag stays."""
    found = call.found(call.repository.releases, "release_id")
    if found["draft"] and not _writes(call):
        raise Refusal(404, "Not Found")
    if call.method == "DELETE":
        del call.repository.releases[call.values["release_id"]]
        files = call.repository.assets
        for key in [key for key, one in files.items() if one["release"] == found["id"]]:
            del files[key]
        return Answer(204)
    changed = {**found, **(call.body or {})}
    _refuse_too_long(changed)
    if call.method == "PATCH" and not changed["draft"]:
        _publish(call, changed, found["id"])
    found.update(changed)
    return Answer(200, shapes.release(call, found))


def _refuse_too_long(release: Stored) -> None:
    if len(release["body"] or "") > MAX_BODY:
        message = f"body is too long (maximum is {MAX_BODY} characters)"
        raise Refusal(422, "Validation Failed", [{"resource": "Release", "code": "custom", "message": message}])


def _publish(call: Call, release: Stored, own: int | None) -> None:
    """Refuse a second release of a tag; a tag that is not there is made, from whatever the release says."""
    tag, repository = release["tag_name"], call.repository
    for one in repository.releases.values():
        if one["tag_name"] == tag and one["id"] != own and not one["draft"]:
            error = {"resource": "Release", "code": "already_exists", "field": "tag_name"}
            raise Refusal(422, "Validation Failed", [error])
    start = release["target_commitish"]
    commit = start if re.fullmatch(r"[0-9a-f]{40}", start) else _head(repository, start)
    repository.refs.setdefault(f"refs/tags/{tag}", commit)


def _head(repository: Repository, branch: str) -> str:
    return repository.refs.get(f"refs/heads/{branch}", "0" * 40)


@handles("GET R/releases/{release_id}/assets", "POST R/releases/{release_id}/assets")
def assets(call: Call) -> Answer:
    """Return a release's files, or take one; of one that does not arrive whole an empty ``starter`` is left."""
    owner = call.found(call.repository.releases, "release_id")["id"]
    own = [one for one in call.repository.assets.values() if one["release"] == owner]
    if call.method == "GET":
        return call.paged([shapes.asset(call, one) for one in own])
    name = re.sub(r"[^A-Za-z0-9_.+@-]", ".", call.query["name"]).strip(".")
    received = call.received
    assert received is not None
    if name in {one["name"] for one in own}:
        error = {"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}
        raise Refusal(422, "Validation Failed", [error])
    if not 0 < received.size < MAX_ASSET and received.whole:
        error = {"resource": "ReleaseAsset", "code": "custom", "field": "size"}
        raise Refusal(422, "Validation Failed", [{**error, "message": "size must be greater than or equal to 1"}])
    content = received.content.hex() if received.content is not None else None
    stored: Stored = {
        "id": call.world.next_id(),
        "release": owner,
        "name": name,
        "label": call.query.get("label"),
        "content_type": "application/octet-stream",
        "state": "uploaded" if received.whole else "starter",
        "size": received.size if received.whole else 0,
        "content": content if received.whole else "",
        "file": str(received.path) if received.path is not None else None,
        "sha256": received.sha256 if received.whole and call.world.keeps_digests else None,
        "author": call.user.login,
    }
    call.repository.assets[str(stored["id"])] = stored
    if not received.whole:
        raise Refusal(502, "Bad Gateway")
    return Answer(201, shapes.asset(call, stored))


@handles("GET R/releases/assets/{asset_id}", "DELETE R/releases/assets/{asset_id}")
def asset(call: Call) -> Answer:
    """Return a file, as its description or (``Accept: application/octet-stream``) its bytes; or remove it."""
    found = call.found(call.repository.assets, "asset_id")
    if call.method == "DELETE":
        del call.repository.assets[call.values["asset_id"]]
        return Answer(204)
    if "application/octet-stream" in call.accept:
        kept = Path(found["file"]).read_bytes() if found["file"] is not None else bytes.fromhex(found["content"])
        return Answer(200, kept)
    return Answer(200, shapes.asset(call, found))
