"""How a repository is set up: read alone, and some of it only by whoever administers the repository.

``Repository.settings`` holds ``workflow_permissions``, ``variables`` and ``organization_variables`` (by name),
``branches`` (by name, what protection of the old kind each has, or None), ``environments`` (by name: ``reviewers``,
``prevent_self_review``, ``policy``) and ``rulesets`` (as GitHub has them).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from fakes.github import shapes
from fakes.github.calls import Answer, Call, Refusal, handles
from fakes.github.contract import skeleton
from fakes.github.state import Stored


def _needs(call: Call, permission: str) -> Stored:
    """Return the settings, for who may read them."""
    settings = call.repository.settings
    if permission not in call.user.permissions:
        raise Refusal(403, "Resource not accessible by integration")
    return settings


@handles("GET R/actions/permissions/workflow")
def workflow_permissions(call: Call) -> Answer:
    """Return what a job's token may do where its workflow says nothing."""
    level = _needs(call, "administration").get("workflow_permissions", "write")
    return Answer(200, {"default_workflow_permissions": level, "can_approve_pull_request_reviews": False})


@handles("GET R/actions/variables", "GET R/actions/organization-variables")
def variables(call: Call) -> Answer:
    """Return variables, the repository's or those that its organisation gives it."""
    kind = "organization_variables" if "organization" in call.path else "variables"
    stored = _needs(call, "variables").get(kind, {})
    common = {"created_at": call.world.now(), "updated_at": call.world.now()}
    made = [{"name": name, "value": value, **common} for name, value in stored.items()]
    return call.paged(made, lambda page: {"total_count": len(made), "variables": page})


@handles("GET R/branches/{branch}")
def branch(call: Call) -> Answer:
    """Return a branch; whether it is protected everybody may know."""
    protection = _branch(call)
    enabled = protection is not None
    checks = (protection or {}).get("required_status_checks")
    short = {"enforcement_level": "non_admins", "contexts": checks["contexts"], "checks": []} if checks else None
    told = {"enabled": enabled, **({"required_status_checks": short} if short else {})}
    links = {"html": f"{call.base}/{call.repository.full_name}", "self": call.base}
    commit = {**skeleton("commit"), "author": {}, "committer": {}}
    made = {**skeleton("branch-with-protection"), "name": call.values["branch"], "commit": commit, "_links": links}
    return Answer(200, {**made, "protected": enabled or bool(_rules(call)), "protection": told})


@handles("GET R/branches/{branch}/protection")
def branch_protection(call: Call) -> Answer:
    """Return all of a branch's protection of the old kind."""
    _needs(call, "administration")
    protection = _branch(call)
    if protection is None:
        raise Refusal(404, "Branch not protected")
    return Answer(200, {"url": call.base + call.path, **protection})


def _branch(call: Call) -> Stored | None:
    branches = {call.repository.default_branch: None, **call.repository.settings.get("branches", {})}
    if call.values["branch"] not in branches:
        raise Refusal(404, "Branch not found")
    found: Stored | None = branches[call.values["branch"]]
    return found


@handles("GET R/rules/branches/{branch}")
def branch_rules(call: Call) -> Answer:
    """Return the rules in force for a branch, whether it is there or not."""
    return call.paged(_rules(call))


def _rules(call: Call) -> list[Stored]:
    name = call.repository.full_name
    found = []
    for one in call.repository.settings.get("rulesets", []):
        if one["target"] == "branch" and one["enforcement"] == "active" and _is_about(call, one):
            source = {"ruleset_id": one["id"], "ruleset_source": name, "ruleset_source_type": "Repository"}
            found += [{**rule, **source} for rule in one["rules"]]
    return found


def _is_about(call: Call, ruleset: Stored) -> bool:
    ref = f"refs/heads/{call.values['branch']}"
    named = {"~ALL": "*", "~DEFAULT_BRANCH": f"refs/heads/{call.repository.default_branch}"}
    names = ruleset["conditions"]["ref_name"]
    included, excluded = (
        any(fnmatchcase(ref, named.get(one, one)) for one in names[side]) for side in ("include", "exclude")
    )
    return included and not excluded


@handles("GET R/rulesets")
def rulesets(call: Call) -> Answer:
    """Return rulesets, without their rules."""
    targets = call.query.get("targets", "branch,tag,push").split(",")
    stored = [one for one in call.repository.settings.get("rulesets", []) if one["target"] in targets]
    return call.paged([_ruleset(call, one, whole=False) for one in stored])


@handles("GET R/rulesets/{ruleset_id}")
def ruleset(call: Call) -> Answer:
    """Return a ruleset; who may bypass it only administrators are told."""
    for one in call.repository.settings.get("rulesets", []):
        if str(one["id"]) == call.values["ruleset_id"]:
            return Answer(200, _ruleset(call, one, whole=True))
    raise Refusal(404, "Not Found")


def _ruleset(call: Call, stored: Stored, *, whole: bool) -> Stored:
    kept = {key: value for key, value in stored.items() if whole or key not in {"rules", "conditions"}}
    return {**kept, "source": call.repository.full_name, "source_type": "Repository"}


@handles("GET R/environments")
def environments(call: Call) -> Answer:
    """Return environments with what protects them."""
    made = [_environment(call, name, one) for name, one in call.repository.settings.get("environments", {}).items()]
    return call.paged(made, lambda page: {"total_count": len(made), "environments": page})


def _environment(call: Call, name: str, stored: Stored) -> Stored:
    rules: list[dict[str, Any]] = []
    if stored.get("reviewers"):
        people = [{"type": "User", "reviewer": shapes.user(call, login)} for login in stored["reviewers"]]
        own = {"prevent_self_review": stored.get("prevent_self_review", False), "reviewers": people}
        rules.append({"id": 1, "node_id": "GA_1", "type": "required_reviewers", **own})
    policy = {"protected_branches": False, "custom_branch_policies": True} if stored.get("policy") else None
    if policy is not None:
        rules.append({"id": 2, "node_id": "GA_2", "type": "branch_policy"})
    made = {**skeleton("environment"), "name": name, "created_at": call.world.now(), "updated_at": call.world.now()}
    return {**made, "protection_rules": rules, "deployment_branch_policy": policy}
