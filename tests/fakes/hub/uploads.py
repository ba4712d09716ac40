"""Uploads: where each file goes, the large ones' bytes, and the commit."""

from __future__ import annotations

import base64
import fnmatch
import json
import re
from typing import Any

from fakes.hub.calls import MODEL, Answer, Call, Refusal, route
from fakes.hub.repositories import commit_of
from fakes.hub.repository import Entry, HeadMoved, NoSuchFile, NoSuchRevision, Repository, pointer
from fakes.hub.storage import WrongContent

_LARGE_NAMES = re.compile(r".*\.(safetensors|bin|gguf|pt|pth|onnx|msgpack|parquet|arrow|zip|tar|gz|npz|h5|pkl)")
LARGE = 10 * 1024 * 1024
_OBJECT = r"(?P<oid>[0-9a-f]{64})"
_LFS_JSON = {"Content-Type": "application/vnd.git-lfs+json"}


@route("POST", MODEL + r"/preupload/(?P<revision>[^/]+)")
def preupload(call: Call) -> Answer:
    """Say of each file whether it is large, ignored, and what stands there now."""
    repository, asked = call.repository(), call.json()
    commit = commit_of(repository, call.values["revision"])
    there = {entry.path: entry for entry in repository.tree(commit)}
    # What the client sends comes before the .gitignore that the repository has.
    ignored = asked.get("gitIgnore") or _text(repository, there.get(".gitignore"))
    patterns = [line.strip() for line in ignored.splitlines() if line.strip() and not line.startswith("#")]
    return Answer({"files": [_file(one, there, patterns) for one in asked["files"]], "commitOid": commit})


def _file(asked: dict[str, Any], there: dict[str, Entry], patterns: list[str]) -> dict[str, Any]:
    path = asked["path"]
    large = asked["size"] > LARGE or _LARGE_NAMES.fullmatch(path)
    ignored = any(fnmatch.fnmatch(path, one) or fnmatch.fnmatch(path.split("/")[-1], one) for one in patterns)
    answer = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": ignored}
    if (entry := there.get(path)) and not entry.folder:
        answer["oid"] = entry.lfs[0] if entry.lfs else entry.oid
    return answer


def _text(repository: Repository, entry: Entry | None) -> str:
    return repository.blobs([entry.oid])[entry.oid].decode() if entry else ""


@route("POST", r"/(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
def batch(call: Call) -> Answer:
    """Say where each large file's bytes go; nowhere for what is there already."""
    call.repository()
    asked = call.json()
    several = call.hub.part_size if "multipart" in asked["transfers"] else None
    listed = [_upload(call, one["oid"], one["size"], several) for one in asked["objects"]]
    return Answer({"transfer": "basic", "objects": listed}, headers=_LFS_JSON)


def _upload(call: Call, oid: str, size: int, part_size: int | None) -> dict[str, Any]:
    plain: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    if call.hub.storage.size(oid) is not None:
        return plain
    base = f"{call.hub.url}/_storage"
    upload: dict[str, Any] = {"href": f"{base}/{oid}", "header": {}}
    if part_size is not None and size > part_size:
        parts = {f"{n:05d}": f"{base}/{oid}/part/{n}" for n in range(1, -(-size // part_size) + 1)}
        upload = {"href": f"{base}/{oid}/complete", "header": {"chunk_size": str(part_size), **parts}}
    verify = {"href": f"{call.hub.url}/_verify/{oid}", "header": {}}
    return {**plain, "actions": {"upload": upload, "verify": verify}}


@route("PUT", rf"/_storage/{_OBJECT}")
def put(call: Call) -> Answer:
    """Take a large file."""
    try:
        call.hub.storage.put(call.values["oid"], call.chunks())
    except WrongContent:
        raise Refusal(400, "The SHA256 you specified did not match what we received") from None
    return Answer(headers={"ETag": f'"{call.values["oid"][:32]}"'})


@route("PUT", rf"/_storage/{_OBJECT}/part/(?P<number>\d+)")
def put_part(call: Call) -> Answer:
    """Take one part of a large file."""
    etag = call.hub.storage.put_part(call.values["oid"], int(call.values["number"]), call.chunks())
    return Answer(headers={"ETag": f'"{etag}"'})


@route("POST", rf"/_storage/{_OBJECT}/complete")
def complete(call: Call) -> Answer:
    """Put the parts together."""
    try:
        call.hub.storage.join(call.values["oid"], [part["partNumber"] for part in call.json()["parts"]])
    except WrongContent:
        raise Refusal(400, "The parts do not add up") from None
    return Answer({})


@route("POST", rf"/_verify/{_OBJECT}")
def verify(call: Call) -> Answer:
    """Say whether a large file has arrived."""
    if call.hub.storage.size(call.values["oid"]) != call.json()["size"]:
        raise Refusal(404, "Object does not exist on the server")
    return Answer({})


@route("POST", MODEL + r"/commit/(?P<revision>[^/]+)")
def commit(call: Call) -> Answer:
    """Make one commit of many operations, at once or not at all."""
    repository, branch = call.repository(), call.values["revision"]
    header: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    deleted: list[str] = []
    for line in call.data().splitlines():
        key, value = (one := json.loads(line))["key"], one["value"]
        if key == "header":
            header = value
        elif key in {"deletedFile", "deletedFolder"}:
            deleted.append(value["path"] + ("/" if key == "deletedFolder" else ""))
        else:
            files[value["path"]] = _content(call, repository, branch, key, value)
    message = "\n\n".join(filter(None, (header["summary"], header.get("description"))))
    oid = _committed(repository, branch, header.get("parentCommit"), message, files, deleted)
    url = f"{call.hub.url}/{call.values['name']}/commit/{oid}"
    return Answer({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})


def _content(call: Call, repository: Repository, branch: str, key: str, value: dict[str, Any]) -> bytes:
    """Return what git keeps of one operation's file."""
    if key == "file":
        return base64.b64decode(value["content"], validate=True)
    if key == "lfsFile":
        size = call.hub.storage.size(value["oid"])
        if size is None:
            raise Refusal(400, f"LFS object {value['oid']} was not uploaded")
        return pointer(value["oid"], size)
    if key == "copyFile":
        source = repository.tree(commit_of(repository, value.get("srcRevision") or branch))
        found = [entry.oid for entry in source if entry.path == value["srcPath"] and not entry.folder]
        if not found:
            raise Refusal(404, f"{value['srcPath']} does not exist", "EntryNotFound")
        return repository.blobs(found)[found[0]]
    raise Refusal(400, f"unknown operation {key}")


def _committed(
    repository: Repository, branch: str, parent: str | None, message: str, files: dict[str, bytes], deleted: list[str]
) -> str:
    while True:
        try:
            return repository.commit(branch, parent, message, files, deleted)
        except HeadMoved:
            if parent is not None:
                raise Refusal(412, "A commit has happened since. Please refresh and try again.") from None
        except NoSuchFile as missing:
            raise Refusal(404, f"A file with this name doesn't exist: {missing}", "EntryNotFound") from None
        except NoSuchRevision:
            raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound") from None
