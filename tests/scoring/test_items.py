from __future__ import annotations

from typing import Any

import pytest
from tiny_models import as_jsonl

from modelrelease.errors import InvalidInput
from modelrelease.scoring.items import Item, build_items
from modelrelease.scoring.metrics import patterns
from modelrelease.scoring.suites import load_suite

CHOICE = "kind: multiple_choice, choices: c, target: t, metrics: [acc]"
SAY = "kind: generate, max_new_tokens: 4, target: t"
READ = "kind: perplexity, target: t, metrics: [nll]"


def items(task: str, rows: list[dict[str, Any]], prompt: str | None = "{{q}}", name: str = "p.txt") -> list[Item]:
    """The items of a suite with one task, which begins on line 4."""
    named = f", prompt: {name}" if prompt is not None else ""
    suite = f"schema_version: 1\nname: s\ntasks:\n  - {{name: a, dataset: d.jsonl{named}, {task}}}\n"
    files = {"s.yaml": suite, "d.jsonl": as_jsonl(rows), name: prompt or ""}
    return build_items(load_suite("s.yaml", lambda path: files[path].encode()).tasks)


def findings(*arguments: Any, **keys: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        items(*arguments, **keys)
    return caught.value.lines()


GOOD = {"id": 0, "q": "Why?", "c": ["x", "y"], "t": 1}


@pytest.mark.parametrize(
    ("target", "choices", "index"),
    [
        (0, ["x", "y"], 0),
        (1, ["x", "y"], 1),
        ("y", ["x", "y"], 1),
        ("1", ["x", "y"], 1),
        ("1", ["1", "2"], 0),
        (1, ["1", "2"], 1),
        ("x", ["x", "x"], 0),
    ],
)
def test_the_right_choice_is_an_index_or_one_of_the_texts(target: Any, choices: list[str], index: int) -> None:
    (item,) = items(CHOICE, [{**GOOD, "t": target, "c": choices}])
    assert (item.target, item.choices, item.prompt) == (index, tuple(choices), "Why?")


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"c": None}, "MR306 `c` must be a list of two or more non-empty texts (found missing or null)"),
        ({"c": "x"}, "MR306 `c` must be a list of two or more non-empty texts (found a text)"),
        ({"c": ["x"]}, "MR306 `c` must be a list of two or more non-empty texts (1 of them)"),
        ({"c": ["x", ""]}, "MR306 `c` must be a list of two or more non-empty texts (2 of them)"),
        ({"c": ["x", 1]}, "MR306 `c` must be a list of two or more non-empty texts (2 of them)"),
        ({"c": {"a": 1}}, "MR306 `c` must be a list of two or more non-empty texts (found an object)"),
    ],
)
def test_choices_that_are_none_are_named_with_their_row(row: dict[str, Any], line: str) -> None:
    assert findings(CHOICE, [GOOD, {**GOOD, "id": 1, **row}]) == [f"d.jsonl:2: {line}; give the row its choices"]


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (2, "2"),
        (-1, "-1"),
        (None, "missing or null"),
        ("z", "a text"),
        (True, "true or false"),
        (0.0, "0.0"),
        ([0], "a list"),
        ("9999999999", "a text"),
    ],
)
def test_a_target_that_names_no_choice_is_named_with_its_row(target: Any, shown: str) -> None:
    assert findings(CHOICE, [GOOD, {**GOOD, "id": 1, "t": target}]) == [
        f"d.jsonl:2: MR307 `t` is {shown}; it must be an index from 0 to 1 or one of the choices; name the right choice"
    ]


@pytest.mark.parametrize(
    ("target", "shown"),
    [(None, "missing or null"), ("", "a text"), ([], "a list"), (["x", ""], "a list"), (True, "true or false")],
)
def test_a_reference_that_is_no_text_is_named_with_its_row(target: Any, shown: str) -> None:
    rows = [{"id": 0, "q": "?", "t": "x"}, {"id": 1, "q": "?", "t": target}]
    assert findings(f"{SAY}, metrics: [exact_match]", rows) == [
        f"d.jsonl:2: MR307 `t` is {shown}, no reference text; give the row its reference text, or a list of them"
    ]


@pytest.mark.parametrize(
    ("target", "expected"), [("x", "x"), (42, "42"), (0.5, "0.5"), (["x", 1], ("x", "1")), (["x"], ("x",))]
)
def test_references_are_a_text_a_number_or_a_list_of_them(target: Any, expected: Any) -> None:
    (item,) = items(f"{SAY}, metrics: [exact_match]", [{"id": 0, "q": "?", "t": target}])
    assert item.target == expected


def test_a_reference_that_could_never_be_matched_is_an_error_and_no_wrong_answer() -> None:
    task = f"{SAY}, metrics: [{{name: exact_match, extract: '#### (\\d+)', normalize: number}}]"
    assert findings(task, [{"id": 0, "q": "?", "t": "#### 4"}, {"id": 1, "q": "?", "t": "4"}]) == [
        "d.jsonl:2: MR307 the target gives nothing to compare after `exact_match`'s extract and normalize; "
        "mend the row, or the metric's extract and normalize"
    ]


def test_a_target_that_is_no_regular_expression_is_named_with_its_row() -> None:
    assert findings(f"{SAY}, metrics: [regex]", [{"id": 0, "q": "?", "t": "ok"}, {"id": 1, "q": "?", "t": "("}]) == [
        "d.jsonl:2: MR307 the target is no regular expression: missing ), unterminated subpattern at position 0; "
        "mend the row, or the metric's extract and normalize"
    ]


def test_an_expression_that_runs_away_on_a_target_is_said_once_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "TIMEOUT", 0.2)
    task = f"{SAY}, metrics: [{{name: exact_match, extract: '(a|aa)+$'}}]"
    rows = [{"id": n, "q": "?", "t": "a" * 60 + "b"} for n in range(50)]
    assert findings(task, rows) == [
        "d.jsonl:1: MR312 the expression '(a|aa)+$' did not finish in 0.2 s; mend the expression, or shorten the target"
    ]


def test_metrics_that_compare_with_nothing_need_no_target() -> None:
    (item,) = items("kind: generate, max_new_tokens: 4, metrics: [json_valid]", [{"id": 0, "q": "?"}])
    assert item.target is None


def test_a_metric_that_compares_needs_the_task_to_name_a_target() -> None:
    task = "kind: generate, max_new_tokens: 4, metrics: [json_valid, f1]"
    assert findings(task, [{"id": n, "q": "?"} for n in range(5)]) == [
        "s.yaml:4: MR207 task `a` has no `target`, which `f1` compares with; add `target` to the task"
    ]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"q": None}, "MR313 has no `q`, which the prompt names; fill it in, or take the field out of the prompt"),
        ({"s": None}, "MR313 `s` is missing or null, no value to slice by; fill it in"),
        ({"s": ["a"]}, "MR313 `s` is a list, no value to slice by; fill it in"),
    ],
)
def test_a_field_that_one_row_lacks_is_named_with_the_row(row: dict[str, Any], line: str) -> None:
    rows = [{**GOOD, "s": "v"}, {**GOOD, "id": 1, "s": "v", **row}]
    assert findings(f"{CHOICE}, slices: [s]", rows) == [f"d.jsonl:2: {line}"]


@pytest.mark.parametrize(
    ("task", "prompt", "line"),
    [
        (CHOICE, "x\n{{nope}}", "p.txt:1: MR301 names the field `nope`, which no row of d.jsonl has"),
        (
            CHOICE.replace("c,", "cc,"),
            "{{q}}",
            "s.yaml:4: MR313 `choices: cc` names a field that no row of d.jsonl has",
        ),
        (CHOICE.replace(" t,", " tt,"), "x", "s.yaml:4: MR313 `target: tt` names a field that no row of d.jsonl has"),
        (f"{CHOICE}, slices: [zz]", "x", "s.yaml:4: MR313 `slices: zz` names a field that no row of d.jsonl has"),
    ],
)
def test_a_field_that_no_row_has_is_said_once_and_not_once_a_row(task: str, prompt: str, line: str) -> None:
    rows = [{**GOOD, "id": number} for number in range(30)]
    assert findings(task, rows, prompt=prompt) == [f"{line}; use one of c, id, q, t"]


def test_every_bad_row_of_every_task_is_found_at_once() -> None:
    rows = [{**GOOD, "t": 7}, {**GOOD, "id": 1}, {**GOOD, "id": 2, "c": []}]
    assert [line.split()[:2] for line in findings(CHOICE, rows)] == [["d.jsonl:1:", "MR307"], ["d.jsonl:3:", "MR306"]]


def test_a_text_to_score_must_be_text() -> None:
    assert findings(READ, [{"id": 0, "t": "x"}, {"id": 1, "t": 5}, {"id": 2, "t": ""}], prompt=None) == [
        "d.jsonl:2: MR307 `t` is 5, no text to score; fill it in",
        "d.jsonl:3: MR307 `t` is a text, no text to score; fill it in",
    ]


def test_a_chat_prompt_becomes_messages_with_the_rows_text_in_them() -> None:
    prompt = "messages:\n  - {role: system, content: Be brief}\n  - {role: user, content: '{{q}} {{{{x}}'}\n"
    (item,) = items(CHOICE, [{**GOOD, "q": "{{t}}"}], prompt=prompt, name="p.prompt.yml")
    assert item.prompt == ({"role": "system", "content": "Be brief"}, {"role": "user", "content": "{{t}} {{x}}"})


@pytest.mark.parametrize(("value", "shown"), [("v", "v"), (3, "3"), (0.5, "0.5"), (True, "true"), (False, "false")])
def test_slices_are_texts(value: Any, shown: str) -> None:
    (item,) = items(f"{CHOICE}, slices: [s]", [{**GOOD, "s": value}])
    assert item.slices == {"s": shown}
