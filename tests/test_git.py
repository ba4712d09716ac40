"""git is really called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelrelease import git
from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.git import commands


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


@pytest.fixture
def links(repository: Path) -> Path:
    """A file that is a link, a folder that is one, one that leads out and one in a circle."""
    (repository / "sub").mkdir()
    (repository / "sub" / "b c.txt").write_text("b\n")
    for name, target in (("l", "sub/b c.txt"), ("dir", "sub"), ("out", "../out"), ("circle", "circle"), ("gone", "x")):
        (repository / name).symlink_to(target)
    git.commit_all(repository, "Links")
    return repository


@pytest.mark.parametrize("path", ["l", "dir/b c.txt", "sub/b c.txt"])
def test_links_inside_the_commit_are_followed(links: Path, path: str) -> None:
    (links / "sub" / "b c.txt").write_text("not committed\n")
    assert git.read_at(links, "HEAD", path) == b"b\n"


@pytest.mark.parametrize(
    "path", ["out", "circle", "gone", "dir", "sub", "", "../a.txt", "sub/b c.txt/x", "x blob 3", "a.txt\nHEAD:a.txt"]
)
def test_what_is_no_file_of_the_commit_is_not_read(links: Path, path: str) -> None:
    (links.parent / "out").write_text("a secret\n")
    with pytest.raises(InvalidInput, match="MR209 is not in"):
        git.read_at(links, "HEAD", path)


def calls_of(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return the list to which every call of git is added."""
    made: list[tuple[str, ...]] = []
    run = commands._git

    def counted(folder: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
        made.append(arguments)
        return run(folder, *arguments, **more)

    monkeypatch.setattr(commands, "_git", counted)
    return made


def test_a_file_of_a_commit_that_is_named_by_its_id_takes_one_process(
    links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git.commit_of(links, "HEAD")
    assert commit is not None
    made = calls_of(monkeypatch)
    assert git.read_at(links, commit, "dir/b c.txt") == b"b\n"
    assert git.read_at(links / "sub", commit, "b c.txt") == b"b\n"
    assert [call[0] for call in made] == ["cat-file", "cat-file"]


@pytest.mark.parametrize("ref", ["HEAD^{tree}", "HEAD:a.txt", None])
def test_an_id_that_is_no_commit_s_is_none(repository: Path, ref: str | None) -> None:
    shown = ["git", "-C", str(repository), "rev-parse", ref or ""]
    known = subprocess.run(shown, capture_output=True, text=True, check=True).stdout.strip() if ref else "1" * 40
    with pytest.raises(InvalidInput, match="names no commit"):
        git.read_at(repository, known, "a.txt")


@pytest.mark.parametrize(
    ("paths", "committed"),
    [
        ([], True),
        (["a.txt"], True),
        (["a.txt", "sub"], True),
        (["a.txt", "l"], False),
        (["sub", "new.txt"], False),
        (["a.txt", "nowhere.txt"], False),
    ],
)
def test_several_are_committed_where_each_is(
    links: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], committed: bool
) -> None:
    (links / "l").unlink()
    (links / "l").symlink_to("gone")
    (links / "new.txt").write_text("new\n")
    assert all(git.is_committed(links, path) for path in paths) == committed
    made = calls_of(monkeypatch)
    assert git.are_committed(links, paths) == committed
    assert len(made) <= 2


def test_bytes_come_as_they_are(repository: Path) -> None:
    for data in (b"", b"\n", b"no end", bytes(range(256)), b"a blob 3\nb\n"):
        (repository / "a.txt").write_bytes(data)
        git.commit_all(repository, "More")
        assert git.read_at(repository, "HEAD", "a.txt") == data


def test_files_are_listed_with_what_they_hold(links: Path) -> None:
    found = git.files_in(links, "HEAD", "l", "sub/", "dir", "nowhere", "*")
    assert sorted(found) == ["dir", "l", "sub/b c.txt"]
    assert [found[name].link for name in sorted(found)] == [True, True, False]
    assert found["sub/b c.txt"].id == commit_id(links, "HEAD:sub/b c.txt")
    assert git.files_in(links / "sub", "HEAD", "b c.txt").keys() == {"b c.txt"}
    assert git.files_in(links, "HEAD", ":(top)sub", ":!l") == {}


def test_what_cannot_be_listed_is_no_empty_folder(repository: Path) -> None:
    with pytest.raises(Unavailable, match="MR603 git could not list 0000000000"):
        git.files_in(repository, "0" * 40, "a.txt")


def commit_id(folder: Path, ref: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), "rev-parse", ref], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("ref", ["HEAD", "main", "refs/heads/main", "HEAD~0", "@"])
def test_a_ref_names_a_commit(repository: Path, ref: str) -> None:
    assert git.commit_of(repository, ref) == commit_id(repository, "HEAD")


@pytest.mark.parametrize(
    "ref", ["", "nowhere", "HEAD:a.txt", "--all", "-h", "HEAD..HEAD", "HEAD...HEAD", "^HEAD", "0" * 40]
)
def test_what_names_no_commit(repository: Path, ref: str) -> None:
    assert git.commit_of(repository, ref) is None


def test_outside_of_a_repository_nothing_names_a_commit(tmp_path: Path) -> None:
    assert git.commit_of(tmp_path, "HEAD") is None
    assert git.default_branch(tmp_path) is None


def test_a_repository_of_another_user_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a container runs as root in a checkout of somebody else."""
    environment = {**git.git_environment(), "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    monkeypatch.setattr("modelrelease.git.commands.git_environment", lambda: environment)
    with pytest.raises(Unavailable, match=r"MR603 .* of another user; name it in git's `safe.directory`"):
        git.commit_of(repository, "HEAD")


@pytest.mark.parametrize("name", ["main", "release/2026", "origin/main", "refs/heads/main"])
def test_a_branch_s_name_may_have_slashes(name: str) -> None:
    assert git.short_name(f"refs/heads/{name}") == git.short_name(f"refs/remotes/origin/{name}") == name


def test_the_default_branch_is_the_remote_s_or_main(repository: Path, tmp_path: Path) -> None:
    assert git.default_branch(repository) == "refs/heads/main"
    for arguments in (["branch", "trunk"], ["tag", "main"], ["symbolic-ref", "HEAD", "refs/heads/trunk"]):
        subprocess.run(["git", "-C", str(repository), *arguments], check=True)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(repository), str(clone)], check=True)
    (clone / "a.txt").write_text("not on the remote\n")
    git.commit_all(clone, "Local")
    found = git.default_branch(clone)
    assert found == "refs/remotes/origin/trunk"
    assert git.commit_of(clone, found) == commit_id(repository, "refs/heads/trunk")
    subprocess.run(["git", "-C", str(clone), "remote", "set-head", "origin", "--delete"], check=True)
    assert git.default_branch(clone) == "refs/remotes/origin/main"
    assert [git.name_default_branch(clone, name) for name in ("nowhere", "a b", "../HEAD", "")] == [False] * 4
    assert git.default_branch(clone) == "refs/remotes/origin/main"
    assert git.name_default_branch(clone, "trunk")
    assert git.default_branch(clone) == "refs/remotes/origin/trunk"


def test_the_merge_base_is_where_histories_part(repository: Path) -> None:
    first = commit_id(repository, "HEAD")
    subprocess.run(["git", "-C", str(repository), "checkout", "--quiet", "-b", "side"], check=True)
    (repository / "b.txt").write_text("b\n")
    git.commit_all(repository, "Side")
    side = commit_id(repository, "HEAD")
    assert git.merge_base(repository, first, side) == first
    subprocess.run(["git", "-C", str(repository), "checkout", "--quiet", "--orphan", "alone"], check=True)
    git.commit_all(repository, "Alone")
    assert git.merge_base(repository, side, commit_id(repository, "HEAD")) is None


def test_a_folder_is_exported_as_committed_and_nothing_else_moves(links: Path, tmp_path: Path) -> None:
    (links / "sub" / "b c.txt").write_text("changed\n")
    (links / "new.txt").write_text("staged\n")
    subprocess.run(["git", "-C", str(links), "add", "new.txt"], check=True)
    before = subprocess.run(["git", "-C", str(links), "status", "--porcelain"], check=True, capture_output=True).stdout
    place = git.export(links, "HEAD", "sub", tmp_path / "in to")
    assert [(path.name, path.read_text()) for path in place.iterdir()] == [("b c.txt", "b\n")]
    after = subprocess.run(["git", "-C", str(links), "status", "--porcelain"], check=True, capture_output=True).stdout
    assert before == after
    with pytest.raises(Unavailable, match="MR603"):
        git.export(links, "HEAD", "nowhere", tmp_path / "into")


def test_filters_apply_to_what_is_exported(links: Path, tmp_path: Path) -> None:
    """As Git LFS does: its filter turns a pointer into the file. Which there are is the commit's to say."""
    subprocess.run(["git", "-C", str(links), "config", "filter.upper.smudge", "tr a-z A-Z"], check=True)
    (links / ".gitattributes").write_text("*.txt filter=upper\n")
    git.commit_all(links, "Filtered")
    (links / ".gitattributes").write_text("*.txt working-tree-encoding=UTF-16LE\n")
    assert (git.export(links, "HEAD", "sub", tmp_path / "into") / "b c.txt").read_text() == "B\n"


def test_a_folder_below_the_root_is_exported_where_it_is(links: Path, tmp_path: Path) -> None:
    (links / "sub" / "deep").mkdir()
    (links / "sub" / "deep" / "c.txt").write_text("c\n")
    git.commit_all(links, "Deep")
    place = git.export(links / "sub", "HEAD", "deep", tmp_path / "into")
    assert [path.name for path in place.iterdir()] == ["c.txt"]


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


@pytest.mark.parametrize("head", ["file", "link"])
@pytest.mark.parametrize("common", [".", "common"])
def test_nor_is_one_whose_parts_lie_apart(repository: Path, common: str, head: str) -> None:
    """Git takes objects/ and refs/ from where `commondir` says, and a HEAD that is a link to nowhere."""
    folder = repository / "ml"
    (folder / common).mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(repository), str(folder / common)], check=True)
    (folder / "HEAD").unlink(missing_ok=True)
    if head == "file":
        (folder / "HEAD").write_text("ref: refs/heads/main\n")
    else:
        (folder / "HEAD").symlink_to("refs/heads/main")
    if common != ".":
        (folder / "commondir").write_text(f"{common}\n")
    taken = subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "--verify", "HEAD"], capture_output=True, check=False
    )
    assert taken.returncode == 0
    assert git.head(folder) == git.Head(None, None)
    assert git.commit_of(folder, "HEAD") is None


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


def git_in(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_not_to_look_at_is_not_committed(flag: str, tmp_path: Path) -> None:
    git_in(tmp_path, "init", "--quiet")
    (tmp_path / "card.md").write_text("reviewed\n")
    git_in(tmp_path, "add", "card.md")
    git_in(tmp_path, "commit", "--quiet", "-m", "Begin")
    assert git.is_committed(tmp_path, "card.md")
    (tmp_path / "card.md").write_text("not reviewed\n")
    git_in(tmp_path, "update-index", flag, "card.md")
    assert not git.is_committed(tmp_path, "card.md")


def test_a_graft_merges_nothing(tmp_path: Path) -> None:
    git_in(tmp_path, "init", "--quiet")
    commits = []
    for name in ("merged", "not-merged"):
        git_in(tmp_path, "checkout", "--quiet", "--orphan", name)
        git_in(tmp_path, "commit", "--quiet", "--allow-empty", "-m", name)
        commits.append(git_in(tmp_path, "rev-parse", "HEAD"))
    (tmp_path / ".git" / "info").mkdir(exist_ok=True)
    (tmp_path / ".git" / "info" / "grafts").write_text(" ".join(commits) + "\n")
    assert not git.is_ancestor(tmp_path, commits[1], commits[0])
