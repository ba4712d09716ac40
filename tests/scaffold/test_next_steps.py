"""The commands that init prints lead somewhere: what is live after them is what a pull request is held against."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from modelrelease.scaffold.file_plan import created
from modelrelease.scaffold.steps import Releasing, Situation, next_steps

WRITTEN = (created("modelrelease.yaml", "schema_version: 1\n", "new"),)
FOUND = Situation("evals/release.yaml", ("datasets/qa.jsonl", "prompts/ask.md"), (), WRITTEN, has_remote=True)
FOLDER = Releasing("", None, folder=True)


def committed(steps: tuple[str, ...]) -> list[str]:
    """What the one line that commits names."""
    (line,) = [step.partition(": ")[2] for step in steps if "git add" in step]
    commands = shlex.split(line)
    assert commands[:3] == ["git", "add", "--"]
    return commands[3 : commands.index("&&")]


@pytest.mark.parametrize(
    ("versions", "folder"),
    [((), "models/model_v1.0"), (("models/model_v1.0", "models/model_v1.1"), "models/model_v1.1"), (("m s",), "'m s'")],
)
def test_the_version_is_committed_with_its_record(versions: tuple[str, ...], folder: str) -> None:
    """Without the record in the commit nothing is live, and the first pull request passes unseen."""
    score, commit, _ = next_steps(replace(FOUND, versions=versions))
    assert score.endswith(f"modelrelease score {folder}")
    assert ("modelrelease record" in score) == (not versions), "a new version is committed with its papers"
    assert committed((commit,)) == ["modelrelease.yaml", "datasets/qa.jsonl", "prompts/ask.md", *shlex.split(folder)]


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        (("data/a b.json", "ask.md"), ["data/a b.json", "ask.md"]),
        (tuple(f"datasets/{n}.jsonl" for n in range(9)), ["datasets/"]),
        (("datasets/-qa\n$(x).jsonl", "prompts/ask.md"), ["datasets/", "prompts/"]),
    ],
)
def test_what_the_suite_reads_is_committed_with_it(inputs: tuple[str, ...], named: list[str]) -> None:
    """A tag whose commit lacks the test set can never be scored."""
    assert committed(next_steps(replace(FOUND, inputs=inputs)))[1:-1] == named


def test_what_is_written_already_is_not_committed_again() -> None:
    steps = next_steps(replace(FOUND, files=(), has_remote=False))
    assert not any("git add" in step for step in steps)
    assert "gh repo create" in steps[-1]


def test_a_first_release_is_led_from_the_score_to_its_tag() -> None:
    steps = next_steps(replace(FOUND, versions=("models/model_v1.0",), files=(), releasing=FOLDER))
    told = [
        "modelrelease score models/model_v1.0",
        "modelrelease card models/model_v1.0 --write",
        "bootstrap: model_v1.0",
        "target: hf://ORGANISATION/NAME",
        "git commit",
        "gh variable set MODELRELEASE_RELEASE_RUNNER",
        "`production`, `rollback` and `rollback-plan` before the first run",
        "modelrelease doctor",
        "git tag model_v1.0 && git push origin model_v1.0",
    ]
    assert len(steps) == len(told)
    for words, step in zip(told, steps, strict=True):
        assert words in step
    assert committed(steps) == [
        "modelrelease.yaml", "evals/release.yaml", "datasets/qa.jsonl", "prompts/ask.md", "models/model_v1.0"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("releasing", "absent", "tag"),
    [
        (Releasing("shop/", "model_v1.0", folder=True), "bootstrap:", "git tag shop/model_v1.0 "),
        (Releasing("", None, folder=False), "hf://", "git tag model_v1.0 "),
    ],
)
def test_what_the_config_says_already_is_no_step(releasing: Releasing, absent: str, tag: str) -> None:
    steps = next_steps(replace(FOUND, releasing=releasing))
    assert not any(absent in step for step in steps)
    assert tag in steps[-1]


def test_a_suite_without_a_task_comes_first() -> None:
    for releasing in (None, FOLDER):
        first, score, *_ = next_steps(replace(FOUND, inputs=(), releasing=releasing))
        assert first.startswith("write a task into evals/release.yaml")
        assert "modelrelease score" in score
