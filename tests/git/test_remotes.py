"""What a remote is asked, with real repositories: whether there is one, and which of our tags it has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from modelrelease.errors import Unavailable
from modelrelease.git.remotes import remote_of, remote_tags


def git(folder: Path, *arguments: str) -> str:
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", "-C", str(folder), *person, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Two commits and tags of both kinds, of which origin has all but one."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "origin.git")], check=True)
    root = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", str(tmp_path / "origin.git"), str(root)], check=True, capture_output=True
    )
    for message in ("one", "two"):
        git(root, "commit", "--quiet", "--allow-empty", "-m", message)
    git(root, "tag", "model_v1.0", "HEAD~1")
    git(root, "tag", "-a", "-m", "x", "bot/model_v1.1")
    git(root, "tag", "-a", "-m", "x", "nested", "bot/model_v1.1")
    git(root, "push", "--quiet", "origin", "--tags", "HEAD:refs/heads/main")
    git(root, "tag", "model_v1.2")
    return root


def test_whether_there_is_a_remote(clone: Path) -> None:
    assert remote_of(clone) == "origin"
    git(clone, "remote", "remove", "origin")
    assert remote_of(clone) is None
    assert remote_tags(clone, ["model_v1.0"]) is None


def test_tags_are_those_of_the_remote_and_of_commits(clone: Path) -> None:
    one, two = git(clone, "rev-parse", "HEAD~1"), git(clone, "rev-parse", "HEAD")
    asked = ["model_v1.0", "bot/model_v1.1", "nested", "model_v1.2", "none"]
    assert remote_tags(clone, asked) == {"model_v1.0": one, "bot/model_v1.1": two, "nested": two}
    assert remote_tags(clone, []) == {}
    git(clone, "push", "--quiet", "--force", "origin", f"{two}:refs/tags/model_v1.0")
    assert remote_tags(clone, ["model_v1.0"]) == {"model_v1.0": two}
    assert git(clone, "rev-parse", "model_v1.0") == one


def test_what_only_ends_like_a_tag_is_none(clone: Path) -> None:
    """A branch may be called that, and git matches the ends of names."""
    git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/refs/tags/model_v1.2", "HEAD:refs/tags/a/model_v1.2")
    assert remote_tags(clone, ["model_v1.2"]) == {}


def test_a_tag_is_asked_for_in_one_call(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "asked"
    wrapper = tmp_path / "upload-pack"
    wrapper.write_text(f'#!/bin/sh\necho asked >> {log}\nexec git-upload-pack "$@"\n')
    wrapper.chmod(0o755)
    git(clone, "config", "remote.origin.uploadpack", str(wrapper))
    assert len(remote_tags(clone, ["model_v1.0", "bot/model_v1.1"]) or {}) == 2
    assert log.read_text().split() == ["asked"]


@pytest.mark.parametrize("address", [os.devnull, "http://ada:s3cret@127.0.0.1:9/x.git"])
def test_a_remote_that_does_not_answer_is_no_remote_without_tags(clone: Path, address: str) -> None:
    git(clone, "remote", "set-url", "origin", address)
    with pytest.raises(Unavailable) as caught:
        remote_tags(clone, ["model_v1.0"])
    assert str(caught.value).startswith("remote origin: MR603 does not tell its tags: ")
    assert "s3cret" not in str(caught.value)
