"""Downloads: small files from here, large ones from the storage, whole or in part."""

from __future__ import annotations

import re

from fakes.hub.calls import Answer, Call, Refusal, route
from fakes.hub.repositories import commit_of


@route("GET|HEAD", r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
def resolve(call: Call) -> Answer:
    """Send a file, or where it is."""
    repository = call.repository()
    commit = commit_of(repository, call.values["revision"])
    found = [one for one in repository.tree(commit) if one.path == call.values["path"] and not one.folder]
    if not found:
        raise Refusal(404, "Entry not found", "EntryNotFound")
    entry = found[0]
    headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
    if entry.lfs is None:
        headers |= {"ETag": f'"{entry.oid}"', "Content-Type": "text/plain; charset=utf-8"}
        return Answer(repository.blobs([entry.oid])[entry.oid], headers=headers)
    sha256, size = entry.lfs
    # The storage is another host, to which no token may go.
    headers |= {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(size)}
    return Answer(None, 302, {**headers, "Location": f"{call.hub.storage_url}/{sha256}"})


@route("GET|HEAD", r"/_storage/(?P<oid>[0-9a-f]{64})")
def stored(call: Call) -> Answer:
    """Send a large file or a range of it."""
    if "authorization" in {name.lower() for name in call.headers}:
        raise Refusal(400, "Only one auth mechanism allowed")
    size = call.hub.storage.size(call.values["oid"])
    if size is None:
        raise Refusal(404, "NoSuchKey")
    path = call.hub.storage.path(call.values["oid"])
    headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", call.headers.get("Range", ""))
    if asked is None:
        return Answer(path, headers=headers)
    start, stop = int(asked[1]), min(int(asked[2]) + 1, size) if asked[2] else size
    if start >= size:
        raise Refusal(416, "Range not satisfiable")
    return Answer(path, 206, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{size}"}, (start, stop))
