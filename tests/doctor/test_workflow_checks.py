"""Workflows as a repository has them against the kit's templates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelrelease.doctor.workflows import check_workflow
from modelrelease.flows.doctor.clone import templates
from modelrelease.records.diagnosis import Check
from modelrelease.scaffold.additions import REPRODUCE_WORKFLOW, WORKFLOW
from modelrelease.scaffold.kit import Kit, pinned

ROOT = Path(__file__).resolve().parents[2]
KIT = Kit("acme/modelrelease", "0" * 40, "v9.9.9")
PULLS, AGAIN = (next(one for one in templates() if one.name == name) for name in ("pull-request.yml", "reproduce.yml"))
TEXT = pinned(PULLS.text, KIT)


def looked_at(text: str | None, path: str = WORKFLOW) -> dict[str, Check]:
    workflows = {".github/workflows/a.yml": b"on: push\njobs: {}\n"}
    if text is not None:
        workflows[path] = text.encode()
    return {check.name.rpartition(": ")[2]: check for check in check_workflow(PULLS, workflows)}


def test_every_template_of_the_kit_is_known() -> None:
    assert {one.name for one in templates()} == {path.name for path in (ROOT / "workflows-templates").iterdir()}


@pytest.mark.parametrize(("to_hub", "state"), [(True, "to-do"), (False, "ok")])
def test_release_workflows_have_to_come_where_releases_go_to_the_hub(to_hub: bool, state: str) -> None:
    known = {one.name: one for one in templates(to_hub=to_hub)}
    for name in ("release.yml", "rollback.yml"):
        (check,) = check_workflow(known[name], {})
        assert check.state == state
        assert "`modelrelease init --release`" in f"{check.says} {check.step}"
        written = {known[name].place: pinned(known[name].text, KIT).encode()}
        assert [check.state for check in check_workflow(known[name], written)] == ["ok"] * 4


@pytest.mark.parametrize("path", [WORKFLOW, ".github/workflows/ours.yaml"])
def test_what_init_writes_is_right_under_any_name(path: str) -> None:
    checks = looked_at(TEXT, path)
    assert {name: check.state for name, check in checks.items()} == dict.fromkeys(
        ("content", "pins", "concurrency", "permissions"), "ok"
    )


def test_what_is_not_there_has_to_come_unless_it_is_not_needed() -> None:
    (check,) = looked_at(None).values()
    assert (check.state, check.step) == ("to-do", "run `modelrelease init`")
    (check,) = check_workflow(AGAIN, {})
    assert check.state == "ok"
    found = list(check_workflow(AGAIN, {REPRODUCE_WORKFLOW: pinned(AGAIN.text, KIT).encode()}))
    assert [check.state for check in found] == ["ok"] * 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("runs-on: ${{ vars.MODELRELEASE_RUNNER || 'self-hosted' }}", "runs-on: [gpu, big]"),
        ("timeout-minutes: 360", "timeout-minutes: 30"),
        (
            "          system-site-packages: true\n",
            "          python: /opt/torch/bin/python\n          config: a.yaml\n",
        ),
        ("  merge_group:\n", "  merge_group:\n  workflow_dispatch:\n"),
        ("name: modelrelease\n\non:", "name: Model checks\n\non:"),
        ("fetch-depth: 0", "fetch-depth: 0 # ours"),
    ],
)
def test_what_is_a_repository_s_to_set_may_be_set(old: str, new: str) -> None:
    assert old in TEXT
    assert {check.state for check in looked_at(TEXT.replace(old, new)).values()} == {"ok"}


@pytest.mark.parametrize(
    ("old", "new", "name", "words"),
    [
        ("    if: always()\n", "", "content", "`jobs.gate.if` is missing"),
        ("          gate: true\n", "", "content", "`jobs.gate.steps.2.with.gate` is missing"),
        ("  merge_group:\n", "", "content", "`on.merge_group` is missing"),
        ("fetch-depth: 0", "fetch-depth: 1", "content", "`jobs.check.steps.1.with.fetch-depth` differs"),
        ("on:\n  pull_request:\n", "on:\n  pull_request_target:\n", "content", "`on.pull_request` is missing"),
        ("    name: gate\n", "    name: gate\n    env: {A: b}\n", "content", "`jobs.gate.env` is added"),
        ("jobs:\n", "jobs:\n  more: {runs-on: x, steps: []}\n", "content", "`jobs.more` is added"),
        ("cancel-in-progress: true", "cancel-in-progress: false", "concurrency", "older runs go on"),
        ("permissions: {}", "permissions: write-all", "permissions", "does not stand at the top"),
        ("      pull-requests: write # comments", "      contents: write", "permissions", "`contents: write`"),
        ("      actions: read # reads the artifact", "      id-token: write", "permissions", "`id-token: write`"),
        ("@" + "0" * 40 + " # v9.9.9", "@v9.9.9", "pins", "acme/modelrelease/actions/check@v9.9.9"),
    ],
)  # fmt: skip
def test_what_must_stay_is_named_where_it_did_not(old: str, new: str, name: str, words: str) -> None:
    assert old in TEXT
    text = (
        TEXT.replace("      contents: read\n      actions", "      actions") if new == "      contents: write" else TEXT
    )
    check = looked_at(text.replace(old, new))[name]
    assert check.state == "to-do"
    assert check.step
    assert words in check.says


@pytest.mark.parametrize(
    "text", ["on: [\n", "a: 1\na: 2\n", "jobs: []\n", "- x\n", "jobs: {gate: 7, check: {steps: {}}}\n"]
)
def test_what_is_no_workflow_is_said_to_be_none(text: str) -> None:
    assert "to-do" in {check.state for check in looked_at(text).values()}


def test_releases_are_never_ended_by_others() -> None:
    text = pinned(AGAIN.text, KIT)
    changed = re.sub(r"cancel-in-progress: false", "cancel-in-progress: true", text)
    states = {check.name: check for check in check_workflow(AGAIN, {REPRODUCE_WORKFLOW: changed.encode()})}
    check = states["modelrelease-reproduce.yml: concurrency"]
    assert (check.state, "could be ended halfway" in check.says) == ("to-do", True)
