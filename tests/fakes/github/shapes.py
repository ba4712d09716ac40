"""What is stored, as GitHub's JSON: the smallest object that its description allows, and our values in it."""

from __future__ import annotations

from typing import Any

from fakes.github.calls import Call
from fakes.github.contract import skeleton
from fakes.github.state import Repository, Stored


def user(call: Call, login: str, schema: str = "simple-user") -> Stored:
    """Return a user, as others see it or (``private-user``) as it sees itself."""
    known = call.world.user_named(login)
    links = {"url": f"{call.base}/users/{login}", "html_url": f"{call.base}/{login}"}
    return {**skeleton(schema), **links, "login": known.login, "id": known.id, "type": known.type}


def repository(call: Call, stored: Repository, schema: str) -> Stored:
    """Return a repository."""
    name = stored.full_name
    return {
        **skeleton(schema),
        "id": sum(name.encode()),
        "name": name.partition("/")[2],
        "full_name": name,
        "owner": user(call, stored.owner),
        "private": stored.private,
        "default_branch": stored.default_branch,
        "url": f"{call.base}/repos/{name}",
        "html_url": f"{call.base}/{name}",
        "clone_url": f"{call.base}/{name}.git",
    }


def comment(call: Call, stored: Stored) -> Stored:
    """Return a comment under an issue or a pull request."""
    home = f"{call.base}/repos/{call.repository.full_name}"
    page = f"{call.base}/{call.repository.full_name}/issues/{stored['issue']}"
    return {
        **skeleton("issue-comment"),
        "id": stored["id"],
        "node_id": f"IC_{stored['id']}",
        "url": f"{home}/issues/comments/{stored['id']}",
        "html_url": f"{page}#issuecomment-{stored['id']}",
        "issue_url": f"{home}/issues/{stored['issue']}",
        "user": user(call, stored["author"]),
        "body": stored["body"],
        "created_at": stored["created"],
        "updated_at": stored["updated"],
        "author_association": "NONE",
    }


def label(call: Call, name: str) -> Stored:
    """Return a label."""
    url = f"{call.base}/repos/{call.repository.full_name}/labels/{name}"
    return {**skeleton("label"), "id": sum(name.encode()), "name": name, "color": "ededed", "url": url}


def _common(call: Call, stored: Stored, kind: str, page: str) -> Stored:
    number, name = stored["number"], call.repository.full_name
    return {
        "id": 5_000_000 + number,
        "number": number,
        "title": stored["title"],
        "state": stored["state"],
        "body": stored["body"],
        "user": user(call, stored["author"]),
        "labels": [label(call, text) for text in stored["labels"]],
        "url": f"{call.base}/repos/{name}/{kind}/{number}",
        "html_url": f"{call.base}/{name}/{page}/{number}",
        "comments_url": f"{call.base}/repos/{name}/issues/{number}/comments",
    }


def issue(call: Call, stored: Stored) -> Stored:
    """Return an issue; GitHub's list of issues holds pull requests too, and says so in ``pull_request``."""
    made = {**skeleton("issue"), **_common(call, stored, "issues", "issues")}
    made["state_reason"] = stored.get("state_reason")
    if str(stored["number"]) in call.repository.pulls:
        url = f"{call.base}/repos/{call.repository.full_name}/pulls/{stored['number']}"
        made["pull_request"] = {"url": url, "html_url": url, "diff_url": url, "patch_url": url}
    return made


def pull(call: Call, number: str, schema: str) -> Stored:
    """Return a pull request, whole or as lists have it."""
    stored = call.repository.pulls[number]
    made = {**skeleton(schema), **_common(call, call.repository.issues[number], "pulls", "pull")}
    made["head"] = _side(call, stored["head_repository"], stored["head_ref"], stored["head_sha"])
    made["base"] = _side(call, call.repository.full_name, stored["base_ref"], stored["base_sha"])
    if "changed_files" in made:
        made["changed_files"] = len(stored["files"])
    return {**made, "issue_url": f"{call.base}/repos/{call.repository.full_name}/issues/{number}"}


def _side(call: Call, name: str | None, ref: str, sha: str) -> Stored:
    owner = (name or "ghost/gone").partition("/")[0]
    known = call.world.repositories.get(name or "") or Repository(name or "ghost/gone")
    made = repository(call, known, "repository") if name is not None else None
    return {"label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": user(call, owner), "repo": made}


def file(call: Call, stored: Stored) -> Stored:
    """Return a changed file of a pull request."""
    return {**skeleton("diff-entry"), "sha": "f" * 40, **stored}


def check(call: Call, stored: Stored) -> Stored:
    """Return a check run."""
    url = f"{call.base}/repos/{call.repository.full_name}/check-runs/{stored['id']}"
    made: dict[str, Any] = {**skeleton("check-run"), **stored, "url": url, "html_url": url, "app": None}
    output = {"title": None, "summary": None, "text": None, **stored.get("output", {})}
    annotations = output.pop("annotations", [])
    made["output"] = {**output, "annotations_count": len(annotations), "annotations_url": url}
    made["check_suite"] = {"id": stored["id"]}
    return made


def status(call: Call, stored: Stored, schema: str = "status") -> Stored:
    """Return a commit status."""
    known = skeleton(schema)
    made = {**known, "id": stored["id"], "state": stored["state"], "context": stored["context"]}
    made |= {"description": stored["description"], "target_url": stored["target_url"]}
    return {**made, "creator": user(call, stored["author"])} if "creator" in known else made


def asset(call: Call, stored: Stored) -> Stored:
    """Return a release's file."""
    home = f"{call.base}/repos/{call.repository.full_name}/releases/assets/{stored['id']}"
    made = {**skeleton("release-asset"), **{key: stored[key] for key in ("id", "name", "label", "content_type")}}
    digest = f"sha256:{stored['sha256']}" if stored["sha256"] is not None else None
    made |= {key: stored[key] for key in ("state", "size")}
    made |= {"uploader": user(call, stored["author"]), "digest": digest, "url": home, "browser_download_url": home}
    return made


def release(call: Call, stored: Stored) -> Stored:
    """Return a release with its files; only its page for people says that a draft has no tag yet."""
    page = f"untagged-{stored['id']}" if stored["draft"] else stored["tag_name"]
    home = f"{call.base}/repos/{call.repository.full_name}/releases/{stored['id']}"
    assets = [one for one in call.repository.assets.values() if one["release"] == stored["id"]]
    return {
        **skeleton("release"),
        **{key: stored[key] for key in ("id", "tag_name", "target_commitish", "name", "body", "draft", "prerelease")},
        "author": user(call, stored["author"]),
        "assets": [asset(call, one) for one in assets],
        "url": home,
        "assets_url": f"{home}/assets",
        "upload_url": f"{home}/assets{{?name,label}}",
        "html_url": f"{call.base}/{call.repository.full_name}/releases/tag/{page}",
        "created_at": stored["created"],
        "published_at": None if stored["draft"] else stored["created"],
    }


def ref(call: Call, name: str, sha: str) -> Stored:
    """Return a ref; ``name`` begins with ``refs/``."""
    home = f"{call.base}/repos/{call.repository.full_name}/git"
    kind = "tag" if sha in call.repository.tags else "commit"
    target = {"type": kind, "sha": sha, "url": f"{home}/{kind}s/{sha}"}
    return {"ref": name, "node_id": f"REF_{name}", "url": f"{home}/{name}", "object": target}


def tag(call: Call, sha: str, stored: Stored) -> Stored:
    """Return a tag object."""
    home = f"{call.base}/repos/{call.repository.full_name}/git"
    target = {"type": stored["type"], "sha": stored["sha"], "url": f"{home}/{stored['type']}s/{stored['sha']}"}
    return {**skeleton("git-tag"), "sha": sha, "url": f"{home}/tags/{sha}", "object": target}


def commit(call: Call, sha: str, stored: Stored) -> Stored:
    """Return a commit; its author and committer are null where their addresses belong to no account."""
    home = f"{call.base}/repos/{call.repository.full_name}"
    made = {**skeleton("commit"), "sha": sha, "url": f"{home}/commits/{sha}", "html_url": f"{home}/commit/{sha}"}
    signed = {
        role: {"name": stored[role] or "Nobody", "email": "x@example.org", "date": "2026-01-02T03:04:05Z"}
        for role in ("author", "committer")
    }
    made["commit"] = {**made["commit"], **signed, "message": stored["message"]}
    return {**made, **{role: user(call, stored[role]) if stored[role] else None for role in signed}}


def review(call: Call, stored: Stored) -> Stored:
    """Return somebody's answer to a run that waited."""
    home = f"{call.base}/repos/{call.repository.full_name}/environments"
    places = [
        {"id": sum(name.encode()), "node_id": "EN_1", "name": name, "url": f"{home}/{name}", "html_url": home}
        for name in stored["environments"]
    ]
    return {**stored, "environments": places, "user": user(call, stored["user"])}


def deployment(call: Call, stored: Stored) -> Stored:
    """Return a deployment."""
    kept = ("id", "ref", "sha", "task", "environment", "description", "payload")
    home = f"{call.base}/repos/{call.repository.full_name}"
    made = {**skeleton("deployment"), **{key: stored[key] for key in kept}, "creator": user(call, stored["author"])}
    url = f"{home}/deployments/{stored['id']}"
    return {**made, "url": url, "statuses_url": f"{url}/statuses", "repository_url": home}


def deployment_status(call: Call, stored: Stored) -> Stored:
    """Return one state of a deployment."""
    made = {**skeleton("deployment-status"), **{key: stored[key] for key in ("id", "state", "description")}}
    home = f"{call.base}/repos/{call.repository.full_name}"
    made |= {"creator": user(call, stored["author"]), "repository_url": home}
    return {**made, "deployment_url": f"{home}/deployments/{stored['deployment']}", "target_url": stored["target_url"]}
