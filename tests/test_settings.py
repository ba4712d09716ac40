"""What the surroundings say, as values."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelrelease.settings import (
    WorkflowFiles,
    action_inputs,
    cache_home,
    commit_environment,
    git_environment,
    github_environment,
    hub_endpoint,
    hub_environment,
    is_github_hosted,
    partial_runs,
    pushed_range,
    run_url,
    workflow_files,
)

GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/bot", "GITHUB_RUN_ID": "7"}


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"MODELRELEASE_CACHE": "/x"}, Path("/x")),
        ({"XDG_CACHE_HOME": "/y"}, Path("/y/modelrelease")),
        ({"MODELRELEASE_CACHE": "", "XDG_CACHE_HOME": ""}, Path.home() / ".cache" / "modelrelease"),
    ],
)
def test_the_cache_is_the_user_s(environ: dict[str, str], folder: Path) -> None:
    assert cache_home(environ) == folder


@pytest.mark.parametrize(
    ("environ", "url"),
    [(GITHUB, "https://github.com/acme/bot/actions/runs/7"), ({}, None), ({**GITHUB, "GITHUB_RUN_ID": ""}, None)],
)
def test_the_run_s_address(environ: dict[str, str], url: str | None) -> None:
    assert run_url(environ) == url


def test_git_gets_none_of_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("OTHER", "kept")
    environment = git_environment()
    assert "GIT_DIR" not in environment
    assert environment["OTHER"] == "kept"


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert cache_home({}) is None
    assert partial_runs({}) is None
    assert partial_runs({"MODELRELEASE_CACHE": "/x"}) == Path("/x/partial")


def test_a_job_s_environment_without_its_token_in_print() -> None:
    found = github_environment({**GITHUB, "GITHUB_TOKEN": "ghs_canary", "GH_TOKEN": "other", "GITHUB_SHA": ""})
    assert (found.repository, found.run_id, found.sha, found.event_path) == ("acme/bot", "7", None, None)
    assert found.token == "ghs_canary"
    assert "canary" not in f"{found!r} {found}"
    assert github_environment({"GITHUB_TOKEN": "", "GH_TOKEN": "other"}).token == "other"
    assert github_environment({}).token is None


@pytest.mark.parametrize(
    ("said", "hosted"), [("github-hosted", True), ("self-hosted", False), ("", False), (None, False)]
)
def test_whose_machine_a_job_runs_on(said: str | None, hosted: bool) -> None:
    assert is_github_hosted({} if said is None else {"RUNNER_ENVIRONMENT": said}) is hosted


def test_an_action_s_inputs_are_named_as_in_its_yaml() -> None:
    environ = {"INPUT_POLICY_REF": "main", "INPUT_OUT": "", "PATH": "/bin", "NO_INPUT_HERE": "x"}
    assert action_inputs(environ) == {"policy-ref": "main", "out": ""}


def test_outside_of_a_job_there_are_no_workflow_files() -> None:
    assert workflow_files({"GITHUB_OUTPUT": ""}) == WorkflowFiles(None, None, None)
    environ = {"GITHUB_OUTPUT": "/o", "GITHUB_STEP_SUMMARY": "/s", "RUNNER_TEMP": "/t"}
    assert workflow_files(environ) == WorkflowFiles(Path("/o"), Path("/s"), Path("/t"))


def test_what_git_tells_a_hook_of_the_commit_in_the_making() -> None:
    told = {"GIT_INDEX_FILE": "i", "GIT_AUTHOR_NAME": "A", "GIT_DIR": "elsewhere", "GIT_AUTHOR_EMAIL": ""}
    assert commit_environment(told) == {"GIT_INDEX_FILE": "i", "GIT_AUTHOR_NAME": "A"}


def test_a_push_comes_with_two_refs() -> None:
    assert pushed_range({"PRE_COMMIT_FROM_REF": "a", "PRE_COMMIT_TO_REF": "b"}) == ("a", "b")
    assert pushed_range({"PRE_COMMIT_FROM_REF": "a"}) is None


def test_the_hub_is_where_and_whether_the_environment_says() -> None:
    assert hub_endpoint({}) is None
    assert hub_endpoint({"HF_ENDPOINT": ""}) is None
    assert hub_endpoint({"HF_ENDPOINT": "http://hub"}) == "http://hub"


OFFLINE = """
import os, sys
from modelrelease.settings import is_offline, prepare_libraries
assert not is_offline()
import huggingface_hub
prepare_libraries()
prepare_libraries()
assert huggingface_hub.is_offline_mode()
assert os.environ["HF_HUB_OFFLINE"] == "1"
assert not is_offline()  # what scoring forbids itself, nobody has forbidden to fetching
"""


def test_scoring_is_offline_whatever_was_imported_before() -> None:
    import os
    import subprocess
    import sys

    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    subprocess.run([sys.executable, "-c", OFFLINE], check=True, env=environment)
    said = {**environment, "HF_HUB_OFFLINE": "yes"}
    program = OFFLINE.replace("assert not is_offline()", "assert is_offline()")
    subprocess.run([sys.executable, "-c", program], check=True, env=said)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, (None, None, None)),
        ({"HF_TOKEN": "", "HF_ENDPOINT": "", "HF_OIDC_RESOURCE": ""}, (None, None, None)),
        ({"HF_TOKEN": "hf_x\n", "HF_ENDPOINT": "http://127.0.0.1"}, ("http://127.0.0.1", "hf_x", None)),
        ({"HF_TOKEN": "hf_x", "HF_OIDC_RESOURCE": "acme/bot"}, (None, None, "acme/bot")),
    ],
)
def test_a_job_s_own_identity_comes_before_a_token(
    environ: dict[str, str], found: tuple[str | None, str | None, str | None]
) -> None:
    hub = hub_environment(environ)
    assert (hub.endpoint, hub.token, hub.oidc_resource) == found
    assert "hf_x" not in repr(hub)
