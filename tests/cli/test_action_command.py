"""``modelrelease action``, as a composite action's step calls it: environment in, runner's files out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from action_steps import Steps
from builders import table, write
from commands import run
from fakes.github import JOB_TOKEN, FakeGitHub, add_pull

SHA = "a" * 40
CONFIG = """schema_version: 1
suite: evals/release.yaml
gate:
  metrics: {qa/acc: {margin: 0.05}}
"""


class Job(Steps):
    """A job in a repository with two evaluations."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, monkeypatch, capsys)
        (self.workspace / "models").mkdir()
        (self.workspace / "modelrelease.yaml").write_text(CONFIG, "utf-8")
        before, after = table(both=200), table(both=150, lost=50)
        write(self.workspace / "models" / "model_v1.0", {"qa": {"acc": before[0]}})
        write(self.workspace / "models" / "model_v1.1", {"qa": {"acc": after[1]}}, model="model_v1.1")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Job:
    return Job(tmp_path, monkeypatch, capsys)


def test_a_block_is_told_and_the_step_goes_on(job: Job) -> None:
    step = job.step("compare", baseline="models/model_v1.0", candidate="models/model_v1.1")
    report = Path(step.outputs["report"])
    assert step.code == 0
    assert step.outputs == {
        "decision": "block",
        "verdicts": '{"qa/acc":"regressed"}',
        "report": str(report),
        "folder": str(report.parent),
        "exit-code": "1",
    }
    assert report.parent.parent == job.folder, "not in the workspace, where a link could lead elsewhere"
    assert json.loads(report.read_text("utf-8"))["decision"] == "block"
    assert step.summary.startswith("**🔴 ")
    assert re.search(r"^::error title=modelrelease::Block", step.log, re.MULTILINE)


def test_a_promotion_is_told_too(job: Job) -> None:
    step = job.step("compare", baseline="models/model_v1.0", candidate="models/model_v1.0", out="there")
    assert (step.code, step.outputs["exit-code"], step.outputs["decision"]) == (0, "0", "promote")
    assert step.outputs["report"] == str(job.workspace / "there" / "comparison.json")
    assert "::error" not in step.log


HOSTILE = ["$(touch x)", '";touch x;"', "`touch x`", "a\nreport<<b\nforged\nb", "--help", "-x", "${{ github.token }}"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_text_and_its_error_an_annotation(job: Job, value: str) -> None:
    before = sorted(job.workspace.rglob("*"))
    step = job.step("compare", baseline=value, candidate="models/model_v1.1")
    assert (step.code, step.outputs["exit-code"]) == (0, "2")
    assert {step.outputs[key] for key in ("decision", "report")} == {""}
    (line,) = re.findall(r"^::error .*$", step.log, re.MULTILINE)
    named = value.replace("%", "%25").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")
    assert line == f"::error file={named},title=MR209::does not exist; name an existing file"
    assert "MR209 does not exist" in step.summary
    assert step.summary.startswith("```")
    assert sorted(job.workspace.rglob("*")) == before


def test_an_earlier_decision_is_never_taken_for_this_one(job: Job) -> None:
    assert job.step("compare", baseline="models/model_v1.0", candidate="models/model_v1.0", out="o").outputs["decision"]
    step = job.step("compare", baseline="models/model_v1.0", candidate="missing", out="o")
    assert (step.outputs["decision"], step.outputs["report"], step.outputs["exit-code"]) == ("", "", "2")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"baseline": "models/model_v1.0"}, "::error file=input candidate,title=MR601::is missing; give it under"),
        (
            {"baseline": "a", "candidate": "b", "context": "nonsense"},
            "::error file=modelrelease compare,title=MR601::argument --context%3A invalid choice",
        ),
    ],
)
def test_misuse_is_exit_2_with_an_annotation(job: Job, inputs: dict[str, str], said: str) -> None:
    step = job.step("compare", **inputs)
    assert (step.code, step.outputs["exit-code"]) == (0, "2")
    assert said.replace("%3A invalid", ": invalid") in step.log


def test_what_a_model_wrote_commands_nothing(job: Job) -> None:
    command = "##[set-output name=decision]promote"

    def hostile(sample: dict[str, object]) -> None:
        sample["item_id"] = f"{sample['item_id']} {command}"

    for version, scores in (("model_v2.0", table(both=200)[0]), ("model_v2.1", table(both=150, lost=50)[1])):
        write(job.workspace / "models" / version, {"qa": {"acc": scores}}, model=version, edit=hostile)
    step = job.step("compare", baseline="models/model_v2.0", candidate="models/model_v2.1")
    found = re.search(r"^::stop-commands::(\S+)$(.*)^::\1::$(.*)", step.log, re.MULTILINE | re.DOTALL)
    assert found
    assert command in found[2]
    assert command not in found[3]
    assert step.outputs["decision"] == "block"


def test_a_defect_is_exit_3_and_told(job: Job) -> None:
    job.monkeypatch.setattr("modelrelease.flows.compare.compare_files", None)
    step = job.step("compare", baseline="models/model_v1.0", candidate="models/model_v1.1")
    assert (step.code, step.outputs["exit-code"]) == (0, "3")
    assert "::error file=modelrelease,title=MR699::a defect in modelrelease: TypeError" in step.log


def test_outside_of_a_job_the_code_is_the_command_s(job: Job) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP"):
        job.monkeypatch.delenv(name, raising=False)
    job.monkeypatch.setenv("INPUT_BASELINE", "models/model_v1.0")
    job.monkeypatch.setenv("INPUT_CANDIDATE", "models/model_v1.1")
    assert run(job.capsys, "action", "compare").code == 1


def test_there_are_no_other_actions(job: Job) -> None:
    ran = run(job.capsys, "action", "publish")
    assert (ran.code, ran.out) == (2, "")
    assert "invalid choice: 'publish'" in ran.err


REASON = "the score job passed no comparison on; look at its log"


@pytest.fixture
def gate(job: Job, github: FakeGitHub) -> Job:
    """The job that gates pull request 7 of acme/bot, whose head is what the comparison in ``out`` is of."""
    add_pull(github.repository(), 7, SHA)
    event = job.folder / "event.json"
    base = {"ref": "main", "sha": "b" * 40, "repo": {"full_name": "acme/bot"}}
    head = {"ref": "change", "sha": SHA, "repo": {"full_name": "acme/bot"}}
    event.write_text(json.dumps({"pull_request": {"number": 7, "base": base, "head": head}}), "utf-8")
    told = {"REPOSITORY": "acme/bot", "EVENT_PATH": str(event), "RUN_ID": "5", "RUN_ATTEMPT": "1", "TOKEN": JOB_TOKEN}
    for name, value in {**told, "API_URL": github.url, "SHA": SHA}.items():
        job.monkeypatch.setenv(f"GITHUB_{name}", value)
    job.monkeypatch.setattr("modelrelease.cli.on_github.PAUSE", 0)
    assert job.step("compare", baseline="models/model_v1.0", candidate="models/model_v1.1", out="out").outputs
    return job


@pytest.mark.parametrize(("switch", "code"), [("true", "1"), ("", "0")])
def test_a_gate_ends_with_the_decision(gate: Job, github: FakeGitHub, switch: str, code: str) -> None:
    step = gate.step("comment", comparison="out", gate=switch)
    assert (step.code, step.outputs["exit-code"], step.outputs["decision"]) == (0, code, "block")
    assert step.outputs["report"] == str(gate.workspace / "out" / "comparison.json")
    (body,) = github.bodies()
    assert "🔴 Blocked" in body
    assert "::error title=modelrelease::Blocked" in step.log
    assert JOB_TOKEN not in step.log + step.summary


@pytest.mark.parametrize("comparison", ["missing", ""])
@pytest.mark.parametrize(("mode", "comments"), [("", 1), ("never", 0)])
def test_a_gate_without_a_comparison_never_passes(
    gate: Job, github: FakeGitHub, comparison: str, mode: str, comments: int
) -> None:
    shutil.copy(gate.workspace / "out" / "comparison.json", gate.workspace)  # anybody's, and nobody named it
    step = gate.step("comment", comparison=comparison, mode=mode, gate="true", unless_scored=REASON)
    assert (step.code, step.outputs["exit-code"], step.outputs["decision"]) == (0, "3", "")
    assert f"::error file=modelrelease,title=MR603::this pull request was not scored; {REASON}" in step.log
    assert "Nothing was decided" in step.summary
    assert len(github.bodies()) == comments
    assert all("Nothing was decided" in body for body in github.bodies())


def test_a_gate_that_may_not_comment_still_says_why_it_fails(gate: Job, github: FakeGitHub) -> None:
    gate.monkeypatch.setenv("GITHUB_TOKEN", "ghs_unknown")
    step = gate.step("comment", comparison="missing", gate="true", unless_scored=REASON)
    assert step.outputs["exit-code"] == "3"
    assert f"was not scored; {REASON}" in step.log
    assert "401" in step.log
    assert "ghs_unknown" not in step.log + step.summary


def test_a_comparison_of_another_commit_decides_nothing(gate: Job, github: FakeGitHub) -> None:
    path = gate.workspace / "out" / "comparison.json"
    other = {"rule": "new-version", "reason": "new", "candidate": "models/model_v1.1", "baseline": None}
    ends = {"baseline_rule": "none", "merge_base": "b" * 40, "head": "c" * 40, "changes": [], "schema_version": 1}
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "resolution": {**other, **ends}}), "utf-8")
    step = gate.step("comment", comparison="out", gate="true")
    assert (step.outputs["exit-code"], step.outputs["decision"], step.outputs["report"]) == ("2", "", "")
    assert github.bodies() == []
