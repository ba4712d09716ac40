"""Pull requests of a repository that uses the template, whole: act, the local GitHub, and the demo's two models.

Each comment is left in build/comments, to be looked at as a reviewer would.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from acting import ROOT, Act, Ran, git
from consumers import REPOSITORY, Consumer, adopt, bodies
from fakes.github import FakeGitHub
from papers import list_again, write_papers

COMMENTS = ROOT / "build" / "comments"
PASSED = {"check": "succeeded", "score": "succeeded", "gate": "succeeded"}
BLOCKED = {"check": "succeeded", "score": "failed", "gate": "failed"}


@pytest.fixture(scope="module")
def consumer(demo: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    """Return a repository in which model_v1.0 is live on main; the tag ``trained`` has model_v1.1 as well."""
    folder = tmp_path_factory.mktemp("consumer")
    root = folder / "support"
    git(folder, "clone", "--quiet", str(demo[0]), str(root))
    git(root, "tag", "trained")
    git(root, "reset", "--quiet", "--hard", "HEAD~1")
    git(root, "remote", "remove", "origin")
    adopt(root)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Check pull requests")
    return Consumer(Act(folder / "machine", tmp_path_factory), root)


def add_trained(consumer: Consumer, files: str = "models/model_v1.1/checkpoint") -> None:
    git(consumer.root, "checkout", "trained", "--", files)
    version = consumer.root / "models" / "model_v1.1"
    write_papers(version, version / "checkpoint", parent="model_v1.0")
    git(consumer.root, "add", "--all")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def comment(github: FakeGitHub, name: str, ran: Ran) -> str:
    """Return the pull request's only comment, without its marker, and keep it to be looked at."""
    found = bodies(github)
    assert len(found) == 1, ran.text
    COMMENTS.mkdir(parents=True, exist_ok=True)
    (COMMENTS / f"{name}.md").write_text(found[0], "utf-8")
    return found[0].partition("-->\n")[2]


def again(consumer: Consumer) -> str | None:
    """Return what of the baseline was scored again."""
    found = consumer.comparison()["baseline"]["scored_again"]
    return found and f"{found['items']} of {found['of']}: {', '.join(found['why'])}"


def test_a_new_version_and_then_the_same_pull_request_updated(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("new")
    add_trained(consumer)
    ran = consumer.open(github, 11)
    assert ran.jobs() == PASSED, ran.text
    first = comment(github, "new-version", ran)
    assert re.match(
        r"\*\*🟢 Promote: choose/acc, reply/exact\\_match are better; merge\.\*\* Commit [0-9a-f]{7}\.\n", first
    )
    assert "gh run download 11 -n modelrelease -D models/model_v1.1" in first
    assert again(consumer) is None, "the record of the live version covers the comparison"
    edit(consumer.root / "README.md", "A shop's assistant", "A small shop's assistant")
    ran = consumer.open(github, 12)
    assert ran.jobs() == PASSED, ran.text
    second = comment(github, "updated", ran)
    assert f"Commit {git(consumer.root, 'rev-parse', 'HEAD')[:7]}." in second
    assert len(github.repository(REPOSITORY).comments) == 1


def test_results_are_brought_into_the_branch_as_the_comment_says(consumer: Consumer, github: FakeGitHub) -> None:
    """What `gh run download` would put into the version's folder is its record."""
    consumer.branch("bring")
    add_trained(consumer)
    assert consumer.open(github, 13).jobs() == PASSED
    for path in (consumer.act.artifacts / "modelrelease").iterdir():
        (consumer.root / "models" / "model_v1.1" / path.name).write_bytes(path.read_bytes())
    recorded = json.loads((consumer.root / "models" / "model_v1.1" / "eval.json").read_text("utf-8"))
    assert recorded["model"]["version"] == "model_v1.1"
    known = git(consumer.root, "show", "trained:models/model_v1.1/samples.jsonl").splitlines()
    ours = (consumer.root / "models" / "model_v1.1" / "samples.jsonl").read_text("utf-8").splitlines()
    assert len(ours) == len(known)


def test_a_regression_is_blocked(consumer: Consumer, github: FakeGitHub) -> None:
    """What was trained on half of the text wants to replace what was trained on all of it."""
    consumer.branch("better")
    add_trained(consumer, "models/model_v1.1")
    git(consumer.root, "commit", "--quiet", "--message=model_v1.1 is live")
    consumer.branch("regression", "better")
    models = consumer.root / "models"
    shutil.copytree(models / "model_v1.0" / "checkpoint", models / "model_v1.2" / "checkpoint")
    write_papers(models / "model_v1.2", models / "model_v1.2" / "checkpoint", parent="model_v1.1")
    ran = consumer.open(github, 21)
    assert ran.jobs() == BLOCKED, ran.text
    found = comment(github, "regression", ran)
    assert re.match(r"\*\*🔴 Blocked: \S+ is regressed .*look at the \d+ items that got worse", found), found
    assert "model_v1.1" in found


def test_a_prompt_alone_is_asked_of_the_live_checkpoint(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("prompt")
    edit(consumer.root / "prompts" / "ask.md", "Q: {{question}}\nA:", "{{question}}\nAnswer in one word:")
    consumer.stamp("Ask for one word, since half of the replies were sentences")
    ran = consumer.open(github, 31)
    assert set(ran.jobs()) == set(PASSED), ran.text
    found = comment(github, "prompt", ran)
    assert consumer.comparison()["resolution"]["rule"] == "changed-inputs"
    assert consumer.comparison()["subject"] == ["prompt"]
    assert "prompt `prompts/ask.md`\n" in found
    assert "Ada: Ask for one word, since half of the replies were sentences" in found
    assert "[-Q:-]" in found or "{+Answer in one word+}" in found, found
    assert "gh run download" not in found, "there is no version that the results would be of"


def test_a_repaired_test_row_is_asked_why_and_then_not_blocked(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("row")
    add_trained(consumer)
    path = consumer.root / "datasets" / "choose.jsonl"
    first, _, rest = path.read_text("utf-8").partition("\n")
    path.write_text(first.replace("?", " please?", 1) + "\n" + rest, "utf-8")
    assert path.read_text("utf-8").partition("\n")[0] != first
    refused = consumer.open(github, 40)
    assert refused.jobs() == {"check": "failed", "gate": "failed"}, refused.text
    assert "::error file=datasets/choose.jsonl,line=1,title=MR101::" in refused.text
    assert 'run `modelrelease stamp --reason "…" --add`' in refused.text
    assert "changes lack their record of who, why and when" in comment(github, "unexplained", refused)
    consumer.stamp("Ask politely, as the customer of the ticket did")
    ran = consumer.open(github, 41)
    assert ran.jobs() == PASSED, ran.text
    found = comment(github, "repaired-row", ran)
    assert "baseline scored again: 1 of 640 items, test set changed" in found
    assert "dataset `datasets/choose.jsonl`: 1 row changed\n" in found
    assert "Ada: Ask politely, as the customer of the ticket did" in found
    assert "please?" not in found, "rows are shown only where the policy says so"


def test_a_changed_margin_is_answered_by_both_policies(consumer: Consumer, github: FakeGitHub) -> None:
    """A pull request that gives itself a floor it cannot clear is judged by the target branch's policy."""
    consumer.branch("margin")
    add_trained(consumer)
    edit(consumer.root / "modelrelease.yaml", "choose/acc: {margin: 0.05}", "choose/acc: {margin: 0.05, min: 0.99}")
    consumer.stamp("A floor under what customers get to see")
    ran = consumer.open(github, 51)
    assert ran.jobs() == PASSED, ran.text
    found = comment(github, "margin", ran)
    answers = [answer["decision"] for answer in consumer.comparison()["policies"]]
    assert answers == ["promote", "block"]
    assert "choose/acc.min none → 0.99" in found
    assert "does not clear its floor" in found


def test_documentation_is_not_scored(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("docs")
    edit(consumer.root / "README.md", "A shop's assistant", "A shop's own assistant")
    ran = consumer.open(github, 61)
    assert ran.jobs() == {"check": "succeeded", "gate": "succeeded"}, ran.text
    assert "Not needed" in comment(github, "documentation", ran)


def test_a_scorer_that_crashes_fails_the_gate_and_is_told(consumer: Consumer, github: FakeGitHub) -> None:
    consumer.branch("crash")
    add_trained(consumer)
    weights = consumer.root / "models" / "model_v1.1" / "checkpoint" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    list_again(weights.parent.parent)
    ran = consumer.open(github, 71)
    assert ran.jobs() == BLOCKED, ran.text
    found = comment(github, "crash", ran)
    assert "the score job passed no comparison on; look at its log" in found
    assert "title=MR405" in ran.text
