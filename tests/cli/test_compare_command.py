from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import Scores, row, table, write
from commands import Ran, run

from modelrelease.records.comparison import Comparison
from modelrelease.records.strict_json import read_json
from modelrelease.records.validation import validate

POLICY = "schema_version: 1\ngate:\n  metrics:\n    qa/acc: {margin: 0.03}\n"
SIDES: dict[str, tuple[Scores, Scores]] = {
    "same": table(600, 20, 20, 360),
    "better": table(600, 20, 60, 320),
    "worse": table(600, 60, 20, 320),
    "uncertain": table(50, 16, 21, 13),
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with a policy and a dataset, the working directory of the command."""
    root = tmp_path / "repository"
    (root / "datasets").mkdir(parents=True)
    (root / "modelrelease.yaml").write_text(POLICY, "utf-8")
    lines = "".join(json.dumps(row(str(number))) + "\n" for number in range(1, 1001))
    (root / "datasets" / "qa.jsonl").write_text(lines, "utf-8")
    monkeypatch.chdir(root)
    return root


def sides(root: Path, name: str, **options: Any) -> tuple[str, str]:
    """Write two evaluations into ``a`` and ``b`` and return these names."""
    before, after = SIDES[name]
    write(root / "a", {"qa": {"acc": before}})
    write(root / "b", {"qa": {"acc": after}}, model="model_v1.1", **options)
    return "a", "b"


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("name", "options", "code", "begins"),
    [
        ("same", (), 0, "Promote: the same within the margin; release it.\n"),
        ("better", ("--context", "pull_request"), 0, "Promote: qa/acc is better; merge.\n"),
        ("worse", (), 1, "Blocked: qa/acc is regressed; look at the 60 items that got worse.\n"),
        ("worse", ("--context", "pull_request"), 1, "Blocked: qa/acc is regressed"),
        ("uncertain", (), 1, "Blocked: qa/acc is inconclusive"),
        ("uncertain", ("--context", "pull_request"), 0, "Promote, with a warning: qa/acc is not proven"),
        ("same", ("--format", "markdown"), 0, "**🟢 Promote: the same within the margin; release it.**\n"),
    ],
)
def test_the_exit_code_is_the_decision(
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: tuple[str, ...],
    code: int,
    begins: str,
) -> None:
    ran = run(capsys, "compare", *sides(repository, name), *options)
    assert (ran.code, ran.err) == (code, "")
    assert ran.out.startswith(begins)


def test_a_suite_that_asks_for_something_else_is_a_no_and_not_an_error(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = run(capsys, "compare", *sides(repository, "same", changes={"suite.tasks.0.digest": "0" * 64}))
    assert ran.code == 1
    assert ran.out.startswith("Blocked: qa/acc is incomparable; score both sides with the same suite.\n")


def test_items_that_changed_are_shown_in_words(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "compare", *sides(repository, "worse")).out
    assert (
        "  broken 601\n"
        "    input     What is number 601?\n"
        "    target    1: a dog\n"
        "    baseline  1: a dog\n"
        "    candidate 0: a cat\n"
    ) in out


def test_the_document_is_printed_as_it_is_written_and_the_same_twice(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sides(repository, "worse")
    ran = run(capsys, "compare", *names, "--json", "--out", "build/one")
    again = run(capsys, "compare", "a/eval.json", "b/eval.json", "--format", "json", "--out", "build/two")
    written = (repository / "build" / "one" / "comparison.json").read_bytes()
    assert ran.out.encode() == again.out.encode() == written
    assert (repository / "build" / "two" / "comparison.json").read_bytes() == written
    comparison = validate(Comparison, read_json(written.decode(), "comparison.json"))
    assert comparison.to_bytes() == written
    assert (comparison.decision, comparison.context) == ("block", "release")
    assert comparison.policies[0].source_ref == "modelrelease.yaml"
    assert sorted(path.name for path in (repository / "build" / "one").iterdir()) == ["comparison.json"]


def test_the_document_is_replaced_and_a_block_writes_it_too(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, decision in (("same", "promote"), ("worse", "block")):
        run(capsys, "compare", *sides(repository, name), "--out", "build")
        assert json.loads((repository / "build" / "comparison.json").read_text("utf-8"))["decision"] == decision


def failed(ran: Ran, code: int, *beginnings: str) -> None:
    assert (ran.code, ran.out) == (code, "")
    lines = ran.err.splitlines()
    assert [line[: len(begins)] for line, begins in zip(lines, beginnings, strict=True)] == list(beginnings)


def test_a_side_that_is_not_there_is_named(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sides(repository, "same")
    failed(run(capsys, "compare", "a", "c"), 2, "c: MR209 does not exist; name an existing file")
    failed(run(capsys, "compare", "datasets", "b"), 2, "datasets/eval.json: MR209 does not exist; name")


def test_what_fails_writes_and_prints_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = sides(repository, "same")
    lines = (repository / "b" / "samples.jsonl").read_bytes().replace(b'"acc":1.0', b'"acc":0.0', 1)
    (repository / "b" / "samples.jsonl").write_bytes(lines)
    ran = run(capsys, "compare", *names, "--out", "build", "--json")
    failed(ran, 2, "b/samples.jsonl: MR501 is not the file that eval.json names (other sha256)")
    assert not (repository / "build").exists()


def test_a_disk_that_refuses_is_not_a_verdict(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "build").write_text("a file", "utf-8")
    ran = run(capsys, "compare", *sides(repository, "same"), "--out", "build")
    failed(ran, 3, "build/comparison.json: MR603 cannot be written: ")


@pytest.mark.parametrize(
    ("policy", "finding"),
    [
        ("schema_version: 1\n", "modelrelease.yaml: MR504 no metric decides"),
        (POLICY.replace("0.03", "3"), "modelrelease.yaml: MR505 `qa/acc`: a margin of 3 lets everything pass"),
        (POLICY.replace("margin", "margn"), "modelrelease.yaml:4: MR206 unknown key `margn`; did you mean `margin`?"),
        (POLICY.replace("0.03", ".nan"), "modelrelease.yaml:4: MR204 `.nan` is no finite number"),
    ],
)
def test_a_policy_that_cannot_be_applied_is_named_with_its_line(
    repository: Path, capsys: pytest.CaptureFixture[str], policy: str, finding: str
) -> None:
    (repository / "modelrelease.yaml").write_text(policy, "utf-8")
    ran = run(capsys, "compare", *sides(repository, "same"))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(finding)


def test_without_a_policy_there_is_no_decision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(capsys, "compare", *sides(tmp_path, "same"))
    failed(ran, 2, "modelrelease.yaml: MR209 is not in ")
    assert ran.err.endswith("add one, or name it with --config\n")


def test_the_policy_can_be_named(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "strict.yaml").write_text(POLICY.replace("0.03", "0.005"), "utf-8")
    names = sides(repository, "same")
    assert run(capsys, "compare", *names).code == 0
    ran = run(capsys, "compare", *names, "--config", "strict.yaml")
    assert ran.code == 1
    assert "policy     strict.yaml, for a release\n" in ran.out


def test_the_policy_is_read_as_committed_where_a_ref_is_named(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "init", "--quiet")
    git(repository, "add", "modelrelease.yaml")
    git(repository, "commit", "--quiet", "-m", "the policy")
    (repository / "modelrelease.yaml").write_text(POLICY.replace("0.03", "0.4"), "utf-8")
    names = sides(repository, "worse")
    assert run(capsys, "compare", *names).code == 0  # the pull request's own copy lets it pass
    ran = run(capsys, "compare", *names, "--policy-ref", "HEAD", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["policies"][0]["source_ref"] == "HEAD:modelrelease.yaml"
    (repository / "modelrelease.yaml").write_text("nonsense: [", "utf-8")
    failed(run(capsys, "compare", *names), 2, "modelrelease.yaml:1")


def test_the_policy_of_a_folder_in_a_repository_is_found_in_that_folder(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository.parent, "init", "--quiet")
    git(repository.parent, "add", ".")
    git(repository.parent, "commit", "--quiet", "-m", "several projects")
    names = sides(repository, "same")
    (repository / "modelrelease.yaml").unlink()
    assert run(capsys, "compare", *names, "--policy-ref", "HEAD").code == 0
    monkeypatch.chdir(repository / "datasets")
    failed(
        run(capsys, "compare", "../a", "../b", "--policy-ref", "HEAD"), 2, "modelrelease.yaml: MR209 is not in 'HEAD'"
    )


@pytest.mark.parametrize(
    ("arguments", "finding"),
    [
        (("--policy-ref", "nowhere"), "modelrelease.yaml: MR209 'nowhere' names no commit; fetch it, or name another"),
        (("--policy-ref=-x",), "modelrelease.yaml: MR209 '-x' names no commit; fetch it, or name another ref"),
        (("--policy-ref=--help",), "modelrelease.yaml: MR209 '--help' names no commit"),
        (("--policy-ref=HEAD:modelrelease.yaml",), "modelrelease.yaml: MR209 'HEAD:modelrelease.yaml' names no commit"),
        (("--policy-ref=",), "modelrelease.yaml: MR209 '' names no commit"),
        (("--policy-ref", "HEAD", "--config", "other.yaml"), "other.yaml: MR209 is not in 'HEAD'; fetch it, or name"),
        (("--policy-ref", "broken"), "broken:modelrelease.yaml:1"),
        (("--policy-ref", "-x"), "modelrelease compare: MR601 argument --policy-ref: expected one argument"),
    ],
)
def test_a_ref_that_gives_no_policy_is_named(
    repository: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], finding: str
) -> None:
    git(repository, "init", "--quiet")
    git(repository, "add", "modelrelease.yaml")
    git(repository, "commit", "--quiet", "-m", "the policy")
    git(repository, "checkout", "--quiet", "-b", "broken")
    (repository / "modelrelease.yaml").write_text("nonsense: [", "utf-8")
    git(repository, "commit", "--quiet", "-am", "no policy")
    git(repository, "checkout", "--quiet", "-")
    (repository / "other.yaml").write_text(POLICY, "utf-8")
    ran = run(capsys, "compare", *sides(repository, "same"), *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(finding)


def test_outside_of_git_no_ref_names_a_commit(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "compare", *sides(repository, "same"), "--policy-ref", "HEAD")
    failed(ran, 2, "modelrelease.yaml: MR209 'HEAD' names no commit")


def other_item(sample: dict[str, Any]) -> None:
    if sample["item_id"] == "7":
        sample["item_digest"] = "0" * 64


def test_changed_items_are_refused_unless_the_rest_is_asked_for(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sides(repository, "same", edit=other_item)
    refused = run(capsys, "compare", *names)
    assert refused.code == 1
    assert refused.out.startswith(
        "Blocked: qa/acc is incomparable; score both sides on the same items, or pass `--on-changed-items intersect`.\n"
    )
    rest = run(capsys, "compare", *names, "--on-changed-items", "intersect")
    assert rest.code == 0
    assert "  - qa: left out 1 item, not the same on both sides: 7\n" in rest.out


def test_a_link_to_the_samples_is_read(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = sides(repository, "same")
    (repository / "a" / "samples.jsonl").rename(repository / "kept.jsonl")
    (repository / "a" / "samples.jsonl").symlink_to(repository / "kept.jsonl")
    assert run(capsys, "compare", *names).code == 0


def test_the_script_in_a_clone_is_the_command(repository: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "scripts" / "compare_metrics.py"
    done = subprocess.run(
        [sys.executable, str(script), *sides(repository, "worse")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("Blocked: qa/acc is regressed")


def test_the_policy_in_force_says_how_much_of_the_items_a_report_shows(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "init", "-q")
    git(repository, "add", "modelrelease.yaml")
    git(repository, "commit", "-q", "-m", "the policy, which shows ids")
    names, own = sides(repository, "worse"), f"{POLICY}comment: {{samples: text}}\n"
    (repository / "modelrelease.yaml").write_text(own, "utf-8")
    shown = run(capsys, "compare", *names, "--format", "markdown", "--out", "out").out
    assert "input: What is number 6" in shown
    kept = run(capsys, "compare", *names, "--format", "markdown", "--policy-ref", "HEAD", "--out", "base").out
    assert "`601`" in kept
    assert "What is number" not in kept
    assert "What is number" not in run(capsys, "comment", "base", "--samples", "text", "--print").out
    assert "What is number" not in run(capsys, "comment", "out", "--samples", "ids", "--print").out
    assert "What is number" in run(capsys, "comment", "out", "--print").out


@pytest.mark.parametrize(("policy", "shown"), [("ids", False), ("text", True)])
def test_a_job_s_log_shows_no_more_of_items_than_the_policy_allows(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, policy: str, shown: bool
) -> None:
    (repository / "modelrelease.yaml").write_text(f"{POLICY}comment: {{samples: {policy}}}\n", "utf-8")
    before, after = sides(repository, "worse")
    here = run(capsys, "compare", before, after).out
    question = next(line for line in here.splitlines() if line.strip().startswith("input"))
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    assert (question in run(capsys, "compare", before, after).out) == shown
