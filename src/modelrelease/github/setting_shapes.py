"""GitHub's answers about a repository's settings, as far as they are looked at."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter


class Part(BaseModel):
    """A piece of an answer; what else it holds is not looked at."""

    model_config = ConfigDict(extra="ignore")


class Repository(Part):
    """A repository."""

    default_branch: str
    private: bool


class Permissions(Part):
    """What a job's token may do."""

    default_workflow_permissions: str


class Checks(Part):
    """Checks that a merge waits for."""

    contexts: list[str] = []
    strict: bool = False


class Flag(Part):
    """A setting that is on or off."""

    enabled: bool = False


class Protection(Part):
    """Protection of the old kind, in full or in the short form that a branch has."""

    enabled: bool = False
    required_status_checks: Checks | None = None
    required_pull_request_reviews: dict[str, Any] | None = None
    restrictions: dict[str, Any] | None = None
    required_signatures: Flag = Flag()
    lock_branch: Flag = Flag()
    allow_force_pushes: Flag = Flag()
    allow_deletions: Flag = Flag()


class Branch(Part):
    """A branch."""

    protected: bool
    protection: Protection = Protection()


class Required(Part):
    """One required check."""

    context: str


class Parameters(Part):
    """What a rule asks, as far as it is about checks."""

    required_status_checks: list[Required] = []
    strict_required_status_checks_policy: bool = False


class Rule(Part):
    """A rule."""

    type: str
    parameters: Parameters = Parameters()


class Protected(Part):
    """One rule of an environment."""

    type: str = ""
    prevent_self_review: bool = False
    reviewers: list[Any] = []


class Environment(Part):
    """An environment."""

    name: str
    protection_rules: list[Protected] = []
    deployment_branch_policy: dict[str, Any] | None = None


class Environments(Part):
    """A page of environments."""

    environments: list[Environment] = []


class Names(Part):
    """Patterns of refs."""

    include: list[str] = []
    exclude: list[str] = []


class Conditions(Part):
    """What a ruleset is about."""

    ref_name: Names = Names()


class Ruleset(Part):
    """A ruleset; in a list without its rules."""

    id: int
    name: str
    target: str | None = None
    enforcement: str
    conditions: Conditions | None = None
    rules: list[Rule] = []


class Variable(Part):
    """A variable."""

    name: str
    value: str


class Variables(Part):
    """A page of variables."""

    variables: list[Variable] = []


class Release(Part):
    """A release."""

    tag_name: str
    draft: bool = False


RULES, RULESETS, RELEASES = TypeAdapter(list[Rule]), TypeAdapter(list[Ruleset]), TypeAdapter(list[Release])
