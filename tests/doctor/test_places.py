"""Whether what is released into a folder is still there tomorrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelrelease.doctor.places import check_target
from modelrelease.scaffold.kit import Kit, pinned

ROOT = Path(__file__).resolve().parents[2]
TEXT = pinned((ROOT / "workflows-templates/release.yml").read_text("utf-8"), Kit("acme/modelrelease", "0" * 40, "v9"))


def looked_at(target: str, runs_on: str | None, *, ignored: bool = True) -> dict[str, str]:
    workflows = {".github/workflows/a.yml": b"on: [\n", ".github/workflows/b.yml": b"on: push\njobs: {x: [], y: {}}\n"}
    if runs_on is not None:
        text = TEXT.replace("runs-on: ubuntu-latest", f"runs-on: {runs_on}")
        workflows[".github/workflows/release.yml"] = text.encode()
    return {check.name: check.state for check in check_target(target, workflows, ignored=ignored)}


@pytest.mark.parametrize(
    ("runs_on", "state"),
    [
        (None, "ok"),
        ("ubuntu-latest", "to-do"),
        ("[ubuntu-24.04]", "to-do"),
        ("macos-15-xlarge", "to-do"),
        ("[self-hosted, ubuntu-disk]", "ok"),
        ("modelrelease-release", "ok"),
        ("{group: releases}", "ok"),
        ("${{ vars.RUNNER }}", "ok"),
    ],
)
def test_a_folder_and_a_machine_of_github_s_do_not_go_together(runs_on: str | None, state: str) -> None:
    assert looked_at("file://releases", runs_on)["target"] == state
    assert looked_at("file:///srv/releases", runs_on) == {"target": state}
    assert looked_at("hf://acme/support", runs_on) == {}


@pytest.mark.parametrize(("ignored", "state"), [(True, "ok"), (False, "to-do")])
def test_git_leaves_releases_alone(ignored: bool, state: str) -> None:
    assert looked_at("file://releases", None, ignored=ignored) == {"target": "ok", "releases in git": state}
