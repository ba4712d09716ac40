"""What the registry reads from git, from real repositories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from governed_repository import EMAIL, NAME, Repository

from modelrelease.errors import Unavailable
from modelrelease.git import history, trees
from modelrelease.git.objects import Objects
from modelrelease.git.process import Git
from modelrelease.git.versions import INDEX, Tree, find_root


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.write("a", "one\n" * 50)
    made.write('odd\n:(top) "name', "odd\n")
    made.commit("First\n\nCo-authored-by: Grace Hopper <grace@example.org>")
    return made


@pytest.fixture
def git(repository: Repository) -> Git:
    return Git(str(repository.folder))


def test_what_is_staged_comes_with_both_sides(repository: Repository, git: Git) -> None:
    place = Path(os.fsdecode(os.fsencode(repository.folder) + b"/\xff"))
    place.write_bytes(b"x")
    repository.git("mv", "a", "b")
    repository.write("b", "one\n" * 50 + "two\n")
    repository.stage()
    found = {
        (delta.old_path, delta.path): (delta.old is None, delta.new is None)
        for delta in trees.staged(git, "HEAD") or []
    }
    assert found == {("a", "b"): (False, False), ("\udcff", "\udcff"): (True, False)}
    plain = {delta.path for delta in trees.staged(git, "HEAD", renames=False) or []}
    assert plain == {"a", "b", "\udcff"}
    assert trees.staged(git, "nowhere") is None


def test_a_tree_and_the_index_are_read_by_any_name(repository: Repository, git: Git) -> None:
    objects = Objects(git)
    repository.write("a", "two\n")
    repository.stage()
    for name, text in (("HEAD", b"one\n" * 50), (INDEX, b"two\n")):
        tree = Tree(git, objects, name)
        assert tree.read("a") == text
        assert tree.read('odd\n:(top) "name') == b"odd\n"
        assert tree.read("none\n") is None
        assert tree.read("none") is None
        assert sorted(tree.entries()) == ["a", 'odd\n:(top) "name']
        assert tree.entry("a") != tree.entry('odd\n:(top) "name')
    objects.close()


def test_commits_come_with_people_and_files(repository: Repository, git: Git) -> None:
    repository.git("checkout", "--quiet", "-b", "side")
    repository.write("side", "x")
    side = repository.commit("Side")
    repository.git("checkout", "--quiet", "main")
    (repository.folder / "a").unlink()
    gone = repository.commit("Gone")
    repository.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    merge, *rest = history.commits(git, ["HEAD"])
    assert merge.merge
    assert set(merge.files) == {"a", "side"}
    by_sha = {commit.sha: commit for commit in rest}
    assert by_sha[gone].files == {"a": None}
    assert set(by_sha[side].files) == {"side"}
    first = rest[-1]
    assert [str(person) for person in first.authors] == [f"{NAME} <{EMAIL}>"] * 2 + ["Grace Hopper <grace@example.org>"]
    assert (first.subject, len(first.day), sorted(first.files)) == ("First", 10, ["a", 'odd\n:(top) "name'])
    assert len(list(history.commits(git, ["HEAD"], ["side"], limit=1))) == 1


def test_the_default_branch_is_origins_or_what_people_call_it(repository: Repository, git: Git, tmp_path: Path) -> None:
    def named() -> str | None:
        objects = Objects(git)
        found = history.default_branch(objects)
        objects.close()
        return found and found[0]

    assert named() == "refs/heads/main"
    assert history.on_branch(git, "refs/heads/main")
    repository.git("branch", "--move", "trunk")
    assert named() is None
    repository.git("clone", "--quiet", ".", str(tmp_path / "clone"))
    clone = Git(str(tmp_path / "clone"))
    objects = Objects(clone)
    assert history.default_branch(objects) is not None
    objects.close()
    assert history.on_branch(clone, "refs/remotes/origin/HEAD")
    repository.git("checkout", "--quiet", "--detach")
    assert not history.on_branch(git, "refs/heads/trunk")


def test_who_commits_next(repository: Repository, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(history.author_of_next_commit(git)) == f"{NAME} <{EMAIL}>"
    told = Git(git.folder, {"GIT_AUTHOR_NAME": "Grace Hopper", "GIT_AUTHOR_EMAIL": "grace@example.org"})
    assert str(history.author_of_next_commit(told)) == "Grace Hopper <grace@example.org>"
    repository.git("config", "user.useConfigOnly", "true")
    for key in ("user.name", "user.email"):
        repository.git("config", "--unset", key)
    for key in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(key, str(repository.folder))
    assert history.author_of_next_commit(Git(git.folder)) is None


@pytest.mark.parametrize("spawn", [True, False])
def test_git_is_started_with_and_without_spawn(
    repository: Repository, git: Git, monkeypatch: pytest.MonkeyPatch, spawn: bool
) -> None:
    if not spawn:
        monkeypatch.delattr(os, "posix_spawnp")
    assert git.ask("rev-parse", "--is-inside-work-tree") == b"true"
    assert git.ask("rev-parse", "--verify", "--quiet", "nowhere") is None
    objects = Objects(git)
    assert objects.read("HEAD:a") == b"one\n" * 50
    objects.close()
    with pytest.raises(Unavailable, match="git tag failed: "):
        git.require("tag", "bad..name")
    monkeypatch.setenv("PATH", str(repository.folder))
    with pytest.raises(Unavailable, match="git cannot be started"):
        Git(git.folder).ask("version")
    with pytest.raises(Unavailable, match="git cannot be started"):
        Git(git.folder).require("version")


def test_a_reader_that_has_gone_is_said(git: Git) -> None:
    outside = Objects(Git("/"))
    with pytest.raises(Unavailable, match="git cat-file"):
        outside.read("HEAD")


def test_the_root_is_where_git_s_own_folder_is(repository: Repository, tmp_path: Path) -> None:
    inside = repository.folder / "x" / "y"
    inside.mkdir(parents=True)
    assert find_root(str(inside)) == str(repository.folder)
    for name in ("HEAD", "objects", "refs"):
        (tmp_path / name).mkdir()
    assert find_root(str(tmp_path)) is None
