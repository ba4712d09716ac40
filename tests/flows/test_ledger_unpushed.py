"""A ledger that was begun before there was a remote: no second one is begun, and the finding says what mends it."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import run
from ledgers import intent, released
from releases import ONE, TWO, Releases, create_releases
from tiny_models import TinyModels

from modelrelease.errors import Finding, Refused
from modelrelease.flows.ledger import append_event, inspect_ledger, ledger_branch, open_ledger
from modelrelease.records.ledger import Event

NAME = "modelrelease/ledger"
PUSH = f"git push origin refs/heads/{NAME}"


def git(folder: Path, *arguments: str) -> str:
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    return subprocess.run(
        ["git", "-C", str(folder), *person, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def put(folder: Path, *events: Event) -> None:
    ledger = open_ledger(ledger_branch(folder, None))
    for event in events:
        ledger = append_event(ledger, lambda _, event=event: event)


def findings(folder: Path, *, offline: bool = False) -> list[Finding]:
    return inspect_ledger(ledger_branch(folder, None, offline=offline))[1]


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository whose ledger was begun without a remote, and that has one by now."""
    root = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root)], check=True)
    (root / "modelrelease.yaml").write_text("schema_version: 1\n")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "Begin")
    put(root, intent(ONE), released(ONE, 1, None))
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "origin")], check=True)
    git(root, "remote", "add", "origin", "../origin")
    git(root, "push", "--quiet", "origin", "main")
    monkeypatch.chdir(root)
    return root


def test_what_was_never_pushed_is_found_and_the_advice_mends_it(
    local: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["log"], ["verify"], ["trace", ONE], ["log", "--offline"], ["verify", "--offline"]):
        ran = run(capsys, "ledger", *arguments)
        assert (ran.code, ran.out) == (1, ""), arguments
        expected = f"{NAME}: MR726 holds 2 events here that origin lacks, since it was begun before there was a remote"
        assert ran.err == f"{expected}; run `{PUSH}`, and this again\n"
    with pytest.raises(Refused, match="MR726"):
        put(local, intent(TWO))
    assert git(local, "ls-remote", "origin").split()[1::2] == ["HEAD", "refs/heads/main"]
    subprocess.run(shlex.split(PUSH), cwd=local, check=True, capture_output=True)
    assert findings(local) == []
    put(local, intent(TWO))
    assert [event["sequence"] for event in json.loads(run(capsys, "ledger", "log", "--json").out)] == [1, 2, 3]


def test_a_clone_that_was_left_behind_is_told_nothing(local: Path) -> None:
    """The local branch is a part of what origin has; where origin has gone on, and where this clone knows of it."""
    git(local, "push", "--quiet", "origin", NAME)
    put(local, intent(TWO))
    assert findings(local) == findings(local, offline=True) == []
    git(local, "update-ref", "-d", f"refs/modelrelease/seen/{NAME}")
    assert findings(local) == []
    git(local, "fetch", "--quiet", "origin")
    assert findings(local, offline=True) == []


def test_what_origin_lacks_the_end_of_is_pushed(local: Path) -> None:
    git(local, "push", "--quiet", "origin", f"refs/heads/{NAME}~1:refs/heads/{NAME}")
    (finding,) = findings(local)
    assert str(finding).startswith(f"{NAME}: MR726 holds 1 event here that origin lacks")
    assert PUSH in str(finding)


def test_two_ledgers_are_told_apart(local: Path, tmp_path: Path) -> None:
    """As an older modelrelease left it, which began a second one."""
    subprocess.run(["git", "clone", "--quiet", str(tmp_path / "origin"), str(tmp_path / "other")], check=True)
    put(tmp_path / "other", intent(TWO), released(TWO, 1, None))
    (finding,) = findings(local)
    assert "MR721 has forked: this clone's own branch holds 2 events" in str(finding)
    aside = str(finding).rpartition("`git branch")[2].rstrip("`")
    subprocess.run(["git", "branch", *shlex.split(aside)], cwd=local, check=True)
    assert findings(local) == []


def test_a_branch_that_holds_no_events_is_no_ledger(local: Path) -> None:
    git(local, "branch", "--force", NAME, "main")
    assert findings(local) == []


def step_promote(releases: Releases) -> None:
    releases.promote(TWO)


def step_roll_back(releases: Releases) -> None:
    releases.roll_back(ONE)


@pytest.mark.parametrize("step", [step_promote, step_roll_back])
def test_a_release_before_the_remote_is_still_what_is_live(
    tiny: TinyModels, tmp_path: Path, step: Callable[[Releases], None]
) -> None:
    releases = create_releases(tmp_path / "repository", tiny.folder("llama"))
    releases.promote(ONE)
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(tmp_path / "origin")], check=True)
    releases.repository.git("remote", "add", "origin", "../origin")
    releases.repository.git("push", "--quiet", "origin", "main", "--tags")
    with pytest.raises(Refused, match="MR726"):
        step(releases)
    releases.repository.git("push", "--quiet", "origin", f"refs/heads/{NAME}")
    releases.promote(TWO)
    assert releases.kinds() == [f"intent {ONE}", f"released {ONE}", f"intent {TWO}", f"released {TWO}"]
