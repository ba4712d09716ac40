"""workflows-templates/reproduce.yml, run whole in a consumer's repository with a real (tiny) model."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acting import Act, Ran, git
from consumers import REPOSITORY, adopt
from fakes.github import JOB_TOKEN, FakeGitHub
from tiny_models import TinyModels, write_project

from modelrelease.cli.main import main

POLICY = "schema_version: 1\nsuite: evals/release.yaml\ngate: {metrics: {pick/acc: {margin: 0.05}}}\n"
BORNE_OUT = {"reproduce": "succeeded", "issue": "succeeded"}
NOT = {"reproduce": "failed", "issue": "succeeded"}


@dataclass
class Watched:
    """A repository whose live version, models/model_v1.0, is run again by the template."""

    act: Act
    root: Path

    @property
    def version(self) -> Path:
        return self.root / "models" / "model_v1.0"

    def score(self) -> None:
        """Write the version's record anew, and commit it."""
        for name in ("eval.json", "samples.jsonl"):
            (self.version / name).unlink(missing_ok=True)
        options = [f"--config={self.root / 'modelrelease.yaml'}", "--device=cpu", "--dtype=float32", "--threads=1"]
        assert main(["score", *options, str(self.version)]) == 0
        self.commit()

    def commit(self) -> None:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message=change")

    def again(self, github: FakeGitHub, run: int, event: str = "schedule", **options: Any) -> Ran:
        """Let the workflow run, on its day or because a person wants it to."""
        shutil.rmtree(self.act.artifacts, ignore_errors=True)
        github.repository(REPOSITORY)
        job = {"GITHUB_API_URL": github.url, "GITHUB_RUN_ID": str(run)}
        variables = {"MODELRELEASE_RUNNER": "self-hosted"}
        payload = {"repository": {"default_branch": "main"}} if event == "workflow_dispatch" else {}
        ran = self.act.run(self.root, event, payload, variables=variables, job=job, token=JOB_TOKEN, **options)
        assert JOB_TOKEN not in ran.text
        return ran

    def reproduction(self) -> dict[str, Any]:
        path = self.act.artifacts / "modelrelease-reproduction" / "reproduction.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def watched(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Return the repository with an honest record, tagged ``honest``."""
    folder = tmp_path_factory.mktemp("watched")
    root = write_project(folder / "support")
    (root / "modelrelease.yaml").write_text(POLICY, "utf-8")
    shutil.copytree(tiny.folder("llama"), root / "models" / "model_v1.0" / "checkpoint")
    git(root, "init", "--quiet")
    adopt(root, "reproduce")
    made = Watched(Act(folder / "machine", tmp_path_factory), root)
    made.commit()
    made.score()
    git(root, "tag", "honest")
    return made


@pytest.fixture(autouse=True)
def honest(watched: Watched) -> None:
    git(watched.root, "checkout", "--quiet", "--force", "-B", "main", "honest")
    git(watched.root, "clean", "-dfq")


def spoil_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process multiply as a machine with a fault does, which is what such a machine's record is made of."""
    from torch.nn import functional

    linear = functional.linear

    def faulty(*arguments: Any) -> Any:
        return linear(*arguments) * 1.05

    monkeypatch.setattr(functional, "linear", faulty)


def issues(github: FakeGitHub) -> list[dict[str, Any]]:
    return list(github.repository(REPOSITORY).issues.values())


def test_an_issue_s_life_from_a_machine_with_a_fault_to_a_sound_record(
    watched: Watched, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = watched.again(github, 1)
    assert ran.jobs() == BORNE_OUT, ran.text
    assert watched.reproduction()["outcome"] == "exact"
    assert issues(github) == []

    with monkeypatch.context() as patch:
        spoil_arithmetic(patch)
        watched.score()
    ran = watched.again(github, 2)
    assert ran.jobs() == NOT, ran.text
    assert watched.reproduction()["outcome"] == "mismatch"
    assert "::error title=modelrelease::models/model_v1.0 does not reproduce: mismatch: " in ran.text.replace(
        "❗  ", ""
    )
    (issue,) = issues(github)
    assert (issue["title"], issue["state"]) == ("model_v1.0 no longer reproduces", "open")
    assert (
        " version=model_v1.0 outcome=mismatch run=2.1 -->\n**🔴 model\\_v1.0 no longer reproduces.**" in issue["body"]
    )
    assert "pick/acc" in issue["body"]

    ran = watched.again(github, 3, "workflow_dispatch")
    assert ran.jobs() == NOT, ran.text
    (issue,) = issues(github)
    assert (issue["state"], " run=3.1 " in issue["body"], github.bodies()) == ("open", True, [])

    git(watched.root, "checkout", "--quiet", "honest", "--", "models")
    watched.commit()
    ran = watched.again(github, 4)
    assert ran.jobs() == BORNE_OUT, ran.text
    (issue,) = issues(github)
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    (note,) = github.bodies()
    assert "**🟢 model\\_v1.0 reproduces again.** exact: all of " in note


def test_other_weights_are_refused_and_told(watched: Watched, github: FakeGitHub) -> None:
    weights = watched.version / "checkpoint" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    watched.commit()
    ran = watched.again(github, 1)
    assert ran.jobs() == NOT, ran.text
    assert watched.reproduction()["outcome"] == "refused"
    (issue,) = issues(github)
    assert " outcome=refused " in issue["body"]
    assert "model.safetensors" in issue["body"]


def test_what_cannot_be_run_is_told_with_its_version(watched: Watched, github: FakeGitHub) -> None:
    path = watched.version / "eval.json"
    path.write_bytes(path.read_bytes()[:1000])
    watched.commit()
    ran = watched.again(github, 1)
    assert ran.jobs() == NOT, ran.text
    (issue,) = issues(github)
    assert issue["title"] == "model_v1.0 could not be run again"
    assert "The reproduce job ended with exit code 2; look at its log." in issue["body"]
    assert not watched.act.artifacts.exists()


def test_a_job_that_did_not_get_as_far_as_running_it_is_told(watched: Watched, github: FakeGitHub) -> None:
    ran = watched.again(github, 1, environ={"CHECKOUT_FROM": "/nowhere"})
    assert ran.jobs() == NOT, ran.text
    (issue,) = issues(github)
    assert issue["title"] == "The live version could not be run again"
    assert "The reproduce job did not get as far as running it; look at its log." in issue["body"]


def test_a_run_of_another_branch_leaves_the_issue_alone(watched: Watched, github: FakeGitHub) -> None:
    git(watched.root, "checkout", "--quiet", "-b", "try")
    (watched.version / "samples.jsonl").unlink()
    watched.commit()
    ran = watched.again(github, 1, "workflow_dispatch")
    assert ran.jobs() == {"reproduce": "failed"}, ran.text
    assert github.requests == []


def test_where_no_version_has_a_record_there_is_nothing_to_tell(watched: Watched, github: FakeGitHub) -> None:
    (watched.version / "eval.json").unlink()
    watched.commit()
    ran = watched.again(github, 1)
    assert ran.jobs() == {"reproduce": "succeeded"}, ran.text
    assert "no version has a record yet, so there is nothing to run again" in ran.text
    assert github.requests == []
