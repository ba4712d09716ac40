"""Releases and their files."""

from __future__ import annotations

import hashlib

from fakes.github import shapes
from fakes.github.calls import Answer, Call, Refusal, handles
from fakes.github.state import Stored


@handles("GET R/releases")
def list_releases(call: Call) -> Answer:
    """Return releases, newest first."""
    return call.paged([shapes.release(call, one) for one in reversed(call.repository.releases.values())])


@handles("POST R/releases")
def create_release(call: Call) -> Answer:
    """Make a release; a tag has at most one."""
    _refuse_second(call, call.body["tag_name"], None)
    branch = call.repository.default_branch
    plain = {"target_commitish": branch, "name": None, "body": None, "draft": False, "prerelease": False, **call.body}
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
    """Return, change or remove a release."""
    found = call.found(call.repository.releases, "release_id")
    if call.method == "DELETE":
        del call.repository.releases[call.values["release_id"]]
        return Answer(204)
    if call.body and "tag_name" in call.body:
        _refuse_second(call, call.body["tag_name"], found["id"])
    found.update(call.body or {})
    return Answer(200, shapes.release(call, found))


def _refuse_second(call: Call, tag: str, own: int | None) -> None:
    for one in call.repository.releases.values():
        if one["tag_name"] == tag and one["id"] != own and not one["draft"]:
            error = {"resource": "Release", "code": "already_exists", "field": "tag_name"}
            raise Refusal(422, "Validation Failed", [error])


@handles("GET R/releases/{release_id}/assets", "POST R/releases/{release_id}/assets")
def assets(call: Call) -> Answer:
    """Return a release's files, or take one."""
    owner = call.found(call.repository.releases, "release_id")["id"]
    own = [one for one in call.repository.assets.values() if one["release"] == owner]
    if call.method == "GET":
        return call.paged([shapes.asset(call, one) for one in own])
    if call.query["name"] in {one["name"] for one in own}:
        error = {"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}
        raise Refusal(422, "Validation Failed", [error])
    data: bytes = call.body or b""
    asset: Stored = {
        "id": call.world.next_id(),
        "release": owner,
        "name": call.query["name"],
        "label": call.query.get("label"),
        "content_type": "application/octet-stream",
        "content": data.hex(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "author": call.user.login,
    }
    call.repository.assets[str(asset["id"])] = asset
    return Answer(201, shapes.asset(call, asset))


@handles("GET R/releases/assets/{asset_id}", "DELETE R/releases/assets/{asset_id}")
def asset(call: Call) -> Answer:
    """Return a file, as its description or (``Accept: application/octet-stream``) its bytes; or remove it."""
    found = call.found(call.repository.assets, "asset_id")
    if call.method == "DELETE":
        del call.repository.assets[call.values["asset_id"]]
        return Answer(204)
    if "application/octet-stream" in call.accept:
        return Answer(200, bytes.fromhex(found["content"]))
    return Answer(200, shapes.asset(call, found))
