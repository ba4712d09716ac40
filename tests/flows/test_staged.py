"""What is live for a pull request: what the ledger names, as far as this clone has it, without asking anybody."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from commands import run
from ledgers import intent, moved, released
from repositories import LIVE, NEW, Repository, create

from modelrelease.config import find_project
from modelrelease.flows.ledger import append_event, ledger_branch, open_ledger
from modelrelease.flows.resolve import live_version
from modelrelease.records.ledger import Event

ONE, TWO, THREE = "model_v1.0", "model_v1.1", "model_v1.2"
ROLLED_BACK = (intent(ONE), released(ONE, 1, None), intent(TWO), released(TWO, 3, ONE), moved("rolled-back", ONE, TWO))
REF = "refs/heads/modelrelease/ledger"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Two scored versions on main, a third on a branch; the second was released, and taken back."""
    repository = create(tmp_path_factory.mktemp("template") / "repository")
    for folder in (LIVE, NEW):
        add_version(repository, folder)
    repository.commit("Two versions")
    write(repository.root, *ROLLED_BACK)
    repository.branch()
    add_version(repository, f"models/{THREE}")
    repository.commit("A third version")
    return repository


def add_version(repository: Repository, folder: str, *, scored: bool = True) -> None:
    repository.write(f"{folder}/checkpoint/model.safetensors", folder)
    if scored:
        repository.write(f"{folder}/eval.json", "{}")


@pytest.fixture
def pull(template: Repository, tmp_path: Path) -> Repository:
    shutil.copytree(template.root, tmp_path / "repository", symlinks=True)
    return Repository(tmp_path / "repository")


def write(root: Path, *events: Event) -> None:
    ledger = open_ledger(ledger_branch(root, None))
    for event in events:
        ledger = append_event(ledger, lambda _, event=event: event)


def break_ledger(pull: Repository) -> None:
    """Cut its first event off, as somebody who may push could."""
    tree = pull.git("rev-parse", f"{REF}^{{tree}}")
    pull.git("update-ref", REF, pull.git("commit-tree", tree, "-m", "x"))


def test_the_stage_s_newest_event_names_the_live_version(pull: Repository) -> None:
    found = pull.resolve()
    assert (found.resolution.baseline, found.resolution.baseline_rule) == (LIVE, "ledger")
    assert found.warnings == ()
    assert live_version(find_project(pull.root)) == LIVE
    write(pull.root, moved("rolled-forward", TWO, ONE))
    assert pull.resolve().resolution.baseline == NEW
    assert live_version(find_project(pull.root)) == NEW


def test_what_was_fetched_from_origin_counts_and_nobody_is_asked(pull: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(pull.root), str(clone)], check=True)
    pull.root.rename(tmp_path / "gone")
    found = Repository(clone).resolve(base="origin/main")
    assert (found.resolution.baseline, found.resolution.baseline_rule) == (LIVE, "ledger")


def test_what_this_clone_saw_counts_where_nothing_was_fetched(pull: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    command = ["git", "clone", "--quiet", "--single-branch", "--branch=main", str(pull.root), str(clone)]
    subprocess.run(command, check=True)
    here = Repository(clone)
    assert live_version(find_project(clone)) == NEW, "the ledger is not here"
    open_ledger(ledger_branch(clone, None))
    here.git("update-ref", "-d", "refs/remotes/origin/modelrelease/ledger")
    assert live_version(find_project(clone)) == LIVE


def test_another_stage_is_not_this_one(pull: Repository) -> None:
    """What is merged into says which stage counts: a pull request could name another."""
    pull.write("modelrelease.yaml", (pull.root / "modelrelease.yaml").read_text() + "release: {stage: staging}\n")
    pull.commit("Name another stage")
    assert pull.resolve().resolution.baseline_rule == "ledger"
    pull.git("checkout", "--quiet", "main")
    pull.git("merge", "--quiet", "change")
    assert live_version(find_project(pull.root)) == f"models/{THREE}"


def test_a_broken_ledger_stops_no_pull_request(
    pull: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_ledger(pull)
    found = pull.resolve()
    assert (found.resolution.baseline, found.resolution.baseline_rule) == (NEW, "highest-version")
    (warning,) = found.warnings
    assert warning.startswith("the ledger is not asked what is live, since it is not whole; see `modelrelease ledger")
    assert "MR720" in warning
    said: list[str] = []
    assert live_version(find_project(pull.root), said.append) == f"models/{THREE}"
    assert said == [warning]
    pull.git("checkout", "--quiet", "-b", "readme", "main")
    pull.write("README.md", "# About\n")
    pull.commit()
    assert warning in pull.check().warnings
    monkeypatch.chdir(pull.root)
    ran = run(capsys, "resolve")
    assert (ran.code, ran.err) == (0, f"warning: {warning}\n")


def test_a_live_version_that_the_merge_base_does_not_have_has_overtaken_it(pull: Repository) -> None:
    pull.git("checkout", "--quiet", "main")
    add_version(pull, "models/model_v1.3", scored=False)
    pull.commit("A fourth version")
    write(pull.root, intent("model_v1.3"), released("model_v1.3", 6, ONE))
    pull.git("checkout", "--quiet", "change")
    found = pull.resolve()
    assert (found.resolution.baseline, found.resolution.baseline_rule) == (NEW, "highest-version")
    assert found.overtaken_by == "model_v1.3"


def test_a_live_version_without_a_record_is_told_of(pull: Repository) -> None:
    pull.git("rm", "--quiet", f"{LIVE}/eval.json")
    pull.commit("Take a record away")
    said: list[str] = []
    assert live_version(find_project(pull.root), said.append) == f"models/{THREE}"
    assert said == [f"the ledger names {ONE} as live, which has no record in this commit"]
