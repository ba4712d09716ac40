"""Which prompt asks which rows."""

from __future__ import annotations

from typing import Any

import pytest

from modelrelease.scaffold.found import Dataset, PromptFile
from modelrelease.scaffold.pairing import LEAST_TOKENS, MOST_TOKENS, TaskPlan, Undecided, plan_tasks, room
from modelrelease.scaffold.shapes import shape_of

ASK = PromptFile("prompts/ask.md", ("question",), False)
QA = PromptFile("prompts/qa.prompt.yml", ("question",), True)
LEAK = PromptFile("prompts/leak.md", ("question", "answer"), False)
OTHER = PromptFile("prompts/other.md", ("passage", "question"), False)
ROW = {"id": 1, "question": "who?", "answer": "me"}
PICK = {"id": 1, "question": "who?", "choices": ["a", "b"], "answer": 0}


def dataset(path: str = "datasets/qa.jsonl", row: dict[str, Any] = ROW, whole: bool = True) -> Dataset:
    return Dataset(path, 50, shape_of([row]), whole)


def only(row: dict[str, Any], *prompts: PromptFile) -> TaskPlan | Undecided:
    tasks, undecided = plan_tasks([dataset(row=row)], prompts)
    (one,) = [*tasks, *undecided]
    return one


@pytest.mark.parametrize(
    ("row", "prompts", "prompt", "asked"),
    [
        (ROW, [ASK], ASK, "prompts/ask.md is the only prompt that its rows can fill"),
        (ROW, [ASK, OTHER, LEAK], ASK, "prompts/ask.md is the only prompt that its rows can fill"),
        (ROW, [ASK, QA], QA, "prompts/qa.prompt.yml has its name, and its rows can fill it"),
        (PICK, [ASK], ASK, "prompts/ask.md is the only prompt that its rows can fill"),
    ],
)
def test_a_prompt_is_taken_when_there_is_no_doubt(
    row: dict[str, Any], prompts: list[PromptFile], prompt: PromptFile, asked: str
) -> None:
    task = only(row, *prompts)
    assert isinstance(task, TaskPlan)
    assert (task.prompt, task.asked, task.items) == (prompt.path, asked, 50)


def test_several_prompts_are_a_person_s_choice() -> None:
    second = PromptFile("prompts/two.md", ("question",), False)
    found = only(ROW, ASK, second)
    assert isinstance(found, Undecided)
    assert found.reason == "2 prompts fit it: prompts/ask.md, prompts/two.md"
    assert found.draft is not None
    assert found.draft.prompt == ASK.path


@pytest.mark.parametrize("prompts", [[], [OTHER], [LEAK], [PromptFile("prompts/x.md", (), False)]])
def test_without_a_prompt_that_fits_there_is_a_draft(prompts: list[PromptFile]) -> None:
    found = only(ROW, *prompts)
    assert isinstance(found, Undecided)
    assert found.reason == "no prompt is filled by its fields, `question`"
    assert "prompts/ask.md" in found.todo
    assert found.draft is not None
    assert (found.draft.kind, found.draft.prompt) == ("generate", "prompts/ask.md")


def test_a_text_needs_no_prompt_but_a_question_without_an_answer_is_none() -> None:
    task = only({"id": 1, "text": "a story"}, PromptFile("prompts/sum.md", ("text",), False))
    assert isinstance(task, TaskPlan)
    assert (task.kind, task.prompt, task.metric) == ("perplexity", None, "nll")
    found = only({"id": 1, "question": "who?"}, ASK)
    assert isinstance(found, Undecided)
    assert found.reason.startswith("prompts/ask.md asks its `question`")


def test_what_cannot_be_told_keeps_its_reason() -> None:
    found = only({"id": 1, "a": "x", "b": "y"}, ASK)
    assert isinstance(found, Undecided)
    assert found.draft is None
    assert "`a`, `b`" in found.reason


@pytest.mark.parametrize(
    ("answer", "prompt", "stop"),
    [
        ("one line", ASK, ("\n",)),
        ("two\nlines", ASK, ("\n\n",)),
        ("two\n\nparagraphs", ASK, ()),
        ("one line", QA, ()),
    ],
)
def test_an_answer_ends_where_no_target_goes_on(answer: str, prompt: PromptFile, stop: tuple[str, ...]) -> None:
    task = only({**ROW, "answer": answer}, prompt)
    assert isinstance(task, TaskPlan)
    assert task.stop == stop


@pytest.mark.parametrize(
    ("longest", "tokens"), [(1, LEAST_TOKENS), (32, 16), (33, 24), (48, 24), (49, 32), (10**9, MOST_TOKENS)]
)
def test_room_is_a_token_for_two_bytes_in_eights(longest: int, tokens: int) -> None:
    assert room(longest) == tokens


def test_names_are_of_the_file_and_no_two_are_the_same() -> None:
    paths = ["a/qa.jsonl", "b/qa.csv", "c/-$(x)\n.jsonl", "d/ü.json", "e/" + "x" * 300 + ".json", "f/.jsonl"]
    tasks, undecided = plan_tasks([dataset(path) for path in paths], [ASK])
    assert [task.name for task in tasks] == ["qa", "qa-2", "x", "task", "x" * 60, "task-2"]
    assert undecided == []
    _, undecided = plan_tasks([dataset("a/qa.jsonl"), dataset("b/qa.jsonl")], [])
    assert [one.draft.name for one in undecided if one.draft is not None] == ["qa", "qa-2"]


def test_slices_of_rows_that_were_not_all_read_are_left_out() -> None:
    row = {**ROW, "category": "a"}
    shape = shape_of([row, {**row, "category": "b"}])
    for whole, slices in ((True, ("category",)), (False, ())):
        (task,), _ = plan_tasks([Dataset("datasets/qa.jsonl", 2, shape, whole)], [ASK])
        assert (task.slices, task.whole) == (slices, whole)
