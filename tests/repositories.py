"""Real git repositories with a suite, versions and their records: what a pull request is checked in."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiny_models import as_jsonl

from modelrelease import git
from modelrelease.config import find_project
from modelrelease.flows.pull_request import check_pull_request
from modelrelease.flows.resolve import Range, Resolved, resolve_range
from modelrelease.flows.score import score_model
from modelrelease.records.comparison import Comparison
from modelrelease.scoring.engines.loading import Numerics
from modelrelease.scoring.execution import NoProgress, Progress
from modelrelease.scoring.run import Options, Surroundings

NOW = "2026-03-04T05:06:07+00:00"
CONFIG, SUITE, QUESTIONS, PROMPT = "modelrelease.yaml", "evals/release.yaml", "datasets/qa.jsonl", "prompts/qa.md"
LIVE, NEW = "models/model_v1.0", "models/model_v1.1"
WORDS = ["cat", "dog", "mat", "sky", "two", "four", "blue", "colour"]
FILES = {
    CONFIG: """schema_version: 1
suite: evals/release.yaml
gate:
  metrics:
    pick/acc: {margin: 0.05}
""",
    SUITE: """schema_version: 1
name: release
tasks:
  - {name: pick, kind: multiple_choice, dataset: datasets/qa.jsonl, prompt: prompts/qa.md, choices: choices,
     target: answer, metrics: [acc], slices: [topic]}
  - {name: say, kind: generate, dataset: datasets/qa.jsonl, prompt: prompts/say.txt, target: reference,
     max_new_tokens: 4, metrics: [{name: regex, pattern: zebra}]}
""",
    PROMPT: "Q: {{question}}\nA:",
    "prompts/say.txt": "Say {{question}}:",
}


def rows(count: int = 8) -> list[dict[str, Any]]:
    """Return the rows of the small test set."""
    return [
        {
            "id": f"q{n}",
            "question": f"what is {WORDS[n % 8]}?",
            "choices": ["the cat", WORDS[n % 8], "a small dog"],
            "answer": n % 3,
            "topic": "even" if n % 2 == 0 else "odd",
            "reference": "the cat",
        }
        for n in range(count)
    ]


@dataclass(frozen=True)
class Repository:
    """A git repository and its work tree."""

    root: Path

    def git(self, *arguments: str) -> str:
        """Run git here; return what it prints."""
        person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        command = ["git", "-C", str(self.root), *person, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace text that stands once in a file."""
        text = (self.root / name).read_text("utf-8")
        assert text.count(old) == 1, (name, old)
        self.write(name, text.replace(old, new))

    def write_rows(self, values: list[dict[str, Any]]) -> None:
        """Replace the test set."""
        self.write(QUESTIONS, as_jsonl(values))

    def remove(self, name: str) -> None:
        """Remove a file or a folder."""
        path = self.root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def commit(self, message: str = "Change") -> str:
        """Commit everything; return the commit."""
        git.commit_all(self.root, message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str = "change") -> None:
        """Begin a branch."""
        self.git("checkout", "--quiet", "-b", name)

    def add_version(self, folder: str, checkpoint: Path) -> None:
        """Add a version with a copy of ``checkpoint``."""
        into = self.root / folder / "checkpoint"
        # Not the times: git takes a file of the same size and time for unchanged.
        shutil.copytree(checkpoint, into, dirs_exist_ok=True, copy_function=shutil.copyfile)

    def score(self, folder: str) -> None:
        """Score a version; its record lies in its folder then."""
        surroundings = Surroundings(now=lambda: NOW, cache=self.cache)
        score_model(find_project(self.root), folder, None, None, options(), surroundings)

    def resolve(self, **wanted: Any) -> Resolved:
        """Resolve main..HEAD."""
        return resolve_range(find_project(self.root), Range(**wanted))

    def check(self, progress: Progress | None = None, **wanted: Any) -> Comparison:
        """Check the pull request main..HEAD, as the command does."""
        state = git.head(self.root)
        watched = progress or NoProgress()
        surroundings = Surroundings(
            progress=watched, now=lambda: NOW, git_sha=state.sha, dirty=state.dirty, cache=self.cache
        )
        return check_pull_request(find_project(self.root), Range(**wanted), options(), surroundings, self.out)

    @property
    def cache(self) -> Path:
        """Where what may be lost is kept."""
        return self.root.parent / "cache"

    @property
    def out(self) -> Path:
        """Where checks write."""
        return self.root / ".modelrelease" / "pull-request"

    def written(self) -> dict[str, Any]:
        """Return comparison.json as it is on disk."""
        found = json.loads((self.out / "comparison.json").read_text("utf-8"))
        assert isinstance(found, dict)
        return found


Edit = Callable[[Repository], object]


def replacing(name: str, old: str, new: str) -> Edit:
    """Return an edit that replaces text that stands once in a file."""
    return lambda repository: repository.replace(name, old, new)


def options() -> Options:
    """Return what tests score with."""
    return Options(Numerics(device="cpu"), batch_tokens=256)


def create(root: Path) -> Repository:
    """Return a new repository with the small project's files, nothing committed."""
    root.mkdir(parents=True, exist_ok=True)
    git.create(root)
    repository = Repository(root)
    for name, text in FILES.items():
        repository.write(name, text)
    repository.write_rows(rows())
    return repository


def create_scored(root: Path, checkpoint: Path) -> Repository:
    """Return a repository whose main has a version, and its record."""
    repository = create(root)
    repository.add_version(LIVE, checkpoint)
    repository.score(LIVE)
    repository.commit("The first version")
    return repository


def copy(template: Repository, root: Path, *edits: Edit) -> Repository:
    """Return a copy on a branch of its own, ready for a pull request's changes; ``edits`` are on main already."""
    shutil.copytree(template.root, root, symlinks=True)
    repository = Repository(root)
    for edit in edits:
        edit(repository)
    if edits:
        repository.commit("Before the pull request")
    repository.branch()
    return repository


def other_weights(checkpoint: Path, into: Path, seed: int = 7) -> Path:
    """Return a copy of a checkpoint whose weights are others of the same shapes."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(checkpoint, into)
    path = into / "model.safetensors"
    generator = torch.Generator().manual_seed(seed)
    tensors = {
        name: torch.randn(tensor.shape, generator=generator) * 0.3 if tensor.dim() > 1 else tensor
        for name, tensor in load_file(path).items()
    }
    save_file(tensors, path, metadata={"format": "pt"})
    return into
