"""No token is in what a promotion or a rollback prints, in the arguments of a process, or in any file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.github import JOB_TOKEN, FakeGitHub, add_commit, add_review
from fakes.hub import EXPIRED_TOKEN, READ_TOKEN, WRITE_TOKEN
from releases import ONE, TWO
from survival import World, copy_world, git, template_of
from target_lab import NAME
from tiny_models import TinyModels

pytestmark = pytest.mark.exhaustive
PROMOTE, BACK = ("promote", TWO), ("rollback", "--to", ONE, "--reason", "Answers in German are cut off")


@pytest.fixture
def world(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[World]:
    template = template_of("hub", tiny.folder("llama"), tmp_path_factory)
    with copy_world(template, tmp_path / "world", "hub") as world:
        yield world


def surroundings(world: World, github: FakeGitHub, token: str) -> dict[str, str]:
    """Return a job's environment, in which every git says how it was called."""
    places = {name: world.folder / "kept" / name.lower() for name in ("HOME", "TMPDIR", "HF_HOME")}
    wrapper = world.folder / "kept" / "bin" / "git"
    for place in (*places.values(), wrapper.parent):
        place.mkdir(parents=True, exist_ok=True)
    real = shutil.which("git")
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {world.folder}/kept/arguments\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    return {
        **os.environ,
        **{name: str(place) for name, place in places.items()},
        "PATH": f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}",
        "HF_ENDPOINT": world.hub.url,
        "HF_TOKEN": token,
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": NAME,
        "GITHUB_RUN_ID": "4711",
        "GITHUB_TOKEN": JOB_TOKEN,
    }


def run(world: World, github: FakeGitHub, token: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a job does, with all that it may say when something is wrong."""
    return subprocess.run(
        [sys.executable, "-m", "modelrelease", "--debug", *arguments],
        cwd=world.folder / "one",
        env=surroundings(world, github, token),
        capture_output=True,
        check=False,
    )


def test_no_token_is_anywhere(world: World, github: FakeGitHub) -> None:
    root = world.folder / "one"
    git(root, "checkout", "--quiet", "--detach", TWO)
    commit, there = git(root, "rev-parse", TWO), github.repository(NAME)
    there.refs[f"refs/tags/{TWO}"] = commit
    add_commit(there, commit, "ada")
    add_review(there, 4711, "grace")
    runs = [
        *((token, arguments) for token in (EXPIRED_TOKEN, READ_TOKEN) for arguments in (PROMOTE, BACK)),
        *((WRITE_TOKEN, arguments) for arguments in (PROMOTE, PROMOTE, BACK, ("doctor",), ("ledger", "verify"))),
    ]
    done = [run(world, github, token, *arguments) for token, arguments in runs]
    assert [one.returncode for one in done[:8]] == [3, 3, 3, 0, 0, 0, 0, 1], [one.stderr.decode() for one in done]
    assert {one.who for one in world.hub.requests} >= {"writer", "reader"}
    assert (world.folder / "kept" / "arguments").stat().st_size > 1000
    files = [path for path in world.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    said = [(" ".join(one.args), one.stdout + one.stderr) for one in done]
    said += [(str(path), path.read_bytes()) for path in files]
    secrets = [secret.encode() for secret in (WRITE_TOKEN, READ_TOKEN, EXPIRED_TOKEN, JOB_TOKEN)]
    assert [where for where, data in said if any(secret in data for secret in secrets)] == []
