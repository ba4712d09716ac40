"""A repository's settings, read and never written; what may not be read says which permission would show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from modelrelease.errors import Unavailable
from modelrelease.github import setting_shapes as shapes
from modelrelease.github.client import Api, Forbidden, NotFound
from modelrelease.records.repository_settings import (
    BranchRules,
    Classic,
    Environment,
    RepositorySettings,
    Ruleset,
    Unseen,
)

T = TypeVar("T")
_ADMINISTRATION, _ACTIONS, _CONTENTS = "administration: read", "actions: read", "contents: read"
_METADATA, _VARIABLES = "metadata: read", "variables: read"
_MAX_RULESETS = 100


def read_settings(api: Api, repository: str, ledger: str) -> RepositorySettings | Unseen:
    """Return the settings of ``repository`` (owner/name); ``ledger`` is the branch of its ledger.

    GET requests alone. Never raises Unavailable: what GitHub does not show is :class:`Unseen`, with the permission of
    a fine-grained token that would show it. After a request that had no answer at all, nothing more is asked.
    """
    asking = _Asking(api, f"/repos/{repository}")
    found = asking.get("", shapes.Repository.model_validate, _METADATA)
    if isinstance(found, Unseen):
        return found
    permissions = asking.get("/actions/permissions/workflow", shapes.Permissions.model_validate, _ADMINISTRATION)
    return RepositorySettings(
        repository=repository,
        default_branch=found.default_branch,
        private=found.private,
        token_permissions=_map(permissions, lambda one: one.default_workflow_permissions),
        default=asking.branch(found.default_branch),
        ledger=asking.branch(ledger),
        environments=_map(asking.all("/environments", _environments, _ACTIONS), dict),
        tag_rules=asking.tag_rules(),
        variables=asking.variables(),
        releases=_map(asking.all("/releases", _released, _CONTENTS), frozenset),
    )


def _map(found: T | Unseen, make: Callable[[T], Any]) -> Any:
    return found if isinstance(found, Unseen) else make(found)


def _environments(data: Any) -> list[tuple[str, Environment]]:
    return [(one.name.lower(), _environment(one)) for one in shapes.Environments.model_validate(data).environments]


def _environment(found: shapes.Environment) -> Environment:
    reviews = [rule for rule in found.protection_rules if rule.type == "required_reviewers" and rule.reviewers]
    others = any(rule.prevent_self_review for rule in reviews)
    return Environment(bool(reviews), others, found.deployment_branch_policy is None)


def _released(data: Any) -> list[str]:
    return [one.tag_name for one in shapes.RELEASES.validate_python(data) if not one.draft]


@dataclass
class _Asking:
    """One request after the other. ``down`` is why none is made any more."""

    api: Api
    home: str
    down: Unseen | None = field(default=None)

    def get(self, path: str, read: Callable[[Any], T], needs: str) -> T | Unseen:
        return self._ask(lambda: self.api.get(self.home + path, read, needs=needs), needs)

    def all(self, path: str, read: Callable[[Any], list[T]], needs: str, **query: str) -> list[T] | Unseen:
        return self._ask(lambda: list(self.api.pages(self.home + path, read, needs=needs, query=query)), needs)

    def _ask(self, request: Callable[[], T], needs: str) -> T | Unseen:
        if self.down is not None:
            return self.down
        try:
            return request()
        except (Forbidden, NotFound) as error:
            return Unseen(error.findings[0].message, f"ask with a token that has `{needs}`")
        except Unavailable as error:
            first = error.findings[0]
            self.down = Unseen(first.message, first.todo)
            return self.down

    def branch(self, name: str) -> BranchRules | Unseen:
        """Return what holds for a branch, whether it is there or not."""
        quoted = quote(name, safe="")
        rules = self.all(f"/rules/branches/{quoted}", shapes.RULES.validate_python, _METADATA)
        if isinstance(rules, Unseen):
            return rules
        here = self._unless("Branch not found", f"/branches/{quoted}", shapes.Branch.model_validate, _CONTENTS)
        if isinstance(here, Unseen):
            return here
        full: shapes.Protection | Unseen | None = None
        if here is not None and (here.protected or here.protection.enabled):
            # A branch counts as protected by rules alone, too.
            place = f"/branches/{quoted}/protection"
            full = self._unless("Branch not protected", place, shapes.Protection.model_validate, _ADMINISTRATION)
        return _rules_of(rules, here, full)

    def _unless(self, said: str, path: str, read: Callable[[Any], T], needs: str) -> T | Unseen | None:
        """Return what is there, None where GitHub says of it what it says of a thing that does not exist."""
        found = self.get(path, read, needs)
        return None if isinstance(found, Unseen) and said in found.why else found

    def tag_rules(self) -> tuple[Ruleset, ...] | Unseen:
        """Return the rulesets for tags that are in force, the organisation's among them."""
        listed = self.all(
            "/rulesets", shapes.RULESETS.validate_python, _METADATA, includes_parents="true", targets="tag"
        )
        if isinstance(listed, Unseen):
            return listed
        active = [one for one in listed if one.enforcement == "active" and one.target in {None, "tag"}]
        found = []
        for one in active[:_MAX_RULESETS]:
            whole = self.get(f"/rulesets/{one.id}", shapes.Ruleset.model_validate, _METADATA)
            if isinstance(whole, Unseen):
                return whole
            refs = whole.conditions.ref_name if whole.conditions is not None else shapes.Names()
            kinds = frozenset(rule.type for rule in whole.rules)
            found.append(Ruleset(whole.name, tuple(refs.include), tuple(refs.exclude), kinds))
        return tuple(found)

    def variables(self) -> dict[str, str] | Unseen:
        """Return the variables that workflows see; the repository's own go before the organisation's."""
        own = self.all("/actions/variables", _variables, _VARIABLES)
        if isinstance(own, Unseen):
            return own
        shared = self.all("/actions/organization-variables", _variables, _VARIABLES)
        return {**(dict(shared) if not isinstance(shared, Unseen) else {}), **dict(own)}


def _variables(data: Any) -> list[tuple[str, str]]:
    return [(one.name, one.value) for one in shapes.Variables.model_validate(data).variables]


def _rules_of(
    rules: list[shapes.Rule], here: shapes.Branch | None, full: shapes.Protection | Unseen | None
) -> BranchRules:
    contexts = {one.context for rule in rules for one in rule.parameters.required_status_checks}
    strict = any(one.parameters.strict_required_status_checks_policy or one.type == "merge_queue" for one in rules)
    told = here.protection if here is not None else shapes.Protection()
    checks = [one.required_status_checks for one in (told, full) if isinstance(one, shapes.Protection)]
    up_to_date = strict or any(one.strict for one in checks if one is not None)
    return BranchRules(
        exists=here is not None,
        kinds=frozenset(rule.type for rule in rules),
        required=frozenset(contexts.union(*(one.contexts for one in checks if one is not None))),
        # The short answer about a branch does not have it.
        up_to_date=full if isinstance(full, Unseen) and not up_to_date else up_to_date,
        classic=_classic(full) if isinstance(full, shapes.Protection) else full,
    )


def _classic(found: shapes.Protection) -> Classic:
    asked = {
        "status checks": found.required_status_checks is not None,
        "pull requests": found.required_pull_request_reviews is not None,
        "certain people": found.restrictions is not None,
        "signatures": found.required_signatures.enabled,
        "nobody (it is locked)": found.lock_branch.enabled,
    }
    blocks = tuple(words for words, is_asked in asked.items() if is_asked)
    return Classic(found.allow_force_pushes.enabled, found.allow_deletions.enabled, blocks)
