"""The commands that init prints lead somewhere: what is live after them is what a pull request is held against."""

from __future__ import annotations

import shlex

import pytest

from modelrelease.scaffold.file_plan import created
from modelrelease.scaffold.steps import next_steps

WRITTEN = [created("modelrelease.yaml", "schema_version: 1\n", "new")]


@pytest.mark.parametrize(
    ("versions", "folder"),
    [((), "models/model_v1.0"), (("models/model_v1.0", "models/model_v1.1"), "models/model_v1.1"), (("m s",), "'m s'")],
)
def test_the_version_is_committed_with_its_record(versions: tuple[str, ...], folder: str) -> None:
    """Without the record in the commit nothing is live, and the first pull request passes unseen."""
    score, commit, _ = next_steps("evals/release.yaml", 1, versions, WRITTEN, has_remote=True)
    assert score.endswith(f"modelrelease score {folder}")
    assert ("modelrelease record" in score) == (not versions), "a new version is committed with its papers"
    commands = shlex.split(commit.partition(": ")[2])
    assert commands[: commands.index("&&")] == ["git", "add", "--", "modelrelease.yaml", *shlex.split(folder)]


def test_what_is_written_already_is_not_committed_again() -> None:
    steps = next_steps("evals/release.yaml", 1, (), [], has_remote=False)
    assert not any("git add" in step for step in steps)
    assert "gh repo create" in steps[-1]
