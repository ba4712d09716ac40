"""workflows-templates/pull-request.yml, run whole in a consumer's repository with real (tiny) models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acting import ROOT, Act, Ran
from tiny_models import TinyModels, write_project

from modelrelease.cli.main import main

REPOSITORY = "acme/support"
POLICY = "schema_version: 1\nsuite: evals/release.yaml\ngate: {metrics: {pick/acc: {margin: 0.05}}}\n"


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *person, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@dataclass
class Consumer:
    """A repository that uses the template: model_v1.0 is live on main, and each test has a branch of its own."""

    act: Act
    root: Path
    tiny: TinyModels

    def branch(self, name: str) -> None:
        git(self.root, "checkout", "--quiet", "--force", "-B", name, "main")
        shutil.rmtree(self.act.artifacts, ignore_errors=True)

    def add_version(self) -> Path:
        folder = self.root / "models" / "model_v1.1"
        shutil.copytree(self.tiny.folder("llama"), folder / "checkpoint")
        return folder

    def check(self, event: str = "merge_group", fork: bool = False) -> Ran:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message=change")
        sha, base = git(self.root, "rev-parse", "HEAD"), git(self.root, "rev-parse", "main")
        group = {"base_sha": base, "base_ref": "refs/heads/main", "head_sha": sha, "head_ref": "refs/heads/queue/b"}
        payload: dict[str, Any] = {"merge_group": group}
        if event == "pull_request":
            head = {"sha": sha, "ref": "b", "repo": {"full_name": "mallory/support" if fork else REPOSITORY}}
            into = {"ref": "main", "sha": base, "repo": {"full_name": REPOSITORY}}
            payload = {"pull_request": {"number": 7, "head": head, "base": into}}
        return self.act.run(self.root, event, payload, variables={"MODELRELEASE_RUNNER": "self-hosted"})

    def comparison(self) -> dict[str, Any]:
        path = self.act.artifacts / "modelrelease-comparison" / "comparison.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found


@pytest.fixture(scope="module")
def consumer(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    folder = tmp_path_factory.mktemp("consumer")
    root = write_project(folder / "support")
    (root / "modelrelease.yaml").write_text(POLICY, "utf-8")
    shutil.copytree(tiny.folder("llama"), root / "models" / "model_v1.0" / "checkpoint")
    options = [f"--config={root / 'modelrelease.yaml'}", "--device=cpu", "--threads=1"]
    assert main(["score", *options, str(root / "models" / "model_v1.0")]) == 0
    # The template's environments come from PyPI; here all of them sit on the packages of this Python.
    text = (ROOT / "workflows-templates" / "pull-request.yml").read_text("utf-8")
    ours = f"\n          python: {sys.executable}"
    for name in ("base: ", "comparison: "):
        text = text.replace(f"\n          {name}", f"{ours}\n          {name}")
    text = text.replace("\n          system-site-packages: true", "")
    text = text.replace(ours, f"{ours}\n          system-site-packages: true")
    (root / ".github" / "workflows").mkdir(parents=True)
    (root / ".github" / "workflows" / "modelrelease.yml").write_text(text, "utf-8")
    git(root, "init", "--quiet")
    git(root, "remote", "add", "origin", f"https://github.com/{REPOSITORY}.git")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=start")
    return Consumer(Act(folder / "machine"), root, tiny)


def test_a_new_version_is_scored_and_passes(consumer: Consumer) -> None:
    consumer.branch("new")
    consumer.add_version()
    ran = consumer.check()
    assert ran.jobs() == {"check": "succeeded", "score": "succeeded", "gate": "succeeded"}, ran.text
    found = consumer.comparison()
    assert (found["decision"], found["resolution"]["rule"]) == ("promote", "new-version")
    results = {path.name for path in (consumer.act.artifacts / "modelrelease").iterdir()}
    assert results == {"eval.json", "samples.jsonl"}


def test_documentation_alone_is_not_scored_and_passes(consumer: Consumer) -> None:
    consumer.branch("docs")
    (consumer.root / "README.md").write_text("More words.\n", "utf-8")
    ran = consumer.check()
    assert ran.jobs() == {"check": "succeeded", "gate": "succeeded"}, ran.text
    assert consumer.comparison()["decision"] == "not-needed"


def test_a_fork_s_version_is_not_scored_and_fails(consumer: Consumer) -> None:
    consumer.branch("fork")
    consumer.add_version()
    ran = consumer.check("pull_request", fork=True)
    assert ran.jobs() == {"check": "succeeded", "gate": "failed"}, ran.text
    said = "this pull request was not scored; it comes from a fork; a maintainer pushes this branch to score it"
    assert f"::error file=modelrelease,title=MR603::{said}" in ran.text
    assert not consumer.act.artifacts.exists()


def test_a_scorer_that_fails_fails_the_gate(consumer: Consumer) -> None:
    consumer.branch("damaged")
    (consumer.add_version() / "checkpoint" / "model.safetensors").write_bytes(b"no weights")
    ran = consumer.check()
    assert ran.jobs() == {"check": "succeeded", "score": "failed", "gate": "failed"}, ran.text
    assert "was not scored; the score job passed no comparison on; look at its log" in ran.text
    assert "title=MR405" in ran.text
    assert not consumer.act.artifacts.exists()


def test_a_check_that_fails_fails_the_gate(consumer: Consumer) -> None:
    consumer.branch("malformed")
    (consumer.root / "modelrelease.yaml").write_text("schema_version: 1\nsuite: [\n", "utf-8")
    ran = consumer.check()
    assert ran.jobs() == {"check": "failed", "gate": "failed"}, ran.text
    assert "was not scored; the check job did not finish; look at its log" in ran.text
    assert "::error file=modelrelease.yaml,line=" in ran.text
