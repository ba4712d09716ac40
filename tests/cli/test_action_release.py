"""``modelrelease action promote`` and ``rollback`` before anything is released, and their scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from action_steps import Steps
from releases import ONE, TWO, Releases, copy_releases, create_releases
from tiny_models import TinyModels

REASON = "Answers in German are cut off"
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TOLD = {"decision", "verdicts", "report", "exit-code"}


@pytest.fixture(scope="module")
def releases(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return create_releases(tmp_path_factory.mktemp("releases") / "support", tiny.folder("llama"))


@pytest.fixture
def job(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Steps:
    made = Steps(tmp_path, monkeypatch, capsys)
    monkeypatch.chdir(releases.root)
    return made


@pytest.mark.parametrize(
    ("name", "inputs", "code", "says"),
    [
        ("promote", {}, "2", "input version: MR601 is missing"),
        ("promote", {"version": ONE, "decide": "yes"}, "2", "input decide: MR601 'yes' is no switch"),
        ("promote", {"version": ONE, "default-branch": "trunk"}, "2", "MR601 'trunk' is no branch of origin here"),
        ("promote", {"version": ONE, "default-branch": "../x y"}, "2", "MR601 '../x y' is no branch of origin here"),
        ("promote", {"version": f"other/{ONE}"}, "2", "is no version of this model"),
        ("rollback", {"to": ONE}, "2", "input reason: MR601 is missing"),
        ("rollback", {"reason": "R"}, "2", "input to: MR601 is missing"),
        ("rollback", {"to": ONE, "reason": REASON, "plan": "true"}, "1", "MR710 was never released"),
    ],
)
def test_what_cannot_be_is_refused_and_told(
    job: Steps, releases: Releases, name: str, inputs: dict[str, str], code: str, says: str
) -> None:
    step = job.step(name, **inputs)
    assert (step.code, step.outputs["exit-code"]) == (0, code)
    assert set(step.outputs) >= TOLD
    assert (step.outputs["decision"], step.outputs["report"]) == ("", "")
    assert says in step.log
    assert re.search(r"^::error ", step.log, re.MULTILINE)
    assert releases.kinds() == []


def test_a_way_forward_tells_what_pins_the_release(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its event has no receipt: the version's is in the ledger, which is on the remote here as in a job."""
    releases.repository.git("init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    lived = copy_releases(releases, tmp_path / "lived")
    lived.repository.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    lived.repository.git("push", "--quiet", "--tags", "origin", "main")
    first, second = lived.promote(ONE).published.commit, lived.promote(TWO).published.commit
    lived.roll_back(ONE)
    job = Steps(tmp_path, monkeypatch, capsys)
    monkeypatch.chdir(lived.root)

    decided = job.step("promote", version=TWO, decide="true")
    forward = job.step("promote", version=TWO, decide="false")
    again = job.step("promote", version=TWO)
    lived.repository.git("checkout", "--quiet", "--detach", ONE)
    back = job.step("promote", version=ONE)

    assert [step.outputs["exit-code"] for step in (decided, forward, again, back)] == ["0", "0", "0", "0"]
    assert [step.outputs["commit"] for step in (decided, forward, again, back)] == [second, second, second, first]
    assert {step.outputs["decision"] for step in (decided, forward, again, back)} == {""}
    assert lived.kinds()[4:] == [f"rolled-back {ONE}", f"rolled-forward {TWO}", f"rolled-forward {ONE}"]
    assert f"{TWO} is released to production of file://releases: nothing has to be decided" in decided.log
    assert "production names" not in decided.log  # it named the other version then
    assert f"production names {TWO} again" in forward.log
    assert f"production names {TWO} again" in forward.summary


@pytest.mark.parametrize(
    ("name", "arguments"), [("promote", [ONE, "--plan"]), ("rollback", ["--to", ONE, "--reason", REASON])]
)
def test_the_scripts_are_the_commands(releases: Releases, name: str, arguments: list[str]) -> None:
    releases.repository.git("checkout", "--quiet", "--detach", ONE)
    script, command = (
        subprocess.run([sys.executable, *how, *arguments], cwd=releases.root, capture_output=True, check=False)
        for how in ([str(SCRIPTS / f"{name}.py")], ["-m", "modelrelease", name])
    )
    assert script.stdout + script.stderr
    assert script.returncode == {"promote": 0, "rollback": 1}[name]
    assert (script.returncode, script.stdout, script.stderr) == (command.returncode, command.stdout, command.stderr)
