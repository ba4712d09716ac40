"""How a repository is set up on GitHub, as far as a token may see it: plain values, to be judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Unseen:
    """What stands in a value's place where it could not be read: ``why``, and what would show it (``shown_by``)."""

    why: str
    shown_by: str


@dataclass(frozen=True)
class Classic:
    """A branch's protection of the old kind. ``blocks``: what it asks of whoever pushes, in words."""

    force_pushes: bool
    deletions: bool
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class BranchRules:
    """What holds for a branch. ``kinds``: GitHub's names of the rules in force, from all rulesets.

    ``exists``: False where the branch is not there yet; rules hold for its name all the same. ``required``: the checks
    that a merge waits for; ``up_to_date``: a branch has to be, or a queue makes it so. ``classic``: None without
    protection of the old kind.
    """

    exists: bool
    kinds: frozenset[str]
    required: frozenset[str]
    up_to_date: bool | Unseen
    classic: Classic | Unseen | None


@dataclass(frozen=True)
class Environment:
    """An environment: ``reviewers`` says whether somebody has to approve, ``others`` that it is not who began the run.

    ``any_branch``: jobs of every branch and tag may run in it.
    """

    reviewers: bool
    others: bool
    any_branch: bool


@dataclass(frozen=True)
class Ruleset:
    """A ruleset in force: which refs (patterns of full names), and GitHub's names of its rules."""

    name: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    kinds: frozenset[str]


@dataclass(frozen=True)
class RepositorySettings:
    """All of it. ``variables``: of the repository and those that its organisation gives it; ``releases``: their tags.

    ``environments``: by name in lower case, which is how GitHub compares them.
    """

    repository: str
    default_branch: str
    private: bool
    token_permissions: str | Unseen
    default: BranchRules | Unseen
    ledger: BranchRules | Unseen
    environments: Mapping[str, Environment] | Unseen
    tag_rules: tuple[Ruleset, ...] | Unseen
    variables: Mapping[str, str] | Unseen
    releases: frozenset[str] | Unseen
