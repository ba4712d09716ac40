"""workflows-templates/pull-request.yml, run whole in a consumer's repository with real (tiny) models."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from acting import CHECKOUT, KIT, Act, git
from consumers import Consumer, adopt, bodies
from fakes.github import JOB_TOKEN, FakeGitHub
from papers import list_again, write_papers
from tiny_models import TinyModels, write_project

from modelrelease.cli.main import main

POLICY = "schema_version: 1\nsuite: evals/release.yaml\ngate: {metrics: {pick/acc: {margin: 0.05}}}\n"


@pytest.fixture(scope="module")
def consumer(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    folder = tmp_path_factory.mktemp("consumer")
    root = write_project(folder / "support")
    (root / "modelrelease.yaml").write_text(POLICY, "utf-8")
    shutil.copytree(tiny.folder("llama"), root / "models" / "model_v1.0" / "checkpoint")
    options = [f"--config={root / 'modelrelease.yaml'}", "--device=cpu", "--threads=1"]
    assert main(["score", *options, str(root / "models" / "model_v1.0")]) == 0
    git(root, "init", "--quiet")
    adopt(root)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=start")
    return Consumer(Act(folder / "machine", tmp_path_factory), root)


def add_version(consumer: Consumer, tiny: TinyModels) -> Path:
    folder = consumer.root / "models" / "model_v1.1"
    shutil.copytree(tiny.folder("llama"), folder / "checkpoint")
    write_papers(folder, folder / "checkpoint")
    return folder


def add_damaged_version(consumer: Consumer, tiny: TinyModels) -> None:
    """Add one that agrees with its papers, and that nothing can load."""
    folder = add_version(consumer, tiny)
    (folder / "checkpoint" / "model.safetensors").write_bytes(b"no weights")
    list_again(folder)


def test_a_new_version_is_scored_commented_and_passes(consumer: Consumer, github: FakeGitHub, tiny: TinyModels) -> None:
    consumer.branch("new")
    add_version(consumer, tiny)
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


def test_a_fork_s_version_is_not_scored_and_fails(consumer: Consumer, github: FakeGitHub, tiny: TinyModels) -> None:
    consumer.branch("fork")
    add_version(consumer, tiny)
    ran = consumer.open(github, 5, fork=True)
    assert ran.jobs() == {"check": "succeeded", "gate": "failed"}, ran.text
    said = "this pull request was not scored; it comes from a fork; a maintainer pushes this branch to score it"
    assert f"::error file=modelrelease,title=MR603::{said}" in ran.text
    assert github.requests == []
    assert not consumer.act.artifacts.exists()


def test_a_scorer_that_fails_fails_the_gate(consumer: Consumer, tiny: TinyModels) -> None:
    consumer.branch("damaged")
    add_damaged_version(consumer, tiny)
    ran = consumer.queue()
    assert ran.jobs() == {"check": "succeeded", "score": "failed", "gate": "failed"}, ran.text
    assert "was not scored; the score job passed no comparison on; look at its log" in ran.text
    assert "title=MR405" in ran.text
    assert not consumer.act.artifacts.exists()


def test_an_earlier_attempt_s_comparison_is_not_taken_for_this_one_s(consumer: Consumer, tiny: TinyModels) -> None:
    """Artifacts are a run's, and stay when it is run again."""
    consumer.branch("again")
    consumer.queue()
    document = {**consumer.comparison(), "resolution": None}
    (consumer.act.artifacts / "modelrelease-comparison" / "comparison.json").write_text(json.dumps(document), "utf-8")
    add_damaged_version(consumer, tiny)
    ran = consumer.queue()
    assert ran.jobs() == {"check": "succeeded", "score": "failed", "gate": "failed"}, ran.text
    assert "was not scored; the score job passed no comparison on; look at its log" in ran.text


def test_a_check_that_fails_fails_the_gate(consumer: Consumer) -> None:
    consumer.branch("malformed")
    (consumer.root / "modelrelease.yaml").write_text("schema_version: 1\nsuite: [\n", "utf-8")
    ran = consumer.queue()
    assert ran.jobs() == {"check": "failed", "gate": "failed"}, ran.text
    assert "was not scored; the check job did not finish; look at its log" in ran.text
    assert "::error file=modelrelease.yaml,line=" in ran.text
