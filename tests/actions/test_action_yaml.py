"""The actions' YAML: what is declared is forwarded, what is forwarded is read, and no value stands in a script."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelrelease.cli.main import COMMANDS
from modelrelease.github.inputs import ACTIONS

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {
    name: ROOT / "action.yml" if name == "pull-request" else ROOT / "actions" / name / "action.yml" for name in ACTIONS
}
COMMON_OUTPUTS = {"decision", "verdicts", "report", "exit-code"}
INSTALLER = {"python", "system-site-packages"}
ELSEWHERE = {
    "comment": "a step of its own",
    "token": "GITHUB_TOKEN of the step that writes",
    "hub-publisher": "HF_OIDC_RESOURCE of the step that publishes",
    "hub-token": "HF_TOKEN of the step that publishes",
}


def action(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILES[name].read_text("utf-8"))
    return found


def steps(name: str) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in action(name)["runs"]["steps"]}


def variable(name: str) -> str:
    return "INPUT_" + name.upper().replace("-", "_")


def given(name: str, context: str = "inputs") -> str:
    """Return the expression for an input, or for a step's output."""
    return f"${{{{ {context}.{name} }}}}"


def runs(name: str, command: str) -> dict[str, Any]:
    """Return the step of an action that runs ``modelrelease action COMMAND``."""
    (step,) = [step for step in steps(name).values() if step["run"].endswith(f" action {command}")]
    return step


def test_every_action_of_the_table_is_there_and_no_other() -> None:
    assert {path.parent.name for path in ROOT.glob("actions/*/action.yml")} | {"pull-request"} == set(ACTIONS)
    assert all(path.is_file() for path in FILES.values())


@pytest.mark.parametrize("name", ACTIONS)
def test_every_input_is_forwarded_and_every_forwarded_one_is_read(name: str) -> None:
    declared = set(action(name)["inputs"])
    forwarded = {variable(i): given(i) for i in ACTIONS[name].inputs}
    env = runs(name, name)["env"]
    assert {key: value for key, value in env.items() if key.startswith("INPUT_")} == forwarded
    installer = {key: value for key, value in steps(name)["Install"]["env"].items() if key.startswith("INPUT_")}
    assert installer == {variable(i): given(i) for i in INSTALLER}
    assert declared - set(ELSEWHERE) == set(ACTIONS[name].inputs) | INSTALLER


@pytest.mark.parametrize("name", ACTIONS)
def test_what_is_forwarded_is_an_option_of_the_command(name: str) -> None:
    spec = ACTIONS[name]
    assert spec.command in COMMANDS
    parser = argparse.ArgumentParser()
    importlib.import_module(f"modelrelease.cli.{spec.command.replace('-', '_')}").add_arguments(parser)
    known = {option: entry for entry in parser._actions for option in entry.option_strings}
    assert {f"--{option}" for option in (*spec.options, *spec.flags)} <= set(known)
    assert all(known[f"--{option}"].nargs in (None, "?") for option in spec.options)
    assert all(known[f"--{option}"].nargs == 0 for option in spec.flags)
    assert tuple(entry.dest for entry in parser._actions if not entry.option_strings) == spec.positionals


@pytest.mark.parametrize("name", ACTIONS)
def test_what_a_command_needs_is_required_and_the_rest_is_not(name: str) -> None:
    declared = action(name)["inputs"]
    needed = {*ACTIONS[name].positionals, *ACTIONS[name].needed} - {*ACTIONS[name].may_lack}
    assert {key for key, value in declared.items() if value["required"]} == needed
    switches = {*ACTIONS[name].flags, "gate", "system-site-packages", "comment"}
    said = {"token": "${{ github.token }}", "default-branch": "${{ github.event.repository.default_branch }}"}
    defaults = {key: value["default"] for key, value in declared.items() if not value["required"]}
    assert defaults == {key: said.get(key, "false" if key in switches else "") for key in defaults}


@pytest.mark.parametrize("name", ACTIONS)
def test_outputs_are_the_same_everywhere_and_come_from_the_step_that_ran(name: str) -> None:
    outputs = {key: value["value"] for key, value in action(name)["outputs"].items()}
    assert set(outputs) >= COMMON_OUTPUTS
    of_the_run = {key: value for key, value in outputs.items() if key != "exit-code"}
    assert of_the_run == {key: given(key, "steps.run.outputs") for key in of_the_run}
    assert re.fullmatch(r"\$\{\{ steps\.(run|result)\.outputs\.exit-code \|\| '3' \}\}", outputs["exit-code"])


@pytest.mark.parametrize("name", ACTIONS)
def test_no_expression_stands_in_a_script_and_nothing_is_run_but_our_own(name: str) -> None:
    python = r'"\$BIN/python" -I -m modelrelease action [a-z-]+'
    install = r'sh "\$GITHUB_ACTION_PATH(/\.\./\.\.)?/scripts/install_action\.sh"'
    for step in steps(name).values():
        assert "uses" not in step
        assert step["shell"] == "sh"
        assert "${{" not in step["run"]
        if step["name"] != "Result":
            assert re.fullmatch(f"{python}|{install}", step["run"])


@pytest.mark.parametrize("name", ACTIONS)
def test_the_last_step_sets_the_code_and_comes_whatever_was_decided(name: str) -> None:
    last = list(steps(name).values())[-1]
    assert last["name"] == "Result"
    assert last["if"] == "${{ !cancelled() }}"
    assert last["env"]["CODE"] == "${{ steps.run.outputs.exit-code || '3' }}"
    assert last["run"].endswith('exit "$CODE"')


def test_only_with_comment_true_does_the_whole_check_comment() -> None:
    step = runs("pull-request", "comment")
    assert "inputs.comment == 'true'" in step["if"]
    assert "!cancelled()" in step["if"]
    assert {key.removeprefix("INPUT_").lower().replace("_", "-") for key in step["env"] if "INPUT_" in key} <= set(
        ACTIONS["comment"].inputs
    )
    tokens = [n for n in ACTIONS for s in steps(n).values() if "GITHUB_TOKEN" in s["env"]]
    assert tokens == ["pull-request", "comment", "issue", "promote", "rollback"]


@pytest.mark.parametrize(("name", "title"), [("promote", "Promote"), ("rollback", "Roll back")])
def test_what_may_publish_is_there_in_the_step_that_does_and_in_no_other(name: str, title: str) -> None:
    secrets = {"GITHUB_TOKEN", "HF_TOKEN", "HF_OIDC_RESOURCE"}
    assert [one for one, step in steps(name).items() if secrets & set(step["env"])] == [title]
    env = runs(name, name)["env"]
    assert env["GITHUB_TOKEN"] == given("token")
    assert env["HF_TOKEN"] == "${{ inputs.hub-token || env.HF_TOKEN }}"
    assert env["HF_OIDC_RESOURCE"] == "${{ inputs.hub-publisher || env.HF_OIDC_RESOURCE }}"
    # Other helpers, such as one that keeps what it is told, are set aside first; the token is in no argument.
    assert (env["GIT_CONFIG_VALUE_0"], "${{" in env["GIT_CONFIG_VALUE_1"]) == ("", False)


@pytest.mark.parametrize("name", ACTIONS)
def test_the_page_names_every_input_and_output(name: str) -> None:
    page = (ROOT / "docs" / "github.md").read_text("utf-8")
    title = "modelrelease/modelrelease" + ("" if name == "pull-request" else f"/actions/{name}")
    section = page.split(f"\n### `{title}`\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| `([a-z-]+)`", section, re.MULTILINE)
    everywhere = {*INSTALLER, *COMMON_OUTPUTS}
    both = [*action(name)["inputs"], *action(name)["outputs"]]
    assert sorted(rows) == sorted(n for n in both if n not in everywhere)
    shared = page.split("\n### In every action\n")[1].split("\n#")[0]
    assert set(re.findall(r"^\| `([a-z-]+)`", shared, re.MULTILINE)) == everywhere
