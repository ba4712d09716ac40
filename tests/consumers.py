"""A repository that uses the pull-request template, its pull requests run by act against the local GitHub."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acting import ROOT, Act, Ran, git
from commands import start
from fakes.github import JOB_TOKEN, FakeGitHub, add_pull

REPOSITORY = "acme/support"


@dataclass
class Consumer:
    """A repository that uses the template: model_v1.0 is live on main, and each test has a branch of its own."""

    act: Act
    root: Path

    base: str = "main"

    def branch(self, name: str, base: str = "main") -> None:
        """Begin a branch at ``base``, which its pull request wants to go into."""
        git(self.root, "checkout", "--quiet", "--force", "-B", name, base)
        git(self.root, "clean", "-dfq")
        self.base = base
        shutil.rmtree(self.act.artifacts, ignore_errors=True)

    def stamp(self, reason: str) -> None:
        """Say why, as a person would before committing."""
        git(self.root, "add", "--all")
        done = start(self.root, "stamp", "--reason", reason, "--add")
        assert done.returncode == 0, done.stderr

    def queue(self) -> Ran:
        """Commit, and let a merge queue ask for the check."""
        sha, base = self._commit()
        group = {
            "base_sha": base,
            "base_ref": f"refs/heads/{self.base}",
            "head_sha": sha,
            "head_ref": "refs/heads/queue/b",
        }
        return self._run("merge_group", {"merge_group": group})

    def open(self, github: FakeGitHub, run: int, fork: bool = False, workflow: Path | None = None) -> Ran:
        """Commit, and open or update pull request 7 with it."""
        sha, base = self._commit()
        repository = github.repository(REPOSITORY)
        add_pull(repository, 7, sha)
        head = {"sha": sha, "ref": "b", "repo": {"full_name": "mallory/support" if fork else REPOSITORY}}
        into = {"ref": self.base, "sha": base, "repo": {"full_name": REPOSITORY}}
        payload = {"pull_request": {"number": 7, "head": head, "base": into}}
        job = {"GITHUB_API_URL": github.url, "GITHUB_RUN_ID": str(run)}
        return self._run("pull_request", payload, job=job, token=JOB_TOKEN, workflow=workflow)

    def _commit(self) -> tuple[str, str]:
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--allow-empty", "--message=change")
        return git(self.root, "rev-parse", "HEAD"), git(self.root, "rev-parse", self.base)

    def _run(self, event: str, payload: dict[str, Any], **options: Any) -> Ran:
        return self.act.run(self.root, event, payload, variables={"MODELRELEASE_RUNNER": "self-hosted"}, **options)

    def comparison(self) -> dict[str, Any]:
        path = self.act.artifacts / "modelrelease-comparison" / "comparison.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found


def adopt(root: Path, *templates: str) -> None:
    """Put templates into a repository, as `init` does (`pull-request` without any), and name its place on GitHub.

    Environments come from PyPI on a runner; here all of them sit on the packages of this Python.
    """
    ours = f"          python: {sys.executable}\n          system-site-packages: true\n"
    (root / ".github" / "workflows").mkdir(parents=True)
    for name in templates or ("pull-request",):
        text = (ROOT / "workflows-templates" / f"{name}.yml").read_text("utf-8")
        text = text.replace("          system-site-packages: true\n", "")
        text = re.sub(r"(?<=uses: modelrelease/)(\S+\n +with:\n)", lambda match: match[0] + ours, text)
        path = root / ".github" / "workflows" / f"{name}.yml"
        path.write_text(text, "utf-8")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.org")
    git(root, "remote", "add", "origin", f"https://github.com/{REPOSITORY}.git")


def bodies(github: FakeGitHub) -> list[str]:
    return [comment["body"] for comment in github.repository(REPOSITORY).comments.values()]
