"""The YAML that init writes is what its readers take it for, whatever files and fields are called."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.config import parse_config
from modelrelease.records.metric_types import METRICS
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.suite import Suite
from modelrelease.records.validation import validate
from modelrelease.scaffold.config_text import config_text, governed_patterns
from modelrelease.scaffold.margins import SPREAD_MARGIN, plan_metrics
from modelrelease.scaffold.pairing import EXAMPLE, TaskPlan, Undecided
from modelrelease.scaffold.suite_text import suite_text
from modelrelease.scaffold.yaml_text import commented, scalar

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
CHANGE = {"author": "Ada", "reason": "A reason to change", "date": "2026-11-22"}
TASK = replace(EXAMPLE, items=50)
SAY = TaskPlan("say", "generate", "datasets/say.jsonl", "answer", "exact_match", 400, "because", "prompts/p.md",
               max_new_tokens=16, stop=("\n",))  # fmt: skip
READ = TaskPlan("read", "perplexity", "datasets/t.jsonl", "text", "nll", 40, "because")


def read_suite(text: str) -> Suite:
    return validate(Suite, read_yaml(text, "suite"))


@given(TEXT)
def test_a_scalar_is_read_as_the_text_it_is_of(text: str) -> None:
    written = scalar(text)
    assert "\n" not in written
    for document in (f"k: {written}\n", f"k: [{written}, x]\n", f"k: {{m: {written}}}  # remark\n"):
        value = read_yaml(document, "x").value["k"]
        found = value[0] if isinstance(value, list) else value["m"] if isinstance(value, dict) else value
        assert (found, type(found)) == (text, str)


@pytest.mark.parametrize("text", ["no", "null", "~", "1", "1e3", "2026-11-22", "", "-x", "a: b", "a #b", "<<"])
def test_what_yaml_takes_for_something_else_is_quoted(text: str) -> None:
    assert scalar(text) == f'"{text}"'


@given(TEXT, TEXT, TEXT)
def test_names_from_a_repository_stay_names(dataset: str, field: str, reason: str) -> None:
    task = replace(SAY, dataset=f"d{dataset}", target=field, reason=reason, asked=reason)
    undecided = Undecided(dataset, reason, reason, replace(task, name="draft"))
    text = suite_text([task], [undecided], {**CHANGE, "author": f"a{dataset}"})
    (read,) = read_suite(text).tasks
    assert (read.dataset, read.target) == (f"d{dataset}", field)


@pytest.mark.parametrize("tasks", [[], [TASK], [TASK, SAY, READ]])
@pytest.mark.parametrize("undecided", [[], [Undecided("datasets/x.jsonl", "2 prompts fit", "choose one", SAY)]])
def test_a_suite_holds_its_tasks_and_takes_its_drafts_when_they_are_uncommented(
    tasks: list[TaskPlan], undecided: list[Undecided]
) -> None:
    undecided = [replace(one, draft=replace(SAY, name="draft")) for one in undecided]
    text = suite_text(tasks, undecided, CHANGE)
    suite = read_suite(text)
    assert [task.name for task in suite.tasks] == [task.name for task in tasks]
    assert suite.change is not None
    assert suite.change.model_dump() == CHANGE
    drafted = "".join(line.removeprefix("# ") for line in text.splitlines(keepends=True) if _yaml(line))
    names = [task.name for task in tasks] + (["draft"] if undecided else [] if tasks else ["questions"])
    assert [task.name for task in read_suite(drafted).tasks] == names


def _yaml(line: str) -> bool:
    """Not a comment made of words."""
    return not line.startswith("# ") or line.startswith(("#   ", "# tasks:"))


def test_comments_keep_their_indentation() -> None:
    assert commented("a:\n\n  - b\n") == "# a:\n#\n#   - b\n"


def test_metrics_have_the_margins_that_their_items_prove() -> None:
    seen = []

    def smallest(items: int) -> float:
        seen.append(items)
        return 0.2 if items < 100 else 0.04

    few, many = replace(TASK, name="few", items=12), replace(SAY, items=400)
    metrics = plan_metrics([few, many, READ, replace(TASK, name="long", whole=False)], smallest)
    assert seen == [30, 400, 50]
    assert [(m.name, m.margin, m.role) for m in metrics] == [
        ("few/acc", 0.2, "gate"),
        ("say/exact_match", 0.04, "gate"),
        ("read/nll", SPREAD_MARGIN, "info"),
        ("long/acc", 0.2, "gate"),
    ]
    assert metrics[0].note == "12 items prove nothing: with 30 this margin could be met"
    assert metrics[1].note == "400 items: a loss of 4 points can be ruled out"
    assert metrics[3].note.startswith("at least 50 items: ")


def test_where_nothing_else_can_decide_likelihood_does() -> None:
    (metric,) = plan_metrics([READ], lambda items: 0.5)
    assert metric.role == "gate"


@pytest.mark.parametrize("tasks", [[], [READ], [TASK, SAY, READ]])
@pytest.mark.parametrize("versions", [[], ["models/model_v1.0"], ["models/model_v1.0", "models/model_v1.1"]])
@pytest.mark.parametrize("paths", [["datasets/a.jsonl", "prompts/p.md"], ["data/a b.jsonl", "x*[1].csv"]])
def test_a_config_says_what_was_planned(tasks: list[TaskPlan], versions: list[str], paths: list[str]) -> None:
    metrics = plan_metrics(tasks, lambda items: 0.03)
    governed = governed_patterns(paths)
    config = parse_config(config_text("evals/release.yaml", metrics, governed, versions, CHANGE).encode(), "x")
    assert config.suite == "evals/release.yaml"
    assert {name: (policy.margin, policy.role) for name, policy in config.gate.metrics.items()} == {
        metric.name: (metric.margin, metric.role) for metric in metrics
    }
    assert config.release.bootstrap == ("model_v1.0" if len(versions) == 1 else None)
    assert [pattern for files in config.registry.files for pattern in files.paths] == governed
    assert config.change is not None


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("datasets/a.jsonl", None),
        ("prompts/deep/a.md", None),
        ("data/a.jsonl", "/data/a.jsonl"),
        ("service/datasets/a.jsonl", "/service/datasets/**"),
        ("test.jsonl", "/test.jsonl"),
        ("we*ird[1]?\\.csv", "/we\\*ird\\[1]\\?\\\\.csv"),
        ("!a#.csv", "/!a#.csv"),
        ("a.csv ", "/a.csv\\ "),
    ],
)
def test_what_the_usual_patterns_do_not_cover_gets_its_own(path: str, pattern: str | None) -> None:
    usual = ["prompts/**", "datasets/**", "evals/**"]
    assert governed_patterns([path]) == usual + ([pattern] if pattern else [])


def test_every_metric_that_a_suite_may_have_can_be_planned() -> None:
    for name in METRICS:
        (metric,) = plan_metrics([replace(TASK, metric=name)], lambda items: 0.03)
        assert metric.margin > 0
