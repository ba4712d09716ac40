"""workflows-templates/pull-request.yml, run whole in a consumer's repository with real (tiny) models."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from acting import CHECKOUT, KIT, ROOT, Act, Ran, git
from fakes.github import JOB_TOKEN, FakeGitHub, add_pull
from tiny_models import TinyModels, write_project

from modelrelease.cli.main import main

REPOSITORY = "acme/support"
POLICY = "schema_version: 1\nsuite: evals/release.yaml\ngate: {metrics: {pick/acc: {margin: 0.05}}}\n"


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

    def queue(self) -> Ran:
        """Commit, and let a merge queue ask for the check."""
        sha, base = self._commit()
        group = {"base_sha": base, "base_ref": "refs/heads/main", "head_sha": sha, "head_ref": "refs/heads/queue/b"}
        return self._run("merge_group", {"merge_group": group})

    def open(self, github: FakeGitHub, run: int, fork: bool = False, workflow: Path | None = None) -> Ran:
        """Commit, and open or update pull request 7 with it."""
        sha, base = self._commit()
        repository = github.repository(REPOSITORY)
        add_pull(repository, 7, sha)
        head = {"sha": sha, "ref": "b", "repo": {"full_name": "mallory/support" if fork else REPOSITORY}}
        into = {"ref": "main", "sha": base, "repo": {"full_name": REPOSITORY}}
        payload = {"pull_request": {"number": 7, "head": head, "base": into}}
        job = {"GITHUB_API_URL": github.url, "GITHUB_RUN_ID": str(run)}
        return self._run("pull_request", payload, job=job, token=JOB_TOKEN, workflow=workflow)

    def _commit(self) -> tuple[str, str]:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message=change")
        return git(self.root, "rev-parse", "HEAD"), git(self.root, "rev-parse", "main")

    def _run(self, event: str, payload: dict[str, Any], **options: Any) -> Ran:
        return self.act.run(self.root, event, payload, variables={"MODELRELEASE_RUNNER": "self-hosted"}, **options)

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
    return Consumer(Act(folder / "machine", tmp_path_factory), root, tiny)


def bodies(github: FakeGitHub) -> list[str]:
    return [comment["body"] for comment in github.repository(REPOSITORY).comments.values()]


def test_a_new_version_is_scored_commented_and_passes(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("new")
    consumer.add_version()
    ran = consumer.open(github, 5)
    assert ran.jobs() == {"check": "succeeded", "score": "succeeded", "gate": "succeeded"}, ran.text
    found = consumer.comparison()
    assert (found["decision"], found["resolution"]["rule"]) == ("promote", "new-version")
    results = {path.name for path in (consumer.act.artifacts / "modelrelease").iterdir()}
    assert results == {"eval.json", "samples.jsonl"}
    (body,) = bodies(github)
    assert "pick/acc" in body
    assert f"Commit {git(consumer.root, 'rev-parse', 'HEAD')[:7]}." in body
    assert "gh run download 5 -n modelrelease -D models/model_v1.1" in body
    assert JOB_TOKEN not in ran.text


def test_a_version_taken_back_is_told_in_the_same_comment(consumer: Consumer, github: FakeGitHub) -> None:
    """A pull request that scored something, and then no longer does, must not keep an old decision."""
    consumer.branch("back")
    (consumer.root / "README.md").write_text("Words.\n", "utf-8")
    consumer.open(github, 5)
    (consumer.root / "README.md").write_text("More words.\n", "utf-8")
    ran = consumer.open(github, 6)
    assert ran.jobs() == {"check": "succeeded", "gate": "succeeded"}, ran.text
    (body,) = bodies(github)
    assert "Not needed" in body
    assert " run=6.1 " in body


def test_the_whole_check_in_one_step_comments_when_asked(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("one-step")
    (consumer.root / "README.md").write_text("Even more words.\n", "utf-8")
    step = {"uses": KIT, "with": {"base": "origin/main", "comment": True, "python": sys.executable}}
    step["with"]["system-site-packages"] = True
    job = {"runs-on": "self-hosted", "steps": [{"uses": CHECKOUT, "with": {"ref": "one-step"}}, step]}
    workflow = consumer.act.folder / "one-step.yml"
    workflow.write_text(yaml.safe_dump({"on": "pull_request", "jobs": {"one": job}}), "utf-8")
    ran = consumer.open(github, 5, workflow=workflow)
    assert ran.jobs() == {"one": "succeeded"}, ran.text
    assert len(bodies(github)) == 1
    step["with"]["token"] = "ghs_unknown"
    workflow.write_text(yaml.safe_dump({"on": "pull_request", "jobs": {"one": job}}), "utf-8")
    ran = consumer.open(github, 6, workflow=workflow)
    assert ran.jobs() == {"one": "failed"}, ran.text
    assert "exit-code=3" in ran.text
    assert "Not needed" in ran.text


def test_documentation_alone_is_not_scored_and_passes(consumer: Consumer) -> None:
    consumer.branch("docs")
    (consumer.root / "README.md").write_text("More words.\n", "utf-8")
    ran = consumer.queue()
    assert ran.jobs() == {"check": "succeeded", "gate": "succeeded"}, ran.text
    assert consumer.comparison()["decision"] == "not-needed"


def test_a_fork_s_version_is_not_scored_and_fails(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("fork")
    consumer.add_version()
    ran = consumer.open(github, 5, fork=True)
    assert ran.jobs() == {"check": "succeeded", "gate": "failed"}, ran.text
    said = "this pull request was not scored; it comes from a fork; a maintainer pushes this branch to score it"
    assert f"::error file=modelrelease,title=MR603::{said}" in ran.text
    assert github.requests == []
    assert not consumer.act.artifacts.exists()


def test_a_scorer_that_fails_fails_the_gate(consumer: Consumer) -> None:
    consumer.branch("damaged")
    (consumer.add_version() / "checkpoint" / "model.safetensors").write_bytes(b"no weights")
    ran = consumer.queue()
    assert ran.jobs() == {"check": "succeeded", "score": "failed", "gate": "failed"}, ran.text
    assert "was not scored; the score job passed no comparison on; look at its log" in ran.text
    assert "title=MR405" in ran.text
    assert not consumer.act.artifacts.exists()


def test_a_check_that_fails_fails_the_gate(consumer: Consumer) -> None:
    consumer.branch("malformed")
    (consumer.root / "modelrelease.yaml").write_text("schema_version: 1\nsuite: [\n", "utf-8")
    ran = consumer.queue()
    assert ran.jobs() == {"check": "failed", "gate": "failed"}, ran.text
    assert "was not scored; the check job did not finish; look at its log" in ran.text
    assert "::error file=modelrelease.yaml,line=" in ran.text
