"""What stands beside a comparison: the baseline's age, the parent, the versions before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from builders import Tasks, write
from repositories import Repository, create

from modelrelease.flows.background import age_in_days, history, parent_note
from modelrelease.flows.trees import Tree
from modelrelease.records.comparison import MAX_HISTORY
from modelrelease.records.results import Results, read_results

NOW = "2026-03-04T12:00:00+00:00"


@pytest.mark.parametrize(
    ("started", "days"),
    [
        ("2026-03-01T12:00:00+00:00", 3.0),
        ("2026-03-04T06:00:00+00:00", 0.25),
        ("2026-03-04T12:00:00+02:00", 0.08),
        ("2026-03-05T12:00:00+00:00", -1.0),
        ("2026-03-01T12:00:00", None),  # of no zone
        ("", None),
        ("long ago", None),
        (None, None),
    ],
)
def test_the_age_of_a_record(started: str | None, days: float | None) -> None:
    assert age_in_days(started, NOW) == days


def test_a_clock_that_says_nothing_gives_no_age() -> None:
    assert age_in_days(NOW, "") is None


class Past:
    """A repository with records of earlier versions, and the candidate's results."""

    def __init__(self, folder: Path) -> None:
        self.repository: Repository = create(folder / "repository")
        self._folder = folder

    def version(self, name: str, tasks: Tasks) -> None:
        write(self.repository.root / "models" / name, tasks, model=name)

    def candidate(self, tasks: Tasks) -> Results:
        shutil.rmtree(self._folder / "candidate", ignore_errors=True)
        return read_results(write(self._folder / "candidate", tasks, model="model_v9.0"))

    def tree(self) -> Tree:
        return Tree(self.repository.root, self.repository.commit(), "modelrelease.yaml")


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path)


def test_the_trend_has_what_was_asked_the_same(past: Past) -> None:
    past.version("model_v1.10", {"qa": {"acc": [1.0, 1.0]}, "text": {"nll": [2.0]}})
    past.version("model_v1.9", {"qa": {"acc": [1.0, 0.0]}})
    past.version("model_v1.8", {"qa": {"acc": [1.0]}})  # other rows
    past.version("model_v1.7", {"qa": {"acc": [1.0, 0.0], "acc_norm": [1.0, 0.0]}})  # another task
    past.version("model_v2.0", {"qa": {"acc": [None, None]}})  # no value
    past.repository.write("models/model_v1.6/eval.json", "{")
    past.repository.write("models/model_v1.5/README.md", "never scored")
    candidate = past.candidate({"qa": {"acc": [0.0, 0.0]}, "text": {"nll": [2.0]}})
    tree = past.tree()
    found = history(tree, "models", candidate.evaluation, None)
    assert [(one.version, one.values) for one in found] == [
        ("model_v1.9", {"qa/acc": 0.5}),
        ("model_v1.10", {"qa/acc": 1.0, "text/nll": 2.0}),
    ]
    assert [one.version for one in history(tree, "models", candidate.evaluation, "model_v1.9")] == ["model_v1.10"]
    assert history(tree, "elsewhere", candidate.evaluation, None) == ()


def test_the_trend_keeps_the_newest(past: Past) -> None:
    for number in range(MAX_HISTORY + 2):
        past.version(f"model_v1.{number}", {"qa": {"acc": [1.0]}})
    found = history(past.tree(), "models", past.candidate({"qa": {"acc": [1.0]}}).evaluation, None)
    assert [one.version for one in found] == [f"model_v1.{number}" for number in range(2, MAX_HISTORY + 2)]


def note(past: Past, tasks: Tasks, tmp_path: Path) -> str:
    return parent_note(past.tree(), "models/model_v0.9", past.candidate(tasks), tmp_path / "scratch")


def test_the_parent_s_line_says_what_changed_on_the_items_of_both(past: Past, tmp_path: Path) -> None:
    past.version("model_v0.9", {"qa": {"acc": [1.0, 0.0, 0.0]}, "text": {"nll": [2.0]}})
    said = note(past, {"qa": {"acc": [1.0, 1.0]}, "text": {"nll": [2.5]}}, tmp_path)
    assert said == "Against its parent model_v0.9, as recorded: qa/acc +50.0 points (2 items), text/nll +0.500 (1 item)"


def test_a_parent_that_cannot_be_compared_says_why(past: Past, tmp_path: Path) -> None:
    asked: Tasks = {"qa": {"acc": [1.0]}}
    assert note(past, asked, tmp_path).endswith("it has no record that can be read")
    past.version("model_v0.9", {"other": {"acc": [1.0]}})
    assert note(past, asked, tmp_path).endswith("it was asked other items")
    past.repository.write("models/model_v0.9/samples.jsonl", "cut")
    assert note(past, asked, tmp_path).endswith("it has no record that can be read")
