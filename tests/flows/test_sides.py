"""What candidate and baseline of a pull request are asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import CONFIG, PROMPT, SUITE, Edit, Repository, copy, create, replacing, rows

from modelrelease.config import tree_reader
from modelrelease.errors import InvalidInput
from modelrelease.flows.sides import Asked, suites_of_sides
from modelrelease.flows.trees import Tree
from modelrelease.scoring.suites import LoadedSuite, load_suite


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = create(tmp_path_factory.mktemp("template") / "repository")
    repository.commit("The suite")
    return repository


@pytest.fixture
def pull(template: Repository, tmp_path: Path) -> Repository:
    return copy(template, tmp_path / "repository")


def asked(pull: Repository) -> Asked:
    own = load_suite(SUITE, tree_reader(pull.root))
    return suites_of_sides(own, Tree(pull.root, pull.git("rev-parse", "main"), CONFIG))


def prompt_of(suite: LoadedSuite, name: str = "pick") -> str | None:
    (task,) = [task for task in suite.tasks if task.spec.name == name]
    return task.prompt_digest


def pattern_of(suite: LoadedSuite) -> str | None:
    (task,) = [task for task in suite.tasks if task.spec.name == "say"]
    return task.spec.metrics[0].pattern


def test_without_changes_all_four_are_the_same(pull: Repository) -> None:
    found = asked(pull)
    assert found.deciding.candidate == found.own.candidate
    assert found.deciding.baseline.tasks == found.own.baseline.tasks
    assert not found.edited
    assert found.new_metrics == ()


def test_prompts_are_each_side_s_own_and_rows_are_the_pull_request_s(pull: Repository) -> None:
    before = asked(pull)
    pull.replace(PROMPT, "A:", "Answer:")
    pull.write_rows(rows(5))
    found = asked(pull)
    for pair in (found.deciding, found.own):
        assert prompt_of(pair.baseline) == prompt_of(before.own.candidate) != prompt_of(pair.candidate)
        assert {len(task.rows) for suite in (pair.baseline, pair.candidate) for task in suite.tasks} == {5}
    assert not found.edited  # neither prompts nor rows are policy


def test_files_are_named_as_the_pull_request_names_them(pull: Repository) -> None:
    """Texts of items are looked up by these names in the work tree."""
    pull.git("mv", "datasets", "data")
    pull.git("mv", "prompts", "texts")
    text = (pull.root / SUITE).read_text("utf-8")
    pull.write(SUITE, text.replace("datasets/", "data/").replace("prompts/", "texts/").replace("zebra", "lion"))
    found = asked(pull)
    for suite in (found.deciding.candidate, found.own.candidate):
        names = {name for task in suite.tasks for name in (task.spec.dataset, task.spec.prompt)}
        assert names == {"data/qa.jsonl", "texts/qa.md", "texts/say.txt"}
    assert prompt_of(found.deciding.baseline) == prompt_of(found.deciding.candidate)


def test_how_answers_are_scored_is_the_target_branch_s(pull: Repository) -> None:
    pull.replace(SUITE, "zebra", "lion")
    found = asked(pull)
    assert found.edited
    assert [pattern_of(suite) for suite in (found.deciding.candidate, found.deciding.baseline)] == ["zebra"] * 2
    assert [pattern_of(suite) for suite in (found.own.candidate, found.own.baseline)] == ["lion"] * 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_new_tokens: 4", "max_new_tokens: 5"),
        ("max_new_tokens: 4", "max_new_tokens: 4, stop: [x]"),
        ("max_new_tokens: 4", "max_new_tokens: 4, temperature: 0.5"),
        ("target: answer", "target: reference"),
        ("slices: [topic]", "slices: []"),
        ("metrics: [acc]", "metrics: [acc, acc_norm]"),
        ("choices: choices", "choices: choices, delimiter: ''"),
    ],
)
def test_every_scoring_part_is_policy(pull: Repository, old: str, new: str) -> None:
    if "reference" in new:  # one of the choices in words is a target as well
        pull.write_rows([{**row, "reference": row["choices"][0]} for row in rows()])
    pull.replace(SUITE, old, new)
    found = asked(pull)
    assert found.edited
    assert [task.spec.scoring_part() for task in found.deciding.candidate.tasks] == [
        task.spec.scoring_part() for task in load_suite(SUITE, Tree(pull.root, "main", CONFIG).read).tasks
    ]


def test_a_removed_task_is_still_asked_with_the_target_branch_s_rows(pull: Repository) -> None:
    text = (pull.root / SUITE).read_text("utf-8")
    pull.write(SUITE, text[: text.index("  - {name: say")])
    pull.write_rows(rows(5))
    found = asked(pull)
    assert found.edited
    assert [(task.spec.name, len(task.rows)) for task in found.deciding.candidate.tasks] == [("pick", 5), ("say", 8)]
    assert [task.spec.name for task in found.own.candidate.tasks] == ["pick"]
    pull.remove("prompts/say.txt")  # the target branch has it
    assert asked(pull).deciding.candidate == found.deciding.candidate


def test_new_tasks_and_metrics_are_named_and_asked_of_both(pull: Repository) -> None:
    more = "  - {name: read, kind: perplexity, dataset: datasets/qa.jsonl, target: question, metrics: [nll]}\n"
    pull.write(SUITE, (pull.root / SUITE).read_text("utf-8").replace("[acc]", "[acc, acc_norm]") + more)
    found = asked(pull)
    assert found.new_metrics == ("pick/acc_norm", "read/nll")
    for pair in (found.deciding, found.own):
        assert pair.baseline.tasks[-1] == pair.candidate.tasks[-1]
        assert pair.candidate.tasks[-1].spec.name == "read"
    assert [one.name for one in found.deciding.candidate.tasks[0].spec.metrics] == ["acc"]


def test_tasks_in_another_order_are_no_edit(pull: Repository) -> None:
    text = (pull.root / SUITE).read_text("utf-8")
    first, second = text.index("  - {name: pick"), text.index("  - {name: say")
    pull.write(SUITE, text[:first] + text[second:] + text[first:second])
    assert not asked(pull).edited


def test_a_target_branch_without_a_suite_decides_nothing(template: Repository, tmp_path: Path) -> None:
    pull = copy(template, tmp_path / "repository", replacing(CONFIG, "suite: evals/release.yaml\n", ""))
    found = asked(pull)
    assert (found.edited, found.new_metrics) == (False, ())
    assert found.deciding.baseline.tasks == found.own.candidate.tasks


def test_a_suite_that_moved_is_the_same_suite(pull: Repository) -> None:
    pull.git("mv", SUITE, "evals/other.yaml")
    own = load_suite("evals/other.yaml", tree_reader(pull.root))
    assert not suites_of_sides(own, Tree(pull.root, "main", CONFIG)).edited


RENAMED = [{("query" if key == "question" else key): value for key, value in row.items()} for row in rows()]
CONFLICTS: dict[str, tuple[Edit, str]] = {
    "a field renamed with its prompt": (
        lambda pull: (
            pull.write_rows(RENAMED),
            pull.replace(PROMPT, "question", "query"),
            pull.replace("prompts/say.txt", "question", "query"),
        ),
        "MR508 as on the target branch, names the field `question`, which no row of datasets/qa.jsonl has; keep",
    ),
    "a target renamed with the suite": (
        lambda pull: (
            pull.write_rows([{**row, "right": row["answer"], "answer": None} for row in rows()]),
            pull.replace(SUITE, "target: answer", "target: right"),
        ),
        "MR508 as on the target branch, `answer` is missing or null",
    ),
    "the pull request's own fault": (
        lambda pull: pull.replace(PROMPT, "question", "query"),
        f"{PROMPT}:1: MR301 names the field `query`",
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_what_cannot_be_asked_is_said_at_once(pull: Repository, name: str) -> None:
    edit, message = CONFLICTS[name]
    edit(pull)
    with pytest.raises(InvalidInput) as caught:
        asked(pull)
    assert message in str(caught.value)
