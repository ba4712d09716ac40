from __future__ import annotations

from collections.abc import Callable

import pytest

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid
from modelrelease.records.suite import suite_digest
from modelrelease.scoring.suites import LoadedSuite, load_suite

READ = "kind: perplexity, target: t, metrics: [nll]"
SAY = "kind: generate, target: t, max_new_tokens: 4"
ROWS = '{"id": 1, "t": "x", "c": ["a", "b"]}\n'
PROMPT = "Q\n{{t}}"


def reader(**files: str) -> Callable[[str], bytes]:
    contents = {"d.jsonl": ROWS, "p.txt": PROMPT, **{f"{name}.yaml": text for name, text in files.items()}}

    def read(path: str) -> bytes:
        if path not in contents:
            raise invalid(path, Code.UNREADABLE, "does not exist", "name an existing file")
        return contents[path].encode("utf-8")

    return read


def suite(*tasks: str, include: str = "") -> str:
    """A suite whose n-th task stands on line 3 + n, or 4 + n after an include."""
    listed = "".join(f"  - {{{task}}}\n" for task in tasks)
    return f"schema_version: 1\nname: s\n{include}" + (f"tasks:\n{listed}" if tasks else "")


def named(name: str, rest: str = READ) -> str:
    prompt = "" if rest.startswith("kind: perplexity") else ", prompt: p.txt"
    return f"name: {name}, dataset: d.jsonl{prompt}, {rest}"


def load(*tasks: str, **files: str) -> LoadedSuite:
    return load_suite("s.yaml", reader(s=suite(*tasks), **files))


def findings(s: str, **files: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load_suite("s.yaml", reader(s=s, **files))
    return caught.value.lines()


def test_included_tasks_come_first_then_the_suites_own() -> None:
    a = suite(named("a1"), named("a2"))
    b = suite(named("b1"))
    loaded = load_suite("s.yaml", reader(s=suite(named("own"), include="include: [a.yaml, b.yaml]\n"), a=a, b=b))
    assert [(task.spec.name, task.path, task.line) for task in loaded.tasks] == [
        ("a1", "a.yaml", 4),
        ("a2", "a.yaml", 5),
        ("b1", "b.yaml", 4),
        ("own", "s.yaml", 5),
    ]
    assert loaded.name == "s"


@pytest.mark.parametrize(
    ("s", "files", "line"),
    [
        (suite(include="include: [s.yaml]\n"), {}, "s.yaml:3: MR310 `s.yaml` is included already"),
        (suite(include="include: [./s.yaml]\n"), {}, "s.yaml:3: MR310 `s.yaml` is included already"),
        (
            suite(include="include:\n  - a.yaml\n"),
            {"a": suite(include="include: [b.yaml]\n"), "b": suite(include="include: [a.yaml]\n")},
            "b.yaml:3: MR310 `a.yaml` is included already",
        ),
        (
            suite(include="include: [a.yaml, b.yaml]\n"),
            {"a": suite(include="include: [b.yaml]\n"), "b": suite(named("x"))},
            "s.yaml:3: MR310 `b.yaml` is included already",
        ),
    ],
)
def test_a_suite_that_comes_in_twice_is_named(s: str, files: dict[str, str], line: str) -> None:
    assert findings(s, **files) == [f"{line}; include each suite once"]


def test_an_include_that_is_missing_is_named() -> None:
    assert findings(suite(include="include: [gone.yaml]\n")) == [
        "gone.yaml: MR209 does not exist; name an existing file"
    ]


def test_a_chain_of_includes_is_bounded() -> None:
    files = {f"n{number}": suite(include=f"include: [n{number + 1}.yaml]\n") for number in range(300)}
    assert findings(suite(include="include: [n0.yaml]\n"), **files) == [
        "n98.yaml:3: MR310 includes more than 100 suites; put tasks together in fewer files"
    ]


def test_task_names_are_unique_over_all_files() -> None:
    a = suite(named("x"), named("y"))
    assert findings(suite(named("y"), named("z"), named("z"), include="include: [a.yaml]\n"), a=a) == [
        "s.yaml:5: MR310 task `y` stands already at a.yaml:5; give each task a name of its own",
        "s.yaml:7: MR310 task `z` stands already at s.yaml:6; give each task a name of its own",
    ]


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (
            named("x", "kind: perplexity, target: t, metrics: [acc_nrm]"),
            "MR308 task `x`: there is no metric `acc_nrm`; did you mean `acc_norm`?",
        ),
        (
            named("x", "kind: perplexity, target: t, metrics: [acc]"),
            "MR308 task `x`: `acc` is a multiple_choice metric and this is a perplexity task; "
            "use one of bits_per_byte, nll, perplexity",
        ),
        (
            named("x", f"{SAY}, metrics: [f1, f1]"),
            "MR308 task `x`: metric `f1` stands twice; name it once",
        ),
        (
            named("x", f"{SAY}, metrics: [{{name: regex, normalize: text}}]"),
            "MR308 task `x`: `normalize` does nothing for `regex`; leave it out",
        ),
        (
            named("x", f"{SAY}, metrics: [{{name: f1, pattern: x}}]"),
            "MR308 task `x`: `pattern` does nothing for `f1`; leave it out",
        ),
        (
            named("x", f"{SAY}, metrics: [{{name: f1, extract: '('}}]"),
            "MR312 task `x`: `extract` is no regular expression: missing ), unterminated subpattern at position 0; "
            "mend the expression",
        ),
        (
            named("x", f"{SAY}, metrics: [{{name: regex, pattern: '*'}}]"),
            "MR312 task `x`: `pattern` is no regular expression: nothing to repeat at position 0; mend the expression",
        ),
        (
            named("x", f"{SAY}, metrics: [f1], repeats: 2"),
            "MR311 task `x` asks for `repeats`, which this version does not do; leave `repeats` out for now",
        ),
        (
            named("x", f"{READ}, cluster_by: t"),
            "MR311 task `x` asks for `cluster_by`, which this version does not do; leave `cluster_by` out for now",
        ),
        (
            named("x", f"{SAY}, metrics: [f1], stop: ['a', '']"),
            "MR208 task `x`: `stop` holds an empty text, which would end every answer before it begins; take it out",
        ),
    ],
)
def test_what_is_wrong_with_a_task_is_named_with_its_line(task: str, line: str) -> None:
    assert findings(suite(named("ok"), task)) == [f"s.yaml:5: {line}"]


def test_a_metric_like_no_other_gets_the_list_of_those_that_fit() -> None:
    (line,) = findings(suite(named("x", "kind: perplexity, target: t, metrics: [zzz]")))
    assert line == ("s.yaml:4: MR308 task `x`: there is no metric `zzz`; use one of bits_per_byte, nll, perplexity")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("schema_version: 1\nname: s\ntask: []\n", "s.yaml:3: MR206 unknown key `task`; did you mean `tasks`?"),
        (
            suite(named("x", f"{SAY}, metrics: [f1], temprature: 1")),
            "s.yaml:4: MR206 unknown key `temprature`; did you mean `temperature`?",
        ),
        ("schema_version: 1\nname: s\n", "s.yaml:1: MR207 the suite has no tasks; add `tasks` or `include`"),
    ],
)
def test_keys_that_a_suite_does_not_have_are_named(text: str, line: str) -> None:
    assert findings(text) == [line]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = suite(named("x", f"{SAY}, metrics: [f2, acc], repeats: 3"), named("x"))
    assert [line.split()[:2] for line in findings(text)] == [
        ["s.yaml:4:", "MR311"],
        ["s.yaml:4:", "MR308"],
        ["s.yaml:4:", "MR308"],
        ["s.yaml:5:", "MR310"],
    ]


def test_bad_files_of_several_tasks_are_all_named() -> None:
    text = suite("name: a, dataset: gone.jsonl, " + READ, "name: b, dataset: d.csv, " + READ)
    assert findings(text) == [
        "gone.jsonl: MR209 does not exist; name an existing file",
        "d.csv: MR209 does not exist; name an existing file",
    ]


def test_what_a_task_asks_is_in_the_suites_digest_and_where_its_data_lie_is_not() -> None:
    def digest(task: str) -> str:
        return suite_digest(tuple(task.spec for task in load(task).tasks))

    same = digest(named("x"))
    assert same == digest(named("x", READ + ", repeats: 1"))
    assert same != digest(named("y"))
    assert same != digest(named("x", "kind: perplexity, target: t, metrics: [nll, perplexity]"))


@pytest.mark.parametrize(
    ("task", "delimiter"),
    [
        (named("x"), ""),
        (named("x", "kind: multiple_choice, choices: c, target: t, metrics: [acc]"), " "),
        (named("x", 'kind: multiple_choice, choices: c, target: t, metrics: [acc], delimiter: ""'), ""),
        (named("x") + ", prompt: p.txt", " "),
    ],
)
def test_a_space_stands_between_a_text_prompt_and_what_is_scored(task: str, delimiter: str) -> None:
    assert load(task).tasks[0].delimiter == delimiter
