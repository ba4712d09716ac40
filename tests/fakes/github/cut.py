"""Cut openapi.json out of GitHub's own description: ``python cut.py api.github.com.json > openapi.json``.

What a repository's settings are read with is a file of its own: with ``settings`` behind it, openapi-settings.json.

The description is in the npm package @octokit/openapi (``npm pack @octokit/openapi@23.0.2``, MIT).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OPERATIONS = {
    "/user": "get",
    "/users/{username}": "get",
    "/repos/{owner}/{repo}": "get",
    "/repos/{owner}/{repo}/issues": "get post",
    "/repos/{owner}/{repo}/issues/{issue_number}": "get patch",
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": "get post",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": "get patch delete",
    "/repos/{owner}/{repo}/issues/{issue_number}/labels": "get post put delete",
    "/repos/{owner}/{repo}/pulls": "get",
    "/repos/{owner}/{repo}/pulls/{pull_number}": "get patch",
    "/repos/{owner}/{repo}/pulls/{pull_number}/files": "get",
    "/repos/{owner}/{repo}/check-runs": "post",
    "/repos/{owner}/{repo}/check-runs/{check_run_id}": "get patch",
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": "get",
    "/repos/{owner}/{repo}/commits/{ref}": "get",
    "/repos/{owner}/{repo}/statuses/{sha}": "post",
    "/repos/{owner}/{repo}/commits/{ref}/status": "get",
    "/repos/{owner}/{repo}/releases": "get post",
    "/repos/{owner}/{repo}/releases/tags/{tag}": "get",
    "/repos/{owner}/{repo}/releases/{release_id}": "get patch delete",
    "/repos/{owner}/{repo}/releases/{release_id}/assets": "get post",
    "/repos/{owner}/{repo}/releases/assets/{asset_id}": "get delete",
    "/repos/{owner}/{repo}/git/ref/{ref}": "get",
    "/repos/{owner}/{repo}/git/refs": "post",
    "/repos/{owner}/{repo}/git/refs/{ref}": "patch delete",
    "/repos/{owner}/{repo}/git/tags/{tag_sha}": "get",
    "/repos/{owner}/{repo}/contents/{path}": "get put delete",
    "/repos/{owner}/{repo}/deployments": "get post",
    "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses": "get post",
    "/repos/{owner}/{repo}/actions/runs/{run_id}/approvals": "get",
}
SETTINGS = dict.fromkeys(
    (
        "/repos/{owner}/{repo}/actions/organization-variables",
        "/repos/{owner}/{repo}/actions/permissions/workflow",
        "/repos/{owner}/{repo}/actions/variables",
        "/repos/{owner}/{repo}/branches/{branch}",
        "/repos/{owner}/{repo}/branches/{branch}/protection",
        "/repos/{owner}/{repo}/environments",
        "/repos/{owner}/{repo}/rules/branches/{branch}",
        "/repos/{owner}/{repo}/rulesets",
        "/repos/{owner}/{repo}/rulesets/{ruleset_id}",
    ),
    "get",
)
_PROSE = {"description", "summary", "example", "examples", "externalDocs", "tags", "operationId", "title"}
_NAMES = {"properties", "schemas", "responses", "parameters", "headers", "paths", "content"}


def cut(whole: dict[str, Any], operations: dict[str, str] = OPERATIONS) -> dict[str, Any]:
    """Return these operations with what they refer to, and without prose."""
    paths = {
        path: {method: _operation(whole["paths"][path][method]) for method in methods.split()}
        for path, methods in operations.items()
    }
    components: dict[str, dict[str, Any]] = {}
    wanted = list(_references(paths))
    while wanted:
        _, _, kind, name = wanted.pop().split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = _plain(whole["components"][kind][name])
            wanted += _references(components[kind][name])
    info = {key: whole["info"][key] for key in ("title", "version", "license")}
    return {"openapi": whole["openapi"], "info": info, "paths": paths, "components": components}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    good = {status: answer for status, answer in operation["responses"].items() if status.startswith("2")}
    return _plain({**operation, "responses": good})


def _plain(value: Any, names: bool = False) -> Any:
    """Return ``value`` without prose; under ``properties`` and the like keys are names, and all are kept."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if names or not (key in _PROSE or key.startswith("x-"))}
    return {key: _plain(item, not names and key in _NAMES) for key, item in kept.items()}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


if __name__ == "__main__":
    chosen = SETTINGS if sys.argv[2:] == ["settings"] else OPERATIONS
    document = cut(json.loads(Path(sys.argv[1]).read_text("utf-8")), chosen)
    sys.stdout.write(json.dumps(document, indent=1, sort_keys=True) + "\n")
