"""The ledger in real repositories: extended by several at once, tampered with by whoever may push."""

from __future__ import annotations

import json
import subprocess
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import run
from ledgers import TARGET, intent, moved, released

from modelrelease.errors import Refused
from modelrelease.flows.ledger import Ledger, append_event, inspect_ledger, ledger_branch, open_ledger
from modelrelease.git.append_only import Branch
from modelrelease.records.ledger import Event
from modelrelease.release.ledger.chain import Anchor

ONE, TWO = "model_v1.0", "model_v1.1"
REF = "refs/heads/modelrelease/ledger"


def git(folder: Path, *arguments: str, given: str = "") -> str:
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", "-C", str(folder), *person, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, input=given).stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    return path


def clone_of(remote: Path, into: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", str(remote), str(into)], check=True, capture_output=True)
    return into


@pytest.fixture
def clone(tmp_path: Path, remote: Path) -> Path:
    return clone_of(remote, tmp_path / "clone")


def branch(clone: Path) -> Branch:
    return ledger_branch(clone, None)


def put(clone: Path, *events: Event) -> Ledger:
    ledger = open_ledger(branch(clone))
    for event in events:
        ledger = append_event(ledger, lambda _, event=event: event)
    return ledger


def tamper(remote: Path, number: int, change: Callable[[bytes], bytes | None], *, keep_rest: bool = True) -> None:
    """Rewrite the ledger as somebody who may push could, with event ``number`` changed or (None) left out."""
    commits = git(remote, "rev-list", "--reverse", REF).split()
    files = [git(remote, "show", f"{commit}:events/{n:06d}.json") + "\n" for n, commit in enumerate(commits, start=1)]
    parent: list[str] = []
    lines: list[str] = []
    for n, text in enumerate(files, start=1):
        data = change(text.encode()) if n == number else text.encode()
        if data is not None:
            blob = git(remote, "hash-object", "-w", "--stdin", given=data.decode())
            lines.append(f"100644 blob {blob}\t{n:06d}.json\n")
        inner = git(remote, "mktree", given="".join(lines))
        tree = git(remote, "mktree", given=f"040000 tree {inner}\tevents\n")
        parent = ["-p", git(remote, "commit-tree", tree, *parent, "-m", "x")]
        if n == number and not keep_rest:
            break
    git(remote, "update-ref", REF, parent[1])


def test_events_follow_each_other(clone: Path, tmp_path: Path, remote: Path) -> None:
    ledger = put(clone, intent(ONE), released(ONE, 1, None))
    assert [event.kind for event in ledger.events] == ["intent", "released"]
    elsewhere = open_ledger(branch(clone_of(remote, tmp_path / "other")))
    assert elsewhere.events == ledger.events
    assert elsewhere.state.live_version(TARGET, "production") == ONE


def test_a_model_with_a_name_has_a_ledger_of_its_own(clone: Path) -> None:
    put(clone, intent(ONE))
    assert ledger_branch(clone, "support").name == "modelrelease/support/ledger"
    assert open_ledger(ledger_branch(clone, "support")).events == ()


def test_what_cannot_follow_is_not_written(clone: Path) -> None:
    with pytest.raises(Refused, match=r"MR723 cannot take this event: model_v1\.0 was never released"):
        put(clone, moved("rolled-back", ONE, None))
    assert open_ledger(branch(clone)).events == ()


def test_five_at_once_all_get_their_event_in(tmp_path: Path, remote: Path, clone: Path) -> None:
    put(clone, intent(ONE))
    clones = [clone_of(remote, tmp_path / f"c{n}") for n in range(5)]
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            put(clones[number], intent(f"model_v2.{number}"))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    events = open_ledger(branch(clone)).events
    assert sorted(event.version for event in events) == [ONE, *[f"model_v2.{n}" for n in range(5)]]


def test_who_lost_a_race_may_find_that_nothing_is_left_to_do(clone: Path, tmp_path: Path, remote: Path) -> None:
    stale = open_ledger(branch(clone))
    put(clone_of(remote, tmp_path / "other"), intent(ONE))

    def once(ledger: Ledger) -> Event | None:
        return None if ledger.events else intent(ONE)

    assert len(append_event(stale, once).events) == 1


TAMPERED: dict[str, tuple[Callable[[Path], None], str]] = {
    "edited": (lambda r: tamper(r, 2, lambda data: data.replace(b"Ada Lovelace", b"Bob")), "000003.json: MR720"),
    "removed": (lambda r: tamper(r, 2, lambda data: None), "MR720 holds no event"),
    "cut short": (lambda r: tamper(r, 2, lambda data: data, keep_rest=False), "MR721 does not hold"),
    "rewritten with the same content": (lambda r: tamper(r, 9, lambda data: data), "MR721 does not hold"),
    "half-written": (lambda r: tamper(r, 3, lambda data: data[:100]), "000003.json"),
    "gone": (lambda r: git(r, "update-ref", "-d", REF) and None, "MR721 does not hold"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_was_tampered_with_is_found_by_a_clone_that_has_seen_it(
    case: str, clone: Path, remote: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    change, expected = TAMPERED[case]
    put(clone, intent(ONE), released(ONE, 1, None), intent(TWO))
    seen = git(clone, "rev-parse", "refs/modelrelease/seen/modelrelease/ledger")
    change(remote)
    _, findings = inspect_ledger(branch(clone))
    assert expected in "\n".join(str(finding) for finding in findings)
    with pytest.raises(Refused):
        open_ledger(branch(clone))
    assert git(clone, "rev-parse", "refs/modelrelease/seen/modelrelease/ledger") == seen
    (clone / "modelrelease.yaml").write_text("schema_version: 1\n")
    monkeypatch.chdir(clone)
    ran = run(capsys, "ledger", "verify")
    assert (ran.code, ran.out) == (1, "")
    assert expected in ran.err
    assert run(capsys, "ledger", "log").code == 1


def test_a_fresh_clone_finds_a_cut_by_an_anchor(clone: Path, tmp_path: Path, remote: Path) -> None:
    head = put(clone, intent(ONE), released(ONE, 1, None)).head
    assert head is not None
    tamper(remote, 1, lambda data: data, keep_rest=False)
    fresh = branch(clone_of(remote, tmp_path / "fresh"))
    assert inspect_ledger(fresh)[1] == []
    (finding,) = inspect_ledger(fresh, [Anchor("the release of model_v1.0", head)])[1]
    assert "MR721" in str(finding)


def test_of_a_commit_that_brings_more_than_an_event_nothing_is_read(clone: Path, remote: Path) -> None:
    put(clone, intent(ONE))
    first = git(remote, "rev-parse", REF)
    lines = []
    for number in range(40):
        blob = git(remote, "hash-object", "-w", "--stdin", given=f"{number}" + " " * (1 << 20))
        lines.append(f"100644 blob {blob}\t{number:06d}.json\n")
    inner = git(remote, "mktree", given="".join(lines))
    tree = git(remote, "mktree", given=f"040000 tree {inner}\tevents\n")
    git(remote, "update-ref", REF, git(remote, "commit-tree", tree, "-p", first, "-m", "x"))
    tracemalloc.start()
    try:
        _, findings = inspect_ledger(branch(clone))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert "MR720" in str(findings[0])


def test_the_commands(clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (clone / "modelrelease.yaml").write_text("schema_version: 1\n")
    monkeypatch.chdir(clone)
    assert run(capsys, "ledger", "log").out == "modelrelease/ledger holds no event yet\n"
    assert run(capsys, "ledger", "verify").out == "modelrelease/ledger: 0 events, whole\n"
    put(clone, intent(ONE), released(ONE, 1, None), intent(TWO), released(TWO, 3, ONE), moved("rolled-back", ONE, TWO))
    text = run(capsys, "ledger", "log").out
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["5", "4", "3", "2", "1"]
    assert "model_v1.1 → model_v1.0" in text.splitlines()[2]
    assert "Answers are cut off" in text.splitlines()[2]
    events = json.loads(run(capsys, "ledger", "log", "--json").out)
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    git(clone, "remote", "set-url", "origin", "nowhere")
    assert run(capsys, "ledger", "log").code == 3
    assert run(capsys, "ledger", "log", "--offline").out == text
