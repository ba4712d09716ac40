"""A real git repository to change, stage and commit in, as a person would."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from commands import Ran, run

from modelrelease.records.canonical import digest_of
from modelrelease.records.digests import dataset_digest

NAME, EMAIL = "Ada Lovelace", "ada@example.org"
TODAY = datetime.date.today()  # noqa: DTZ011
EARLIER = (TODAY - datetime.timedelta(days=20)).isoformat()
REASON = "Say that it is a question, which halves the refusals"
CONFIG = (
    "schema_version: 1\n"
    f"change: {{author: {NAME}, reason: Govern what we ask and what we test with, date: {EARLIER}}}\n"
)
PROMPT = f"""# what we ask
messages:
  - role: user
    content: "Q: {{{{question}}}}"  # one at a time
author: {NAME}
reason: Ask one question at a time
date: {EARLIER}
"""
ROWS = [{"id": str(number), "question": f"What is {number}?", "answer": f"It is {number}."} for number in range(1, 6)]


def git(folder: Path, *arguments: str, check: bool = True, **more: str) -> str:
    """Run git in ``folder`` and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **more}
    done = subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, check=False)
    if check and done.returncode:
        raise AssertionError(done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8", "surrogateescape")


def jsonl(rows: list[dict[str, Any]]) -> str:
    """Return rows as JSONL."""
    return "".join(json.dumps(row) + "\n" for row in rows)


class Repository:
    """A repository on ``main``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", NAME)
        self.git("config", "user.email", EMAIL)

    def git(self, *arguments: str, check: bool = True, **more: str) -> str:
        """Run git here."""
        return git(self.folder, *arguments, check=check, **more)

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file of the work tree."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return place

    def read(self, path: str) -> str:
        """Return a file of the work tree."""
        return (self.folder / path).read_bytes().decode("utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace ``old``, which has to be there, in a file."""
        text = self.read(path)
        assert old in text
        self.write(path, text.replace(old, new))

    def stage(self, *paths: str) -> None:
        """Stage ``paths``, or everything."""
        self.git("add", *(["--", *paths] if paths else ["--all"]))

    def commit(self, message: str = "Change") -> str:
        """Commit everything; return the commit."""
        self.stage()
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def state(self) -> str:
        """Return what a check must not change: HEAD, the index, the work tree."""
        return (
            self.git("rev-parse", "HEAD", check=False) + self.git("ls-files", "--stage") + self.git("status", "-uall")
        )


def governed(folder: Path) -> Repository:
    """Return a repository with a config, a prompt and a dataset of five rows, all with their records, committed."""
    repository = Repository(folder)
    repository.write("modelrelease.yaml", CONFIG)
    repository.write("prompts/qa.prompt.yml", PROMPT)
    repository.write("datasets/qa.jsonl", jsonl(ROWS))
    delta = dataset_digest(digest_of(row) for row in ROWS)
    line = {"added": 5, "changed": 0, "removed": 0, "delta": delta}
    record = {"author": NAME, "reason": "Write the first questions", "date": EARLIER}
    repository.write("datasets/qa.jsonl.changes.jsonl", jsonl([{**line, **record}]))
    repository.write("README.md", "A repository.\n")
    repository.commit("Begin")
    return repository


def call(capsys: Any, repository: Repository, *arguments: str) -> Ran:
    """Run a command in a repository."""
    before = Path.cwd()
    os.chdir(repository.folder)
    try:
        return run(capsys, *arguments)
    finally:
        os.chdir(before)
