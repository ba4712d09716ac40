"""A branch that only grows, in real repositories: with and without a remote, raced, cut off, and moved by others."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from modelrelease.errors import Unavailable
from modelrelease.git.append_only import Branch, Raced, append, contents, fetch, history, seen

NAME = "modelrelease/ledger"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    path = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    return path


@pytest.fixture
def clone(tmp_path: Path, remote: Path) -> Path:
    return make_clone(tmp_path / "clone", remote)


def make_clone(into: Path, remote: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", str(remote), str(into)], check=True, capture_output=True)
    return into


@pytest.fixture(params=["local", "remote"])
def branch(request: pytest.FixtureRequest, tmp_path: Path, clone: Path) -> Branch:
    if request.param == "remote":
        return Branch(clone, NAME, "origin")
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "alone")], check=True)
    return Branch(tmp_path / "alone", NAME, None)


def add(branch: Branch, parent: str | None, number: int, text: bytes | None = None) -> str:
    data = text if text is not None else b"%d\n" % number
    return append(branch, parent, f"events/{number:06d}.json", data, f"{number} added\n")


def all_contents(branch: Branch, tip: str) -> list[bytes]:
    links = history(branch, tip)
    ids = [change.blob for link in links for change in link.changes if change.blob is not None]
    with contents(branch, 1 << 16) as content:
        found = {blob: content(blob) for blob in ids}
    return [found[blob] for blob in ids]


def test_it_begins_with_nothing_and_grows(branch: Branch) -> None:
    assert fetch(branch) is None
    first = add(branch, None, 1)
    second = add(branch, first, 2)
    assert fetch(branch) == seen(branch) == second
    assert [(link.commit, link.parents) for link in history(branch, second)] == [(first, ()), (second, (first,))]
    changes = [(c.path, c.status) for link in history(branch, second) for c in link.changes]
    assert changes == [("events/000001.json", "A"), ("events/000002.json", "A")]
    assert all_contents(branch, second) == [b"1\n", b"2\n"]


def test_work_tree_index_and_branches_stay_as_they_are(clone: Path) -> None:
    (clone / "a").write_text("a")
    git(clone, "add", "a")
    before = git(clone, "status", "--porcelain"), (clone / ".git" / "index").read_bytes()
    add(Branch(clone, NAME, "origin"), None, 1)
    assert (git(clone, "status", "--porcelain"), (clone / ".git" / "index").read_bytes()) == before
    assert git(clone, "branch", "--list") == ""


def test_no_hook_runs(clone: Path, tmp_path: Path) -> None:
    for name in ("pre-push", "reference-transaction", "post-commit"):
        hook = clone / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        hook.chmod(0o755)
    add(Branch(clone, NAME, "origin"), None, 1)
    assert not (tmp_path / "ran").exists()


def test_who_comes_second_is_told(branch: Branch) -> None:
    first = add(branch, None, 1)
    add(branch, first, 2)
    with pytest.raises(Raced):
        add(branch, first, 2, b"mine\n")
    with pytest.raises(Raced):
        add(branch, None, 1, b"mine\n")
    assert all_contents(branch, fetch(branch) or "") == [b"1\n", b"2\n"]


def test_of_ten_at_once_one_is_first(tmp_path: Path, remote: Path) -> None:
    clones = [Branch(make_clone(tmp_path / f"c{n}", remote), NAME, "origin") for n in range(10)]
    won: list[str] = []
    lost: list[int] = []
    start = threading.Barrier(len(clones))

    def race(number: int) -> None:
        start.wait()
        try:
            won.append(add(clones[number], None, 1, b"%d\n" % number))
        except Raced:
            lost.append(number)

    threads = [threading.Thread(target=race, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 9)
    assert fetch(clones[0]) == won[0]


@pytest.fixture
def deaf(remote: Path) -> Path:
    """A remote that takes what is pushed and hangs up before it says so."""
    hook = remote / "hooks" / "post-receive"
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    return remote


def test_an_answer_that_is_lost_is_looked_up(clone: Path, deaf: Path) -> None:
    commit = add(Branch(clone, NAME, "origin"), None, 1)
    assert git(deaf, "rev-parse", NAME) == commit


def test_a_remote_that_refuses_is_no_race(clone: Path, remote: Path) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'protected branch' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Unavailable, match=r"protected branch.*credentials may push"):
        add(Branch(clone, NAME, "origin"), None, 1)
    assert fetch(Branch(clone, NAME, "origin")) is None


def test_a_remote_that_is_gone_shows_no_token(clone: Path) -> None:
    git(clone, "remote", "set-url", "origin", "http://ada:s3cret@127.0.0.1:9/x.git")
    with pytest.raises(Unavailable) as caught:
        fetch(Branch(clone, NAME, "origin"))
    assert "s3cret" not in str(caught.value)


def test_offline_reads_what_was_seen(clone: Path) -> None:
    commit = add(Branch(clone, NAME, "origin"), None, 1)
    git(clone, "remote", "set-url", "origin", os.devnull)
    assert fetch(Branch(clone, NAME, "origin", offline=True)) == commit


def test_another_clone_reads_it(tmp_path: Path, clone: Path, remote: Path) -> None:
    commit = add(Branch(clone, NAME, "origin"), add(Branch(clone, NAME, "origin"), None, 1), 2)
    other = Branch(make_clone(tmp_path / "other", remote), NAME, "origin")
    assert fetch(other) == commit
    assert all_contents(other, commit) == [b"1\n", b"2\n"]


def test_links_and_long_files_are_told_apart(clone: Path) -> None:
    branch = Branch(clone, NAME, "origin")
    first = add(branch, None, 1, b"x" * 100)
    link = (
        subprocess.run(
            ["git", "-C", str(clone), "hash-object", "-w", "--stdin"],
            input=b"/etc/passwd",
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .strip()
    )
    inner = subprocess.run(
        ["git", "-C", str(clone), "mktree"], input=f"120000 blob {link}\t000002.json\n".encode(), capture_output=True,
        check=True,
    ).stdout.decode().strip()  # fmt: skip
    tree = subprocess.run(
        ["git", "-C", str(clone), "mktree"], input=f"040000 tree {inner}\tevents\n".encode(), capture_output=True,
        check=True,
    ).stdout.decode().strip()  # fmt: skip
    identity = ("-c", "user.name=Ada", "-c", "user.email=a@example.org")
    tip = git(clone, *identity, "commit-tree", tree, "-p", first, "-m", "x")
    (_, second) = history(branch, tip)
    assert {(change.path, change.status, change.blob) for change in second.changes} == {
        ("events/000001.json", "D", None),
        ("events/000002.json", "A", None),
    }
    blob = next(change.blob for change in history(branch, tip)[0].changes)
    assert blob is not None
    with contents(branch, 10) as content:
        assert content(blob) == b"x" * 10
