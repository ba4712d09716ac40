"""What hangs on commits: checks, statuses, refs, files, deployments, approvals."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from fakes.github import shapes
from fakes.github.calls import Answer, Call, Refusal, handles
from fakes.github.contract import skeleton
from fakes.github.state import Stored

_FINISHED = "completed"


@handles("POST R/check-runs")
def create_check(call: Call) -> Answer:
    """Begin a check, or report one as finished."""
    fresh: Stored = {"id": call.world.next_id(), "status": "queued", "conclusion": None, "external_id": ""}
    call.repository.checks[str(fresh["id"])] = {**fresh, **_check_fields(call)}
    return Answer(201, shapes.check(call, call.repository.checks[str(fresh["id"])]))


@handles("GET R/check-runs/{check_run_id}", "PATCH R/check-runs/{check_run_id}")
def check(call: Call) -> Answer:
    """Return a check, after it was changed where something is given."""
    found = call.found(call.repository.checks, "check_run_id")
    found.update(_check_fields(call))
    return Answer(200, shapes.check(call, found))


def _check_fields(call: Call) -> Stored:
    given = {key: value for key, value in (call.body or {}).items() if key != "actions"}
    if given.get("conclusion") is not None:
        given["status"] = _FINISHED
        given.setdefault("completed_at", call.world.now())
    return given


@handles("GET R/commits/{ref}/check-runs")
def list_checks(call: Call) -> Answer:
    """Return the checks of a commit."""
    sha, name = _commit(call, call.values["ref"]), call.query.get("check_name")
    found = [one for one in call.repository.checks.values() if one["head_sha"] == sha and name in {None, one["name"]}]
    return call.paged(
        [shapes.check(call, one) for one in found], lambda page: {"total_count": len(found), "check_runs": page}
    )


@handles("POST R/statuses/{sha}")
def create_status(call: Call) -> Answer:
    """Set a status; the newest of a context counts."""
    plain = {"context": "default", "description": None, "target_url": None, **call.body}
    status = {**plain, "id": call.world.next_id(), "sha": call.values["sha"], "author": call.user.login}
    call.repository.statuses.append(status)
    return Answer(201, shapes.status(call, status))


@handles("GET R/commits/{ref}/status")
def combined_status(call: Call) -> Answer:
    """Return the newest status of each context, and what they come to."""
    sha = _commit(call, call.values["ref"])
    newest = {one["context"]: one for one in call.repository.statuses if one["sha"] == sha}
    states = {one["state"] for one in newest.values()}
    bad, waiting = states & {"failure", "error"}, "pending" in states or not states
    home = f"{call.base}/repos/{call.repository.full_name}/commits/{sha}"

    def wrap(page: list[Any]) -> Stored:
        return {
            "state": "failure" if bad else "pending" if waiting else "success",
            "sha": sha,
            "total_count": len(newest),
            "statuses": page,
            "repository": shapes.repository(call, call.repository, "minimal-repository"),
            "commit_url": home,
            "url": f"{home}/status",
        }

    return call.paged([shapes.status(call, one, "simple-commit-status") for one in newest.values()], wrap)


def _commit(call: Call, ref: str) -> str:
    refs = call.repository.refs
    return (
        refs.get(ref) or refs.get(f"refs/{ref}") or refs.get(f"refs/heads/{ref}") or refs.get(f"refs/tags/{ref}", ref)
    )


@handles("GET R/git/ref/{ref}")
def get_ref(call: Call) -> Answer:
    """Return a ref by its whole name."""
    name = f"refs/{call.values['ref']}"
    if name not in call.repository.refs:
        raise Refusal(404, "Not Found")
    return Answer(200, shapes.ref(call, name, call.repository.refs[name]))


@handles("GET R/git/tags/{tag_sha}")
def get_tag(call: Call) -> Answer:
    """Return a tag object: what an annotated tag's ref names."""
    return Answer(200, shapes.tag(call, call.values["tag_sha"], call.found(call.repository.tags, "tag_sha")))


@handles("GET R/commits/{ref}")
def get_commit(call: Call) -> Answer:
    """Return a commit and who made it."""
    sha = _commit(call, call.values["ref"])
    if sha not in call.repository.commits:
        raise Refusal(422, f"No commit found for SHA: {call.values['ref']}")
    return Answer(200, shapes.commit(call, sha, call.repository.commits[sha]))


@handles("POST R/git/refs")
def create_ref(call: Call) -> Answer:
    """Make a ref; one that is there stays what it is."""
    name = call.body["ref"]
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Refusal(422, "Reference name must start with 'refs/' and have at least two slashes.")
    if name in call.repository.refs:
        raise Refusal(422, "Reference already exists")
    call.repository.refs[name] = call.body["sha"]
    return Answer(201, shapes.ref(call, name, call.body["sha"]))


@handles("PATCH R/git/refs/{ref}", "DELETE R/git/refs/{ref}")
def change_ref(call: Call) -> Answer:
    """Move or remove a ref."""
    name, refs = f"refs/{call.values['ref']}", call.repository.refs
    if name not in refs:
        raise Refusal(422, "Reference does not exist")
    if call.method == "DELETE":
        del refs[name]
        return Answer(204)
    refs[name] = call.body["sha"]
    return Answer(200, shapes.ref(call, name, refs[name]))


@handles("GET R/contents/{path}")
def get_file(call: Call) -> Answer:
    """Return a file of a branch."""
    branch = call.query.get("ref", call.repository.default_branch)
    content = call.repository.contents.get(branch, {}).get(call.values["path"])
    if content is None:
        raise Refusal(404, "Not Found")
    return Answer(200, _file(call, branch, content))


@handles("PUT R/contents/{path}", "DELETE R/contents/{path}")
def change_file(call: Call) -> Answer:
    """Write or remove a file; what is there is only replaced by somebody who has seen it (``sha``)."""
    branch = call.body.get("branch", call.repository.default_branch)
    tree, path = call.repository.contents.setdefault(branch, {}), call.values["path"]
    before = tree.get(path)
    if before is None and call.method == "DELETE":
        raise Refusal(404, "Not Found")
    if before is not None and call.body.get("sha") is None:
        raise Refusal(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if before is not None and call.body["sha"] != _blob(before):
        raise Refusal(409, f"{path} does not match {call.body['sha']}")
    if call.method == "DELETE":
        del tree[path]
    else:
        tree[path] = _decoded(call.body["content"])
    sha = hashlib.sha1(f"{call.world.next_id()}".encode()).hexdigest()
    call.repository.refs[f"refs/heads/{branch}"] = sha
    content = _file(call, branch, tree[path]) if path in tree else None
    answer = {"content": content, "commit": {"sha": sha, "message": call.body["message"]}}
    return Answer(201 if before is None else 200, answer)


def _decoded(content: str) -> str:
    try:
        return base64.b64decode(content, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(422, "content is not valid Base64") from None


def _file(call: Call, branch: str, content: str) -> Stored:
    path, data = call.values["path"], content.encode()
    url = f"{call.base}{call.path}?ref={branch}"
    return {
        **skeleton("content-file"),
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": _blob(content),
        "size": len(data),
        "type": "file",
        "encoding": "base64",
        "content": base64.encodebytes(data).decode("ascii"),
        "url": url,
        "git_url": url,
        "html_url": url,
        "download_url": url,
        "_links": {"self": url, "git": url, "html": url},
    }


def _blob(content: str) -> str:
    data = content.encode()
    return hashlib.sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()


@handles("GET R/deployments")
def list_deployments(call: Call) -> Answer:
    """Return deployments, newest first."""
    asked = {key: call.query[key] for key in ("sha", "ref", "task", "environment") if key in call.query}
    found = [one for one in call.repository.deployments.values() if asked.items() <= one.items()]
    return call.paged([shapes.deployment(call, one) for one in reversed(found)])


@handles("POST R/deployments")
def create_deployment(call: Call) -> Answer:
    """Make a deployment."""
    plain = {"task": "deploy", "environment": "production", "description": None, "payload": {}, **call.body}
    sha = _commit(call, call.body["ref"])
    deployment = {**plain, "id": call.world.next_id(), "sha": sha, "author": call.user.login}
    call.repository.deployments[str(deployment["id"])] = deployment
    return Answer(201, shapes.deployment(call, deployment))


@handles("GET R/deployments/{deployment_id}/statuses", "POST R/deployments/{deployment_id}/statuses")
def deployment_statuses(call: Call) -> Answer:
    """Return a deployment's states, newest first, or add one."""
    owner = call.found(call.repository.deployments, "deployment_id")["id"]
    if call.method == "POST":
        plain = {"description": "", "target_url": "", **call.body}
        status = {**plain, "id": call.world.next_id(), "deployment": owner, "author": call.user.login}
        call.repository.deployment_statuses.append(status)
        return Answer(201, shapes.deployment_status(call, status))
    found = [one for one in call.repository.deployment_statuses if one["deployment"] == owner]
    return call.paged([shapes.deployment_status(call, one) for one in reversed(found)])


@handles("GET R/actions/runs/{run_id}/approvals")
def approvals(call: Call) -> Answer:
    """Return who let a run into which environments."""
    given = call.repository.approvals.get(call.values["run_id"], [])
    return Answer(200, [shapes.review(call, one) for one in given])
