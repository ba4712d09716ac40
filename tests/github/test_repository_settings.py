"""A repository's settings, read by the real PyGithub from the local GitHub, and what is made of them."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest
from fakes.github import JOB_TOKEN, FakeGitHub, User
from fakes.github.state import EVERYTHING

from modelrelease.doctor.on_github import Wanted, check_settings, covers
from modelrelease.github.client import Client
from modelrelease.github.patience import Patience
from modelrelease.github.settings import read_settings
from modelrelease.records.diagnosis import Check
from modelrelease.records.repository_settings import RepositorySettings, Ruleset, Unseen

ADMIN_TOKEN = "github_pat_canary0123456789"
LEDGER = "modelrelease/ledger"
GATE = {"strict_required_status_checks_policy": True, "required_status_checks": [{"context": "gate"}]}
Settings = dict[str, Any]


def ruleset(number: int, target: str, pattern: str, *kinds: str, **more: Any) -> Settings:
    rules = [{"type": kind} for kind in kinds]
    names = {"include": [pattern], "exclude": []}
    whole = {"id": number, "name": f"rules {number}", "target": target, "enforcement": "active"}
    return {**whole, "conditions": {"ref_name": names}, "rules": rules, **more}


GOOD: Settings = {
    "workflow_permissions": "read",
    "variables": {"MODELRELEASE_RUNNER": "gpu", "MODELRELEASE_RELEASE_RUNNER": "gpu-release"},
    "environments": {
        "Production": {"reviewers": ["grace"], "prevent_self_review": True, "policy": True},
        "rollback": {"reviewers": ["grace"], "policy": True},
        "rollback-plan": {"policy": True},
    },
    "rulesets": [
        ruleset(1, "branch", "~DEFAULT_BRANCH", rules=[{"type": "required_status_checks", "parameters": GATE}]),
        ruleset(2, "branch", "refs/heads/modelrelease/ledger", "deletion", "non_fast_forward"),
        ruleset(3, "tag", "refs/tags/model_v*", "deletion", "update"),
    ],
}


def looked_at(
    github: FakeGitHub, settings: Settings, *, admin: bool = True, approval: str = "other"
) -> dict[str, Check]:
    github.repository().settings = settings
    github.world.users[ADMIN_TOKEN] = User(
        "grace", 2, permissions={**EVERYTHING, "administration": "read", "variables": "read"}
    )
    found = read(github, ADMIN_TOKEN if admin else JOB_TOKEN)
    assert github.writes() == []
    checks = list(check_settings(found, Wanted(approval, "", LEDGER)))  # type: ignore[arg-type]
    assert len({check.name for check in checks}) == len(checks)
    assert all((check.state == "ok") == (check.step is None) for check in checks)
    assert "canary" not in str(checks)
    return {check.name: check for check in checks}


def read(github: FakeGitHub, token: str) -> RepositorySettings | Unseen:
    patience = Patience(lambda _: None, time.time, lambda _: None, left=5)
    return read_settings(Client(github.url, token, patience, pause=0.0), "acme/bot", LEDGER)


def test_all_of_it_is_set_up(github: FakeGitHub) -> None:
    checks = looked_at(github, GOOD)
    assert {check.state for check in checks.values()} == {"ok"}
    assert list(checks) == [
        "default permissions", "required check on main", "required check on main: up to date",
        "environment production", "environment rollback", "environment rollback-plan", "tags model_v*",
        f"branch {LEDGER}", "runners",
    ]  # fmt: skip


def test_of_nothing_each_line_says_what_to_do(github: FakeGitHub) -> None:
    checks = looked_at(github, {})
    assert {name: check.state for name, check in checks.items()} == dict.fromkeys(
        ("default permissions", "required check on main", "environment production", "environment rollback",
         "tags model_v*", f"branch {LEDGER}", "runners"), "to-do",
    )  # fmt: skip


def test_a_job_s_token_sees_what_needs_no_administrator(github: FakeGitHub) -> None:
    checks = looked_at(github, GOOD, admin=False)
    hidden = {name: check for name, check in checks.items() if check.state == "unseen"}
    assert {name: check.step for name, check in hidden.items()} == {
        "default permissions": "ask with a token that has `administration: read`",
        "runners": "ask with a token that has `variables: read`",
    }
    assert all(check.state == "ok" for name, check in checks.items() if name not in hidden)


def at(*keys: str | int, value: Any = None) -> Callable[[Settings], object]:
    """Return an edit that sets what stands at ``keys``; without a value it is taken out."""

    def edit(settings: Settings) -> None:
        place: Any = settings
        for key in keys[:-1]:
            place = place[key]
        if value is None:
            del place[keys[-1]]
        else:
            place[keys[-1]] = value

    return edit


def classic(**protection: Any) -> Callable[[Settings], object]:
    """Return an edit that gives the ledger's branch protection of the old kind instead of rules."""

    def edit(settings: Settings) -> None:
        del settings["rulesets"][1]
        settings["branches"] = {LEDGER: protection}

    return edit


LOOSE = {**GATE, "strict_required_status_checks_policy": False}
CHECKS = {"strict": True, "contexts": ["gate"], "checks": [], "url": "https://x.org", "contexts_url": "https://x.org"}
MAIN, TAGS, BRANCH, RUNNERS = "required check on main", "tags model_v*", f"branch {LEDGER}", "runners"
PRODUCTION, ROLLBACK, PLAN = (f"environment {name}" for name in ("production", "rollback", "rollback-plan"))


@pytest.mark.parametrize(
    ("edit", "name", "state", "words"),
    [
        (at("workflow_permissions", value="write"), "default permissions", "to-do", "Read repository contents"),
        (at("rulesets", 0, "rules", 0, "parameters", value=LOOSE), f"{MAIN}: up to date", "to-do", "be up to date"),
        (at("rulesets", 0, "enforcement", value="evaluate"), MAIN, "to-do", "check `gate`"),
        (at("rulesets", 0, "enforcement", value="disabled"), MAIN, "to-do", "so a blocked version can be merged"),
        (at("environments", "Production"), PRODUCTION, "to-do", "Settings, Environments, production"),
        (at("environments", "Production", "reviewers"), PRODUCTION, "to-do", "choose required reviewers"),
        (at("environments", "Production", "prevent_self_review"), PRODUCTION, "to-do", "Prevent self-review"),
        (at("environments", "Production", "policy"), PRODUCTION, "to-do", "Selected branches and tags"),
        (at("environments", "rollback", "reviewers"), ROLLBACK, "to-do", "nobody has to approve"),
        (at("environments", "rollback-plan", "policy"), PLAN, "to-do", "and read its secrets"),
        (at("environments", "rollback-plan", "reviewers", value=["grace"]), PLAN, "to-do", "take its required"),
        (at("environments", "rollback", "prevent_self_review", value=True), ROLLBACK, "ok", "not who began it"),
        (at("rulesets", 2, "rules", value=[{"type": "deletion"}]), TAGS, "to-do", "can be moved by"),
        (at("rulesets", 2, "rules", value=[{"type": "update"}]), TAGS, "to-do", "can be deleted by"),
        (at("rulesets", 2, "conditions", "ref_name", "include", value=["refs/tags/model_v1*"]), TAGS, "ok", "neither"),
        (at("rulesets", 2, "conditions", "ref_name", "include", value=["refs/tags/model_v1.*"]), TAGS, "to-do", ""),
        (at("rulesets", 2, "conditions", "ref_name", "include", value=["~ALL"]), TAGS, "ok", "neither moved nor"),
        (at("rulesets", 2, "conditions", "ref_name", "exclude", value=["**/model_v1*"]), TAGS, "to-do", "moved and"),
        (at("rulesets", 2, "enforcement", value="evaluate"), TAGS, "to-do", "add a tag ruleset"),
        (at("rulesets", 1), BRANCH, "to-do", "does not refuse deletion and force pushes"),
        (at("rulesets", 1, "rules", value=[{"type": "deletion"}]), BRANCH, "to-do", "does not refuse force pushes"),
        (classic(allow_deletions={"enabled": False}), BRANCH, "ok", "only grows"),
        (classic(allow_force_pushes={"enabled": True}), BRANCH, "to-do", "does not refuse force pushes"),
        (classic(required_status_checks=CHECKS), BRANCH, "to-do", "own commits: status checks"),
        (at("variables", "MODELRELEASE_RUNNER"), RUNNERS, "to-do", "gh variable set MODELRELEASE_RUNNER"),
        (at("variables", "MODELRELEASE_RELEASE_RUNNER", value="gpu"), RUNNERS, "to-do", "a runner of their own"),
    ],
)  # fmt: skip
def test_each_thing_that_is_missing_is_named_with_what_mends_it(
    github: FakeGitHub, edit: Callable[[Settings], object], name: str, state: str, words: str
) -> None:
    settings = copy.deepcopy(GOOD)
    edit(settings)
    checks = looked_at(github, settings)
    assert checks[name].state == state
    assert words in f"{checks[name].says} → {checks[name].step}"
    others = {check.state for other, check in checks.items() if not other.startswith(name)}
    assert others == {"ok"}


def test_rules_that_keep_jobs_off_the_ledger_may_have_a_bypass_that_only_administrators_see(github: FakeGitHub) -> None:
    settings = copy.deepcopy(GOOD)
    settings["rulesets"][1]["rules"] += [{"type": "required_signatures"}, {"type": "creation"}]
    check = looked_at(github, settings)[BRANCH]
    assert (check.state, check.says) == (
        "unseen", "refuses jobs' commits unless they may bypass the rules: creation, required_signatures",
    )  # fmt: skip
    settings["branches"] = {LEDGER: None}  # it is there, and no longer has to be created
    assert looked_at(github, settings)[BRANCH].says.endswith("rules: required_signatures")


def test_protection_of_the_old_kind_counts_and_its_details_are_an_administrator_s(github: FakeGitHub) -> None:
    settings = copy.deepcopy(GOOD)
    settings["branches"] = {"main": {"required_status_checks": CHECKS}}
    del settings["rulesets"][0]
    checks = looked_at(github, settings)
    assert (checks[MAIN].state, checks[f"{MAIN}: up to date"].state) == ("ok", "ok")
    checks = looked_at(github, settings, admin=False)
    assert (checks[MAIN].state, checks[f"{MAIN}: up to date"].state) == ("ok", "unseen")
    settings["branches"]["main"]["required_status_checks"] = {**CHECKS, "strict": False}
    assert looked_at(github, settings)[f"{MAIN}: up to date"].state == "to-do"


def test_self_review_is_asked_about_where_the_policy_asks_for_somebody_else(github: FakeGitHub) -> None:
    settings = copy.deepcopy(GOOD)
    del settings["environments"]["Production"]["prevent_self_review"]
    assert looked_at(github, settings, approval="any")[PRODUCTION].state == "ok"


def test_private_repositories_are_told_what_environments_and_reviewers_take(github: FakeGitHub) -> None:
    github.repository().private = True
    settings = copy.deepcopy(GOOD)
    del settings["environments"]["Production"]["reviewers"]
    check = looked_at(github, settings)[PRODUCTION]
    assert (check.state, check.step) == (
        "to-do",
        "choose required reviewers (Settings, Environments, production), which private repositories have on GitHub"
        " Enterprise alone, or set `release.approval: none`",
    )
    assert looked_at(github, settings, approval="none")[PRODUCTION].state == "ok"
    settings["environments"] = {}
    assert str(looked_at(github, settings)[ROLLBACK].step).endswith("on GitHub Pro, Team and Enterprise alone")


def test_the_organisation_s_variables_are_variables(github: FakeGitHub) -> None:
    settings = copy.deepcopy(GOOD)
    settings["organization_variables"] = {"MODELRELEASE_RUNNER": "shared", "MODELRELEASE_RELEASE_RUNNER": "gpu"}
    del settings["variables"]["MODELRELEASE_RELEASE_RUNNER"]
    assert looked_at(github, settings)[RUNNERS].says.startswith("releases run on `gpu`, where pull requests")


def test_all_pages_are_read(github: FakeGitHub) -> None:
    settings = copy.deepcopy(GOOD)
    settings["variables"] = {**{f"A{n}": "x" for n in range(250)}, **settings["variables"]}
    assert looked_at(github, settings)[RUNNERS].state == "ok"


@pytest.mark.parametrize(("status", "words"), [(401, "Bad credentials"), (404, "Not Found"), (403, "not accessible")])
def test_a_repository_that_is_not_shown_is_one_line(github: FakeGitHub, status: int, words: str) -> None:
    github.fault("GET", "/repos/acme/bot", status=status, body={"message": words})
    found = read(github, JOB_TOKEN)
    assert isinstance(found, Unseen)
    (check,) = check_settings(found, Wanted("none", "", LEDGER))
    assert (check.name, check.state) == ("repository", "unseen")
    assert words in check.says


def test_after_a_connection_that_failed_nobody_is_asked_again(github: FakeGitHub) -> None:
    github.fault("GET", "/repos/acme/bot/.*", times=100, reset=True)
    found = read(github, JOB_TOKEN)
    assert isinstance(found, RepositorySettings)
    assert isinstance(found.tag_rules, Unseen)
    assert found.tag_rules == found.variables == found.releases
    assert {request.path for request in github.requests} == {
        "/repos/acme/bot", "/repos/acme/bot/actions/permissions/workflow",
    }  # fmt: skip


@pytest.mark.parametrize("answer", [{}, [], "x", {"environments": [{"name": 7}]}, {"environments": 1}])
def test_an_answer_that_is_none_is_nothing_seen(github: FakeGitHub, answer: Any) -> None:
    github.repository().settings = copy.deepcopy(GOOD)
    github.fault("GET", ".*/rulesets", times=100, body=answer)
    found = read(github, JOB_TOKEN)
    assert isinstance(found, RepositorySettings)
    assert found.tag_rules == () if answer == [] else isinstance(found.tag_rules, Unseen)


@pytest.mark.parametrize(
    ("pattern", "ref", "is_covered"),
    [
        ("refs/tags/model_v*", "refs/tags/model_v1.0", True),
        ("refs/tags/*", "refs/tags/support/model_v1.0", False),
        ("refs/tags/**/*", "refs/tags/support/model_v1.0", True),
        ("refs/tags/**/*", "refs/tags/model_v1.0", True),
        ("refs/tags/support/model_v*", "refs/tags/support/model_v1.0", True),
        ("refs/tags/model_v?.0", "refs/tags/model_v1.0", True),
        ("refs/tags/model_v1x0", "refs/tags/model_v1.0", False),
        ("refs/tags/model_v1.0", "refs/tags/model_v1.0.1", False),
        ("~ALL", "refs/tags/x", True),
    ],
)
def test_patterns_are_github_s(pattern: str, ref: str, is_covered: bool) -> None:
    assert covers(Ruleset("r", (pattern,), (), frozenset()), ref) is is_covered
