"""What of the kit a repository's settings on GitHub bear out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from modelrelease.doctor.section import Section
from modelrelease.numbers import show_few
from modelrelease.records.diagnosis import Check
from modelrelease.records.repository_settings import BranchRules, Environment, RepositorySettings, Ruleset, Unseen

_HERE = Section("GitHub")
GATE = "gate"
RUNNER, RELEASE_RUNNER = "MODELRELEASE_RUNNER", "MODELRELEASE_RELEASE_RUNNER"
_RULES = "Settings, Rules, Rulesets"
# Source: https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments
_PRIVATE_ONES = "private repositories have on GitHub Pro, Team and Enterprise alone"
_PRIVATE_REVIEWERS = "private repositories have on GitHub Enterprise alone"
_KEPT = {"deletion": "deletion", "non_fast_forward": "force pushes"}
# Rules that keep a job from pushing a new commit; who may bypass them only administrators see.
_CLOSED = frozenset(
    {"update", "pull_request", "required_status_checks", "required_signatures", "required_deployments", "merge_queue",
     "workflows", "code_scanning"}
)  # fmt: skip
# Names as they are and as they may become: a rule for one of them is no rule for all.
_PROBES = ("model_v1.0", "model_v10.20.30")


@dataclass(frozen=True)
class Wanted:
    """What the settings are held against. ``prefix`` stands before a version in its tag, ``ledger`` is its branch."""

    approval: Literal["none", "any", "other"]
    prefix: str
    ledger: str


def check_settings(found: RepositorySettings | Unseen, wanted: Wanted) -> Iterator[Check]:
    """Yield how a repository is set up on GitHub."""
    if isinstance(found, Unseen):
        yield _HERE.unseen("repository", found)
        return
    yield _token(found.token_permissions)
    yield from _gate(found.default, found.default_branch)
    for name in ("production", "rollback"):
        yield _environment(name, found, wanted)
    yield from _plan_environment(found.environments)
    yield _tags(found.tag_rules, wanted.prefix)
    yield _ledger(found.ledger, wanted.ledger)
    yield _runners(found.variables)


def _token(permissions: str | Unseen) -> Check:
    name = "default permissions"
    if isinstance(permissions, Unseen):
        return _HERE.unseen(name, permissions)
    if permissions == "read":
        return _HERE.ok(name, "a job's token may only read unless its workflow says otherwise")
    step = 'choose "Read repository contents" under Settings, Actions, General, Workflow permissions'
    return _HERE.todo(name, "a job's token may write wherever a workflow says nothing", step)


def _gate(rules: BranchRules | Unseen, branch: str) -> Iterator[Check]:
    name = f"required check on {branch}"
    if isinstance(rules, Unseen):
        yield _HERE.unseen(name, rules)
        return
    if GATE not in rules.required:
        others = f"; required are {show_few(sorted(rules.required), 4)}" if rules.required else ""
        step = f'add a ruleset for it ({_RULES}) with "Require status checks to pass", check `{GATE}`'
        yield _HERE.todo(name, f"`{GATE}` is not required, so a blocked version can be merged{others}", step)
        return
    yield _HERE.ok(name, f"a merge waits for `{GATE}`")
    if isinstance(rules.up_to_date, Unseen):
        yield _HERE.unseen(f"{name}: up to date", rules.up_to_date)
    elif rules.up_to_date:
        yield _HERE.ok(f"{name}: up to date", "branches are compared with what is live now")
    else:
        step = 'choose "Require branches to be up to date before merging" beside it, or use a merge queue'
        yield _HERE.todo(f"{name}: up to date", "an old branch is judged by the policy of then", step)


def _environment(name: str, found: RepositorySettings, wanted: Wanted) -> Check:
    title, environments = f"environment {name}", found.environments
    if isinstance(environments, Unseen):
        return _HERE.unseen(title, environments)
    environment = environments.get(name)
    place = f"Settings, Environments, {name}"
    if environment is None:
        step = f"add it ({place})" + (f", which {_PRIVATE_ONES}" if found.private else "")
        return _HERE.todo(title, "does not exist, and a job would make one that protects nothing", step)
    if environment.reviewers:
        return _others(title, place, environment, wanted, is_release=name == "production")
    step = f"choose required reviewers ({place})"
    if not found.private:
        return _HERE.todo(title, "nobody has to approve", step)
    if wanted.approval == "none":
        return _HERE.ok(title, f"nobody has to approve, as `release.approval` says; reviewers {_PRIVATE_REVIEWERS}")
    step += f", which {_PRIVATE_REVIEWERS}, or set `release.approval: none`"
    return _HERE.todo(title, f"nobody has to approve, and `release.approval` is `{wanted.approval}`", step)


def _plan_environment(environments: Mapping[str, Environment] | Unseen) -> Iterator[Check]:
    """A rollback's plan is shown before anybody approves; its environment may hold a token that reads the Hub.

    The first run makes it, for every branch; before that there is nothing to say.
    """
    name = "rollback-plan"
    environment = None if isinstance(environments, Unseen) else environments.get(name)
    if environment is None:
        return
    title, place = f"environment {name}", f"Settings, Environments, {name}"
    if environment.reviewers:
        says = "somebody has to approve before it is shown what a rollback changes"
        yield _HERE.todo(title, says, f"take its required reviewers away ({place}): `rollback` may have some")
    elif environment.any_branch:
        says = "every branch's own copy of a workflow may run in it, and read its secrets"
        yield _HERE.todo(title, says, f'choose "Selected branches and tags" ({place}): the default branch')
    else:
        yield _HERE.ok(title, "nobody has to approve, and selected branches alone run in it")


def _others(title: str, place: str, environment: Environment, wanted: Wanted, *, is_release: bool) -> Check:
    if is_release and wanted.approval == "other" and not environment.others:
        says = "whoever begins a release may approve it, and `release.approval` is `other`"
        return _HERE.todo(title, says, f'choose "Prevent self-review" ({place})')
    if environment.any_branch:
        says = "every branch's own copy of a workflow may run in it"
        return _HERE.todo(
            title, says, f'choose "Selected branches and tags" ({place}): the default branch, and tags `model_v*`'
        )
    return _HERE.ok(title, "somebody has to approve" + (", and not who began it" if environment.others else ""))


def _tags(rulesets: tuple[Ruleset, ...] | Unseen, prefix: str) -> Check:
    name = f"tags {prefix}model_v*"
    if isinstance(rulesets, Unseen):
        return _HERE.unseen(name, rulesets)
    kinds = [
        frozenset().union(*(one.kinds for one in rulesets if covers(one, f"refs/tags/{prefix}{probe}")))
        for probe in _PROBES
    ]
    open_to = [
        words for kind, words in (("update", "moved"), ("deletion", "deleted")) if any(kind not in one for one in kinds)
    ]
    if not open_to:
        return _HERE.ok(name, "can be neither moved nor deleted")
    step = f"add a tag ruleset ({_RULES}) for `{prefix}model_v*` that restricts updates and deletions"
    return _HERE.todo(name, f"can be {' and '.join(open_to)} by whoever may push", step)


def _ledger(rules: BranchRules | Unseen, branch: str) -> Check:
    name = f"branch {branch}"
    if isinstance(rules, Unseen):
        return _HERE.unseen(name, rules)
    if isinstance(rules.classic, Unseen):
        return _HERE.unseen(name, rules.classic)
    kept = {*rules.kinds}
    if rules.classic is not None:
        kept |= {"deletion"} if not rules.classic.deletions else set()
        kept |= {"non_fast_forward"} if not rules.classic.force_pushes else set()
    lacking = [words for kind, words in _KEPT.items() if kind not in kept]
    if lacking:
        step = f'add a ruleset ({_RULES}) for `{branch}` with "Restrict deletions" and "Block force pushes"'
        return _HERE.todo(name, f"does not refuse {' and '.join(lacking)}", step)
    if rules.classic is not None and rules.classic.blocks:
        says = f"refuses the releasing job's own commits: {show_few(list(rules.classic.blocks), 4)}"
        return _HERE.todo(name, says, "take that out: jobs push to it, and only new commits pass")
    closed = sorted(rules.kinds & (_CLOSED if rules.exists else _CLOSED | {"creation"}))
    if closed:
        why = f"refuses jobs' commits unless they may bypass the rules: {show_few(closed, 4)}"
        return _HERE.unseen(
            name, Unseen(why, "see that GitHub Actions is in the ruleset's bypass list, or take them out")
        )
    return _HERE.ok(
        name, "only grows: no deletion, no force pushes" + ("" if rules.exists else "; it comes with the first release")
    )


def _runners(variables: Mapping[str, str] | Unseen) -> Check:
    name = "runners"
    if isinstance(variables, Unseen):
        return _HERE.unseen(name, variables)
    labels = {key: variables.get(key, "") for key in (RUNNER, RELEASE_RUNNER)}
    if missing := [key for key, label in labels.items() if not label]:
        step = "; ".join(f"`gh variable set {key} --body LABEL`" for key in missing)
        return _HERE.todo(name, f"not set: {' and '.join(missing)}", f"run {step}")
    if labels[RUNNER] == labels[RELEASE_RUNNER]:
        says = f"releases run on `{labels[RUNNER]}`, where pull requests can leave things"
        return _HERE.todo(
            name, says, f"give releases a runner of their own: `gh variable set {RELEASE_RUNNER} --body LABEL`"
        )
    return _HERE.ok(name, f"pull requests on `{labels[RUNNER]}`, releases on `{labels[RELEASE_RUNNER]}`")


def covers(ruleset: Ruleset, ref: str) -> bool:
    """Say whether a ruleset is about ``ref``, a full name.

    Source: https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/
    creating-rulesets-for-a-repository, fnmatch with `*` inside of one part and `**` across them.
    """
    matches = [
        any(one == "~ALL" or _regex(one).fullmatch(ref) for one in side) for side in (ruleset.include, ruleset.exclude)
    ]
    return matches[0] and not matches[1]


def _regex(pattern: str) -> re.Pattern[str]:
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    made = {"**/": "(?:[^/]+/)*", "**": "[^/]*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(made.get(token, re.escape(token)) for token in tokens))
