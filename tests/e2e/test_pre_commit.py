"""The hook as people meet it: the real pre-commit builds its environment from the kit, refuses, and then accepts."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from acting import PARTS, ROOT, git
from commands import start

REASON = "Begin with one question, to see the whole way run"


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """Return a repository with what of this checkout pre-commit needs, as it stands in the work tree."""
    folder = tmp_path / "kit"
    folder.mkdir()
    for part in (*PARTS, "LICENSE", ".pre-commit-hooks.yaml"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=kit")
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Return a repository with a prompt and a test set, staged and not explained."""
    folder = tmp_path / "scratch"
    (folder / "datasets").mkdir(parents=True)
    git(folder, "init", "--quiet")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.org")
    (folder / "datasets" / "qa.jsonl").write_text('{"id": "1", "question": "What is 1?", "answer": "one"}\n', "utf-8")
    git(folder, "add", "--all")
    return folder


def commit(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    command = ["git", "commit", "--message", "One question"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def test_a_commit_is_refused_and_the_printed_fix_makes_it_pass(kit: Path, scratch: Path, tmp_path: Path) -> None:
    sha = git(kit, "rev-parse", "HEAD")
    hooks = f"repos:\n  - repo: {kit}\n    rev: {sha}\n    hooks:\n      - id: modelrelease\n"
    (scratch / ".pre-commit-config.yaml").write_text(hooks, "utf-8")
    git(scratch, "add", "--all")
    subprocess.run(
        [Path(sys.executable).parent / "pre-commit", "install"], cwd=scratch, check=True, capture_output=True
    )
    refused = commit(scratch, tmp_path / "home")
    said = refused.stdout + refused.stderr
    assert refused.returncode == 1, said
    assert "datasets/qa.jsonl: MR101 is new (1 row added) and qa.jsonl.changes.jsonl has no new line" in said
    (fix,) = re.findall(r"run `(modelrelease .*?)`$", said, re.MULTILINE)
    name, *arguments = shlex.split(fix.replace("…", REASON))
    assert (name, start(scratch, *arguments).returncode) == ("modelrelease", 0)
    accepted = commit(scratch, tmp_path / "home")
    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert REASON in git(scratch, "show", "HEAD:datasets/qa.jsonl.changes.jsonl")
