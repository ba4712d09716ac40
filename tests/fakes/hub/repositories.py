"""Repositories, their refs and their history."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from fakes.hub.calls import MODEL, Answer, Call, Refusal, route
from fakes.hub.repository import Entry, NoSuchRevision, Repository

_REVISION = r"(?P<revision>[^/]+)"
_PAGE = 1000


def commit_of(repository: Repository, revision: str) -> str:
    """Return what a revision names; 404 in the Hub's words where it names nothing."""
    try:
        return repository.resolve(revision)
    except NoSuchRevision:
        raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound") from None


def described(entry: Entry) -> dict[str, object]:
    """Return a file or folder as the Hub describes it."""
    if entry.folder:
        return {"type": "directory", "oid": entry.oid, "size": 0, "path": entry.path}
    plain: dict[str, object] = {"type": "file", "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.lfs is None:
        return plain
    sha256, size = entry.lfs
    return {**plain, "size": size, "lfs": {"oid": sha256, "size": size, "pointerSize": entry.size}}


@route("POST", r"/api/repos/create")
def create(call: Call) -> Answer:
    """Create a model repository."""
    asked = call.json()
    name = f"{asked.get('organization') or 'acme'}/{asked['name']}"
    url = f"{call.hub.url}/{name}"
    if name in call.hub.repositories:
        return Answer({"error": "You already created this model repo", "url": url, "name": name}, 409)
    call.hub.repository(name, private=asked.get("visibility") == "private" or bool(asked.get("private")))
    return Answer({"url": url, "name": name, "id": "1"})


@route("GET", MODEL + rf"(?:/revision/{_REVISION})?")
def info(call: Call) -> Answer:
    """Describe a repository at a revision."""
    repository = call.repository()
    commit = commit_of(repository, call.values.get("revision", "main"))
    name = call.values["name"]
    siblings = []
    for entry in repository.tree(commit):
        if not entry.folder:
            one: dict[str, object] = {"rfilename": entry.path}
            if call.query.get("blobs"):
                one |= {"size": entry.lfs[1] if entry.lfs else entry.size, "blobId": entry.oid}
                if entry.lfs:
                    one["lfs"] = {"sha256": entry.lfs[0], "size": entry.lfs[1], "pointerSize": entry.size}
            siblings.append(one)
    fixed = {"gated": False, "disabled": False, "downloads": 0, "likes": 0, "tags": []}
    day = "2026-01-01T00:00:00.000Z"
    known = {"_id": "1", "id": name, "modelId": name, "author": name.split("/")[0], "sha": commit}
    dates = {"lastModified": day, "createdAt": day}
    return Answer({**known, **dates, **fixed, "private": repository.private, "siblings": siblings})


@route("GET", MODEL + r"/refs")
def refs(call: Call) -> Answer:
    """List branches and tags."""
    kinds = {"refs/heads/": "branches", "refs/tags/": "tags"}
    listed: dict[str, list[dict[str, str]]] = {"branches": [], "converts": [], "tags": [], "pullRequests": []}
    for ref, commit in call.repository().refs().items():
        for prefix, kind in kinds.items():
            if ref.startswith(prefix):
                listed[kind].append({"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": commit})
    return Answer(listed)


@route("POST", MODEL + rf"/tag/{_REVISION}")
def create_tag(call: Call) -> Answer:
    """Create a tag; never move one."""
    repository, asked = call.repository(), call.json()
    commit = commit_of(repository, call.values["revision"])
    if not repository.create_ref(f"refs/tags/{asked['tag']}", commit):
        raise Refusal(409, "Tag reference exists already")
    return Answer({})


@route("POST", MODEL + rf"/branch/{_REVISION}")
def create_branch(call: Call) -> Answer:
    """Create a branch; never move one."""
    repository, asked = call.repository(), call.json()
    commit = commit_of(repository, asked.get("startingPoint") or "main")
    if not repository.create_ref(f"refs/heads/{call.values['revision']}", commit):
        raise Refusal(409, "Reference already exists")
    return Answer({})


@route("DELETE", MODEL + rf"/(?P<kind>tag|branch)/{_REVISION}")
def delete_ref(call: Call) -> Answer:
    """Delete a tag or a branch, but for the default one."""
    repository, name = call.repository(), call.values["revision"]
    ref = f"refs/{'tags' if call.values['kind'] == 'tag' else 'heads'}/{name}"
    if ref == "refs/heads/main":
        raise Refusal(403, "Cannot delete the default branch")
    if ref not in repository.refs():
        raise Refusal(404, f"Reference not found: {name}", "RevisionNotFound")
    repository.git("update-ref", "-d", ref)
    return Answer()


@route("GET", MODEL + rf"/commits/{_REVISION}")
def commits(call: Call) -> Answer:
    """List a revision's history, newest first."""
    repository = call.repository()
    found = list(repository.log(commit_of(repository, call.values["revision"])))
    start, size = int(call.query.get("p", 0)), call.hub.commits_per_page
    page = found[start * size : (start + 1) * size]
    headers = {}
    if len(found) > (start + 1) * size:
        headers["Link"] = f'<{call.hub.url}{call.path}?p={start + 1}>; rel="next"'
    listed = [
        {
            "id": one.id,
            "authors": [{"user": one.author}],
            "date": datetime.fromisoformat(one.date).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "title": one.title,
            "message": one.message,
        }
        for one in page
    ]
    return Answer(listed, headers=headers)


@route("GET", MODEL + rf"/tree/{_REVISION}(?:/(?P<folder>.*))?")
def tree(call: Call) -> Answer:
    """List files, a thousand at a time."""
    repository = call.repository()
    commit = commit_of(repository, call.values["revision"])
    everything = call.query.get("recursive", "").lower() in {"true", "1"}
    prefix = f"{call.values['folder'].rstrip('/')}/" if call.values.get("folder") else ""
    found = [
        entry
        for entry in repository.tree(commit)
        if entry.path.startswith(prefix) and (everything or "/" not in entry.path.removeprefix(prefix))
    ]
    if prefix and not found:
        raise Refusal(404, f"{prefix} does not exist", "EntryNotFound")
    start = int(call.query.get("cursor", 0))
    headers = {}
    if len(found) > start + _PAGE:
        again = f"{call.hub.url}{call.path}?recursive={everything}&cursor={start + _PAGE}"
        headers["Link"] = f'<{again}>; rel="next"'
    return Answer([described(entry) for entry in found[start : start + _PAGE]], headers=headers)


@route("POST", MODEL + rf"/paths-info/{_REVISION}")
def paths_info(call: Call) -> Answer:
    """Describe some files."""
    repository = call.repository()
    wanted = {path.rstrip("/") for path in call.form().get("paths", [])}
    found = repository.tree(commit_of(repository, call.values["revision"]))
    return Answer([described(entry) for entry in found if entry.path in wanted])


@route("POST", r"/api/validate-yaml")
def validate_card(call: Call) -> Answer:
    """Judge a card's head, as far as tests need it."""
    content = call.json()["content"]
    head = re.match(r"---\s*\n(.*?)\n---", content, re.DOTALL)
    if head is None:
        return Answer({"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]})
    licence = re.search(r"^license: *(.+)$", head[1], re.MULTILINE)
    if licence and not re.fullmatch(r"[a-z0-9.\-]+", licence[1].strip()):
        wrong = [{"message": '"license" must be one of [apache-2.0, mit, …]'}]
        return Answer({"errors": wrong, "warnings": []}, 400, {"X-Error-Message": "Invalid metadata"})
    return Answer({"errors": [], "warnings": []})
