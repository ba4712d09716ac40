"""git is really called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from modelrelease import git
from modelrelease.errors import InvalidInput, Unavailable


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git.create(folder)
    (folder / "a.txt").write_text("one\n")
    git.commit_all(folder, "First")
    return folder


def test_head_is_the_commit_and_whether_tracked_files_differ(repository: Path) -> None:
    clean = git.head(repository)
    assert clean.sha is not None
    assert len(clean.sha) == 40
    assert clean.dirty is False
    (repository / "new.txt").write_text("untracked")
    assert git.head(repository).dirty is False
    (repository / "a.txt").write_text("two\n")
    assert git.head(repository) == git.Head(clean.sha, True)


def test_outside_of_a_repository_there_is_no_head(tmp_path: Path) -> None:
    assert git.head(tmp_path) == git.Head(None, None)


def test_without_git_there_is_no_head(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.head(repository) == git.Head(None, None)
    with pytest.raises(Unavailable, match="MR603 git could not do its part"):
        git.create(tmp_path)


def test_before_the_first_commit_there_is_no_head(tmp_path: Path) -> None:
    git.create(tmp_path)
    assert git.head(tmp_path) == git.Head(None, None)


def test_a_file_is_read_as_committed(repository: Path) -> None:
    (repository / "a.txt").write_text("two\n")
    git.commit_all(repository, "--amend")
    (repository / "a.txt").write_text("three\n")
    assert git.read_at(repository, "HEAD", "a.txt") == b"two\n"
    assert git.read_at(repository, "HEAD~1", "a.txt") == b"one\n"


def test_a_path_is_relative_to_the_folder(repository: Path) -> None:
    (repository / "sub").mkdir()
    (repository / "sub" / "b.txt").write_text("b\n")
    git.commit_all(repository, "Second")
    assert git.read_at(repository / "sub", "HEAD", "b.txt") == b"b\n"


@pytest.mark.parametrize(
    ("ref", "path", "message"),
    [
        ("nowhere", "a.txt", "a.txt: MR209 'nowhere' names no commit"),
        ("--output=x", "a.txt", "a.txt: MR209 '--output=x' names no commit"),
        ("-n1", "a.txt", "a.txt: MR209 '-n1' names no commit"),
        ("HEAD\n", "a.txt", "names no commit"),
        ("HEAD", "b.txt", "b.txt: MR209 is not in 'HEAD'"),
    ],
)
def test_what_is_not_there_is_named(repository: Path, ref: str, path: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        git.read_at(repository, ref, path)
    assert message in str(caught.value)
    assert sorted(entry.name for entry in repository.iterdir()) == [".git", "a.txt"]


def test_variables_of_a_hook_s_repository_lead_nowhere(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = git.head(repository)
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["git", "init", "--quiet", str(other)], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert git.head(repository) == expected


def test_a_repository_among_the_tracked_files_is_no_repository(repository: Path, tmp_path: Path) -> None:
    """HEAD, objects/ and refs/ can be brought by a pull request, with a config that names a command."""
    folder, marker = repository / "ml", tmp_path / "ran"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(repository), str(folder)], check=True)
    command = f'"touch {marker}; false"'
    (folder / "config").write_text(f"[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = {command}\n")
    (folder / "a.txt").write_text("one\n")
    assert git.head(folder) == git.Head(None, None)
    with pytest.raises(InvalidInput, match="names no commit"):
        git.read_at(folder, "HEAD", "a.txt")
    assert not marker.exists()


def test_the_work_tree_is_the_root_from_everywhere_in_it(repository: Path) -> None:
    (repository / "sub").mkdir()
    assert git.work_tree(repository / "sub") == git.work_tree(repository) == repository
    strange = repository / "two\nlines"
    strange.mkdir()
    git.create(strange)
    assert git.work_tree(strange) == strange


def test_where_there_is_no_work_tree_it_says_why(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match=r"MR601 is in no git work tree \(not a git repository"):
        git.work_tree(tmp_path)
    with pytest.raises(InvalidInput, match=r"MR601 is in no git work tree \(\w+"):
        git.work_tree(repository / ".git")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="MR603 git did not answer"):
        git.work_tree(repository)


def test_files_are_those_that_git_tracks_or_would_add(repository: Path) -> None:
    (repository / ".gitignore").write_text("ignored\n")
    for name in ("ignored", "new\nfile", "-x", "ü"):
        (repository / name).write_text("x")
    Path(os.fsdecode(bytes(repository) + b"/\xff")).write_text("x")
    (repository / "sub").mkdir()
    (repository / "sub" / "b.txt").write_text("b")
    assert git.files(repository) == ["-x", ".gitignore", "a.txt", "new\nfile", "sub/b.txt", "ü", "\udcff"]


def test_who_commits_is_configured_by_name_and_address(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(repository))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert git.person(repository) is None
    subprocess.run(["git", "config", "user.name", "Ada"], cwd=repository, check=True)
    assert git.person(repository) is None
    subprocess.run(["git", "config", "user.email", "ada@example.org"], cwd=repository, check=True)
    assert git.person(repository) == git.Person("Ada", "ada@example.org")


def test_the_remote_s_address_is_the_origin_s(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(repository), str(clone)], check=True)
    assert git.remote_url(clone) == str(repository)
    assert git.remote_url(repository) is None
