"""`modelrelease pull-request`: exit codes, what it prints and writes, and what it leaves unimported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run
from repositories import CONFIG, LIVE, NEW, Repository, copy, create_scored, other_weights
from tiny_models import TinyModels

Capture = pytest.CaptureFixture[str]
HOW = ("--device=cpu", "--batch-tokens=256")


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return create_scored(tmp_path_factory.mktemp("template") / "repository", tiny.folder("llama"))


@pytest.fixture
def pull(template: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A branch that adds a copy of the live version; journals go to a folder of the test's own."""
    repository = copy(template, tmp_path / "repository")
    repository.add_version(NEW, repository.root / LIVE / "checkpoint")
    repository.commit()
    monkeypatch.chdir(repository.root)
    monkeypatch.setenv("MODELRELEASE_CACHE", str(tmp_path / "cache"))
    return repository


def test_a_version_that_is_as_good_passes(pull: Repository, capsys: Capture) -> None:
    ran = run(capsys, "pull-request", *HOW)
    assert ran.code == 0
    assert "promote" in ran.out.lower()
    assert pull.written()["decision"] == "promote"
    files = {path.relative_to(pull.out).as_posix() for path in pull.out.rglob("*") if path.is_file()}
    sides = {f"{side}/{name}" for side in ("candidate", "baseline") for name in ("eval.json", "samples.jsonl")}
    assert files == {"comparison.json", *sides}
    assert pull.git("status", "--porcelain") == ""


def test_a_version_that_misses_the_floor_does_not(
    template: Repository, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = copy(template, tmp_path / "repository", lambda it: it.replace(CONFIG, "0.05}", "0.05, min: 0.95}"))
    pull.add_version(NEW, other_weights(pull.root / LIVE / "checkpoint", tmp_path / "other"))
    pull.commit()
    monkeypatch.chdir(pull.root)
    out = tmp_path / "results"
    ran = run(capsys, "pull-request", *HOW, "--out", out, "--json")
    assert (ran.code, json.loads(ran.out)["decision"]) == (1, "block")
    assert (out / "comparison.json").read_text("utf-8") == ran.out
    assert not (pull.root / ".modelrelease").exists()


def test_a_named_range_and_markdown(pull: Repository, capsys: Capture) -> None:
    arguments = ("--base", "main", "--head", "change", "--candidate", NEW, "--baseline", LIVE, "--format", "markdown")
    ran = run(capsys, "pull-request", *HOW, *arguments)
    assert ran.code == 0
    assert pull.written()["resolution"]["baseline_rule"] == "input"
    assert "| pick/acc |" in ran.out.replace("`", "")


def test_what_is_malformed_or_misused_is_exit_2_and_leaves_no_decision(pull: Repository, capsys: Capture) -> None:
    assert run(capsys, "pull-request", *HOW).code == 0
    for spoil, message in (
        (lambda: pull.write("evals/release.yaml", "{"), "MR201"),
        (lambda: pull.write(f"{NEW}/checkpoint/config.json", "["), "config.json"),
        (lambda: pull.write("models/model_v1.2/README.md", "# Soon"), "MR508"),
    ):
        spoil()
        pull.commit()
        ran = run(capsys, "pull-request", *HOW)
        assert (ran.code, ran.out) == (2, "")
        assert message in ran.err
        assert "Traceback" not in ran.err
        assert not (pull.out / "comparison.json").exists()
        pull.git("reset", "--quiet", "--hard", "HEAD~1")


def test_an_engine_that_is_not_there_is_exit_3(pull: Repository, capsys: Capture) -> None:
    ran = run(capsys, "pull-request", "--device=cuda:99")
    assert (ran.code, ran.out) == (3, "")
    assert not (pull.out / "comparison.json").exists()


@pytest.mark.parametrize("command", ["resolve", "pull-request"])
def test_what_scores_nothing_imports_neither_torch_nor_scipy(pull: Repository, command: str) -> None:
    program = f"""
import sys
from modelrelease.cli.main import main
code = main([{command!r}, "--base", "change", "--json"])
heavy = {{"torch", "transformers", "tokenizers", "scipy", "numpy", "tqdm"}} & set(sys.modules)
print(code, sorted(heavy), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=pull.root)
    assert done.stderr.strip() == "0 []"
    assert json.loads(done.stdout).get("decision", "not-needed") == "not-needed"
