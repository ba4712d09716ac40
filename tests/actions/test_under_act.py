"""The actions really run, in a workspace that would harm whoever imports from it, with values that would run."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from acting import CHECKOUT, KIT, Act, Ran, git
from builders import table, write
from tiny_models import TinyModels, write_project

from modelrelease.github.inputs import ACTIONS

TRAPS = (
    *("yaml.py", "json.py", "pydantic.py", "torch.py", "sitecustomize.py", "usercustomize.py", "venv.py", "pip.py"),
    *("modelrelease/__init__.py", "modelrelease/__main__.py", "encodings/__init__.py"),
)
HOSTILE = (
    *("$(touch {hacked})", "`touch {hacked}`", '"; touch {hacked}; "', "'; touch {hacked}; '", "a\ntouch {hacked}"),
    *(
        "--help",
        "-x",
        "--",
        "${{{{ github.token }}}}",
        "a\nexit-code<<b\n0\nb",
        "%0Aexit-code=0",
        "\N{RIGHT-TO-LEFT OVERRIDE}a",
    ),
)
PYTHON = {"python": sys.executable, "system-site-packages": True}


def uses(name: str) -> str:
    path, _, version = KIT.partition("@")
    return f"{path}@{version}" if name == "pull-request" else f"{path}/actions/{name}@{version}"


@dataclass
class Machine:
    """act, a consumer's repository, the folder in which workflows of tests leave what they saw, and the trap's mark."""

    act: Act
    workspace: Path
    results: Path
    hacked: Path

    def run(self, jobs: dict[str, list[dict[str, Any]]], payload: dict[str, Any] | None = None) -> Ran:
        """Run jobs of these steps at once; each ends by writing its ``steps`` context to results/JOB.json."""
        last = {
            "if": "always()",
            "env": {"ALL": "${{ toJSON(steps) }}"},
            "run": 'cd "$RESULTS"; printf "%s" "$ALL" > $GITHUB_JOB.json',
        }
        workflow = {
            "on": "push",
            "env": {"PYTHONPATH": "${{ github.workspace }}", "PIP_CONFIG_FILE": "pip.conf"},
            "jobs": {
                name: {"runs-on": "self-hosted", "steps": [{"uses": CHECKOUT}, *steps, last]}
                for name, steps in jobs.items()
            },
        }
        path = self.workspace / ".github" / "workflows" / "test.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(workflow, sort_keys=False), "utf-8")
        self.results.mkdir(exist_ok=True)
        return self.act.run(self.workspace, "push", payload, environ={"RESULTS": str(self.results)})

    def steps(self, job: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads((self.results / f"{job}.json").read_text("utf-8"))
        return {name: step for name, step in found.items() if not name.isdigit()}


@pytest.fixture(scope="module")
def machine(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    folder = tmp_path_factory.mktemp("machine")
    workspace, hacked = write_project(folder / "workspace"), folder / "hacked"
    trap = f"open({str(hacked)!r}, 'w').close()\n"
    for name in TRAPS:
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).write_text(trap, "utf-8")
    (workspace / "pip.conf").write_text("[global]\nindex-url = http://127.0.0.1:9/\n", "utf-8")
    (workspace / ".env").write_text(f"PYTHONPATH={workspace}\nBASH_ENV={workspace}/trap.sh\n", "utf-8")
    (workspace / "modelrelease.yaml").write_text(
        "schema_version: 1\nsuite: evals/release.yaml\ngate: {metrics: {qa/acc: {margin: 0.05}}}\n", "utf-8"
    )
    write(workspace / "models" / "model_v1.0", {"qa": {"acc": table(both=200)[0]}})
    write(workspace / "models" / "model_v1.1", {"qa": {"acc": table(both=150, lost=50)[1]}}, model="model_v1.1")
    (workspace / "models" / "model_v1.2").mkdir()
    (workspace / "models" / "model_v1.2" / "checkpoint").symlink_to(tiny.folder("llama"))
    git(workspace, "init", "--quiet")
    git(workspace, "add", "--all")
    git(workspace, "commit", "--quiet", "--message=start")
    return Machine(Act(folder, tmp_path_factory), workspace, folder / "results", hacked)


def hostile_steps(name: str) -> list[dict[str, Any]]:
    """Return steps that give every input of an action every hostile value, each time another; then to its installer."""
    inputs = [*ACTIONS[name].inputs, *(["token", "comment"] if name == "pull-request" else [])]
    count = len(HOSTILE)
    found: list[dict[str, Any]] = []
    for turn in range(0, count, 4):
        given = {key: f"${{{{ github.event.hostile[{(turn + n) % count}] }}}}" for n, key in enumerate(inputs)}
        found.append({"id": f"turn-{turn}", "with": {**given, **PYTHON}})
    for key in PYTHON:
        found.append({"id": key, "with": {**PYTHON, key: "${{ github.event.hostile[0] }}", inputs[0]: "x"}})
    return [{**step, "uses": uses(name), "continue-on-error": True} for step in found]


def test_hostile_values_are_text_in_every_action(machine: Machine) -> None:
    values = [value.format(hacked=machine.hacked) for value in HOSTILE]
    ran = machine.run({name: hostile_steps(name) for name in ACTIONS}, {"hostile": values})
    assert ran.jobs() == dict.fromkeys(ACTIONS, "succeeded"), ran.text
    assert not machine.hacked.exists()
    for name in ACTIONS:
        for step, seen in machine.steps(name).items():
            outputs = seen["outputs"]
            assert seen["outcome"] == "failure"
            assert outputs["exit-code"] == ("3" if step in PYTHON else "2"), (name, step, ran.text)
            assert {value for key, value in outputs.items() if key in ("decision", "report")} <= {""}
    assert "::error title=MR603::the input `python` names '$(touch " in ran.text.replace("❗  ", "")


def test_a_score_is_compared_and_a_block_lets_the_job_go_on(machine: Machine) -> None:
    """Score a real checkpoint and compare it with itself; then a regression, and with what it leaves behind go on."""
    score = {"model": "models/model_v1.2", "device": "cpu", "dtype": "float32", "threads": "1", **PYTHON}
    itself = {"baseline": "${{ steps.score.outputs.folder }}", "candidate": "${{ steps.score.outputs.folder }}"}
    worse = {"baseline": "models/model_v1.0", "candidate": "models/model_v1.1", "out": "out", **PYTHON}
    (machine.workspace / "own.yaml").write_text(
        "schema_version: 1\nsuite: evals/release.yaml\ngate: {metrics: {pick/acc: {margin: 0.05}}}\n", "utf-8"
    )
    steps = [
        {"id": "score", "uses": uses("score"), "with": score},
        {"id": "itself", "uses": uses("compare"), "with": {**itself, "config": "own.yaml", **PYTHON}},
        {"id": "worse", "uses": uses("compare"), "with": worse},
        {"id": "skipped", "run": "exit 7"},
        {
            "id": "after",
            "if": "${{ !cancelled() }}",
            "run": "cmp out/comparison.json ${{ steps.worse.outputs.report }}",
        },
    ]
    ran = machine.run({"both": steps})
    assert (ran.code, ran.jobs()) == (1, {"both": "failed"}), ran.text
    seen = machine.steps("both")
    assert {name: step["outcome"] for name, step in seen.items()} == {
        "score": "success",
        "itself": "success",
        "worse": "failure",
        "skipped": "skipped",
        "after": "success",
    }
    assert seen["score"]["outputs"]["report"] == seen["score"]["outputs"]["folder"] + "/eval.json"
    decisions = {name: step["outputs"].get("decision", "") for name, step in seen.items()}
    assert decisions == {"score": "", "itself": "promote", "worse": "block", "skipped": "", "after": ""}
    assert json.loads(seen["worse"]["outputs"]["verdicts"]) == {"qa/acc": "regressed"}
    assert [seen[name]["outputs"]["exit-code"] for name in ("score", "itself", "worse")] == ["0", "0", "1"]
    summaries = re.findall(r"Summary - (.*?)\n\[", ran.text, re.DOTALL)
    assert [text.split("\n")[0] for text in summaries][:1] == ["```text"]
    assert "pick/acc" in summaries[0]
    assert summaries[2].startswith("**🔴 Blocked: qa/acc is regressed")
    assert "title=modelrelease::Blocked: qa/acc is regressed" in ran.text
    assert not machine.hacked.exists()
