"""``modelrelease action``, as a composite action's step calls it: environment in, runner's files out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders import table, write
from commands import run

CONFIG = """schema_version: 1
suite: evals/release.yaml
gate:
  metrics: {qa/acc: {margin: 0.05}}
"""


@dataclass
class Step:
    """What a step did: its exit code, its log, the outputs it set, the summary it wrote."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


class Job:
    """A job's folders, and a repository with two evaluations."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        self.workspace = folder / "work"
        (self.workspace / "models").mkdir(parents=True)
        (self.workspace / "modelrelease.yaml").write_text(CONFIG, "utf-8")
        before, after = table(both=200), table(both=150, lost=50)
        write(self.workspace / "models" / "model_v1.0", {"qa": {"acc": before[0]}})
        write(self.workspace / "models" / "model_v1.1", {"qa": {"acc": after[1]}}, model="model_v1.1")
        monkeypatch.chdir(self.workspace)

    def step(self, name: str, **inputs: str) -> Step:
        output, summary = self.folder / "output", self.folder / "summary"
        for path in (output, summary):
            path.write_text("", "utf-8")
        self.monkeypatch.setenv("GITHUB_OUTPUT", str(output))
        self.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        self.monkeypatch.setenv("RUNNER_TEMP", str(self.folder))
        for key, value in inputs.items():
            self.monkeypatch.setenv(f"INPUT_{key.upper()}", value)
        ran = run(self.capsys, "action", name)
        assert ran.err == ""
        found = re.findall(r"^(\S+)<<(\S+)\n(.*)\n\2$", output.read_text("utf-8"), re.MULTILINE)
        return Step(ran.code, ran.out, {key: value for key, _, value in found}, summary.read_text("utf-8"))


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
    ran = run(job.capsys, "action", "promote")
    assert (ran.code, ran.out) == (2, "")
    assert "invalid choice: 'promote'" in ran.err
