from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import digest_of
from modelrelease.records.prompts import Message, Prompt, read_prompt, without_record
from modelrelease.records.templates import compile_template

GITHUB = """\
name: qa
description: Answers questions
model: openai/gpt-4o-mini
modelParameters: {temperature: 0}
messages:
  - role: system
    content: You answer questions.
  - role: user
    content: |
      Q: {{question}}
      A:
testData:
  - question: Why?
author: Ada Lovelace
reason: Ask for short answers
date: 2026-11-22
"""


def read(text: str | bytes, path: str) -> Prompt:
    return read_prompt(text.encode() if isinstance(text, str) else text, path)


def complaints(text: str | bytes, path: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(text, path)
    return [str(finding) for finding in caught.value.findings]


def test_a_github_prompt_keeps_its_messages_exactly_and_other_tools_keys_as_content() -> None:
    prompt = read(GITHUB, "p/qa.prompt.yml")
    assert prompt.messages == (
        Message("system", "You answer questions.", 7, verbatim=False),
        Message("user", "Q: {{question}}\nA:\n", 10, verbatim=True),
    )
    assert (prompt.path, prompt.template, prompt.line) == ("p/qa.prompt.yml", None, 5)
    assert sorted(prompt.content) == ["description", "messages", "model", "modelParameters", "name", "testData"]
    assert prompt.digest == digest_of(prompt.content)


@pytest.mark.parametrize(
    ("path", "text", "template", "line", "verbatim"),
    [
        ("p.yaml", "template: |\n  Q: {{q}}\n  A:\n", "Q: {{q}}\nA:\n", 2, True),
        ("p.yml", "# c\ntemplate: 'Q: {{q}}\n\n  A'", "Q: {{q}}\nA", 2, False),
        ("p.json", '{"_type": "prompt",\n"template": "Q: {x}\\n\\nA:\\n"}', "Q: {x}\n\nA:\n", 2, False),
        ("p.txt", "Q: {{q}}\nA:\n", "Q: {{q}}\nA:", 1, True),
        ("p.txt", "Q\n\n", "Q\n", 1, True),
        ("p.txt", "---\na: 1\n---\nQ", "---\na: 1\n---\nQ", 1, True),
        ("P.MD", "# Title\n\n---\n\ntext", "# Title\n\n---\n\ntext", 1, True),
        ("p.md", "---\nauthor: Ada\n---\n\nQ: {{q}}\n", "\nQ: {{q}}", 4, True),
        ("p.md", "--- \n---\nQ", "Q", 3, True),
        ("p.prompt", "---\nmodel: x\n---\nQ", "Q", 4, True),
        ("p.prompty", "---\nmodel:\n  api: completion\n---\nuser:\nQ\n", "user:\nQ", 5, True),
        ("p.prompty", "---\nmodel: {apiType: completion}\n---\nQ {{q}}", "Q {{q}}", 4, True),
    ],
)
def test_templates_of_every_format(path: str, text: str, template: str, line: int, verbatim: bool) -> None:
    prompt = read(text, path)
    assert (prompt.messages, prompt.template, prompt.line, prompt.verbatim) == (None, template, line, verbatim)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("---\nname: x\n---\nsystem:\nBe kind.\n\nuser:\n\n{{q}}\n", [("system", "Be kind.", 5), ("user", "{{q}}", 9)]),
        ("system:\nA\n# User:\nB\n  ASSISTANT :  \nC", [("system", "A", 2), ("user", "B", 4), ("assistant", "C", 6)]),
        ("---\n---\nBe kind.\nuser:\nHi", [("system", "Be kind.", 3), ("user", "Hi", 5)]),
        ("---\nmodel: {api: chat}\n---\n\n  Be kind.\nAnd short.\n", [("system", "Be kind.\nAnd short.", 5)]),
        ("user:\nsay: user: x\nuser : y\nassistant:\n", [("user", "say: user: x\nuser : y", 2)]),
        (
            "developer:\nA\ntool:\nB\nuser:\n{ # no Jinja",
            [("developer", "A", 2), ("tool", "B", 4), ("user", "{ # no Jinja", 6)],
        ),
    ],
)
def test_a_prompty_is_read_as_its_own_runtime_reads_it(text: str, messages: list[tuple[str, str, int]]) -> None:
    prompt = read(text, "p.prompty")
    assert prompt.template is None
    assert [(message.role, message.content, message.line) for message in prompt.messages or ()] == messages
    assert prompt.line == messages[0][2]


NEEDS = "make it a mapping with `messages` or `template`"
KNOWN = "use .prompt.yml, .yaml, .json, .prompty, .md or .txt"
NEITHER = "holds neither `messages` nor `template`"
ADD = "add `messages`, a list of `role` and `content`, or `template`, a text"
ROLES = "it must be one of system, user, assistant, developer, tool"


@pytest.mark.parametrize(
    ("path", "text", "findings"),
    [
        (
            "p.yml",
            "# c\na: 1\nmesages: []\n",
            [f"p.yml:3: MR309 {NEITHER}; did you mean `messages` where it says `mesages`?"],
        ),
        ("p.yml", "tmplate: x\n", [f"p.yml:1: MR309 {NEITHER}; did you mean `template` where it says `tmplate`?"]),
        ("p.json", '\n{"x": 1}', [f"p.json:2: MR309 {NEITHER}; {ADD}"]),
        ("p.yml", "", [f"p.yml:1: MR309 is null and holds no prompt; {NEEDS}"]),
        ("p.json", "[]", [f"p.json:1: MR309 is a list and holds no prompt; {NEEDS}"]),
        (
            "p.yml",
            "messages: []\ntemplate: x",
            ["p.yml:2: MR309 holds both `messages` and `template`; keep one of them"],
        ),
        ("p.yml", "a: 1\nmessages: []", ["p.yml:2: MR309 the prompt is empty; write the prompt"]),
        ("p.yml", "messages:\n- {role: user, content: ' '}", ["p.yml:1: MR309 the prompt is empty; write the prompt"]),
        ("p.yml", "template: ''", ["p.yml:1: MR309 the prompt is empty; write the prompt"]),
        ("p.txt", "\n \n", ["p.txt:1: MR309 the prompt is empty; write the prompt"]),
        ("p.md", "---\na: 1\n---\n\n", ["p.md:4: MR309 the prompt is empty; write the prompt"]),
        ("p.prompty", "---\na: 1\n---\n", ["p.prompty:4: MR309 the prompt is empty; write the prompt"]),
        ("p.prompty", "system:\n\n", ["p.prompty:1: MR309 the prompt is empty; write the prompt"]),
        ("p.md", "---\na: 1\n", ["p.md:1: MR309 the front matter is never closed; close it with a line `---`"]),
        ("p.md", "---\n- 1\n---\nx", ["p.md:2: MR309 the front matter is a list; make it a mapping"]),
        ("p.md", "---\na: 1\na: 2\n---\nx", ["p.md:3: MR203 the key `a` stands in lines 2 and 3; keep one of them"]),
        ("p.yml", "template: [x]", ['p.yml:1: MR208 `template` is ["x"] (a list); it must be text']),
        (
            "p.yml",
            "messages: x",
            ['p.yml:1: MR208 `messages` is "x" (text); it must be a list of `role` and `content`'],
        ),
        (
            "p.yml",
            "messages:\n- hi\n- {role: usr, content: 1}\n"
            "- contnt: x\n  role: user\n- {role: [], content: x, name: y}\n",
            [
                'p.yml:2: MR208 `messages[0]` is "hi" (text); it must be a mapping of `role` and `content`',
                f'p.yml:3: MR208 `messages[1].role` is "usr" (text); {ROLES}',
                "p.yml:3: MR208 `messages[1].content` is 1 (a whole number); it must be text",
                "p.yml:4: MR206 unknown key `contnt`; did you mean `content`?",
                "p.yml:4: MR207 `messages[2].content` is missing; add it to `messages[2]`",
                "p.yml:6: MR206 unknown key `name`; known keys: role, content",
                f"p.yml:6: MR208 `messages[3].role` is an empty list; {ROLES}",
            ],
        ),
        (
            "p.prompty",
            "user:\n\nassistant:\nx",
            ["p.prompty:1: MR309 the user message is empty; write it, or remove its marker"],
        ),
        (
            "p.prompty",
            "---\n---\nuser:\nx\nfunction:\ny",
            [f"p.prompty:5: MR309 the role `function` is not known; use {ROLES.removeprefix('it must be ')}"],
        ),
        (
            "p.prompty",
            '\nuser[name="a"]:\nx',
            ["p.prompty:2: MR309 a role marker has attributes; write the role alone"],
        ),
        (
            "p.prompty",
            "---\na: '{% x %}'\n---\nuser:\n{% if x %}{{q}}\n{# note #}",
            [
                "p.prompty:5: MR302 `{%` begins Jinja, which could run code; use {{field}} and plain text only",
                "p.prompty:6: MR302 `{#` begins Jinja, which could run code; use {{field}} and plain text only",
            ],
        ),
        ("p.py", "x", [f"p.py: MR309 a prompt cannot have the extension `.py`; {KNOWN}"]),
        ("PROMPT", "x", [f"PROMPT: MR309 a prompt needs an extension; {KNOWN}"]),
        (
            "p.txt",
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            ["p.txt: MR403 is a Git LFS pointer, not the file itself; run `git lfs pull`"],
        ),
        ("p.txt", b"a\n\xff", ["p.txt:2: MR202 byte 0xff is not UTF-8; save the file as UTF-8"]),
    ],
)
def test_a_file_without_a_usable_prompt_is_refused(path: str, text: str | bytes, findings: list[str]) -> None:
    assert complaints(text, path) == findings


YAML = "template: |\n  Q: {{q}}\nmodel: {a: 1, b: 2}\n"


@pytest.mark.parametrize(
    ("path", "one", "other", "same"),
    [
        ("p.yml", YAML, "# why\nmodel:\n  b: 2  # c\n  a: 1\ntemplate: |\n  Q: {{q}}\n", True),
        ("p.yml", YAML, YAML + "author: Ada\nreason: Because it is better\ndate: 2026-11-22\n", True),
        ("p.yml", YAML, YAML + "change: {author: Ada, reason: r, date: 2026-11-22}\n", True),
        ("p.yml", YAML, "\ufeff" + YAML.replace("\n", "\r\n"), True),
        ("p.yml", YAML, '{"model": {"a": 1, "b": 2}, "template": "Q: {{q}}\\n"}', True),
        ("p.yml", YAML, YAML.replace("Q:", "Q :"), False),
        ("p.yml", YAML, YAML.replace("|", "|-"), False),
        ("p.yml", YAML, YAML.replace("a: 1", "a: 2"), False),
        ("p.yml", YAML, YAML.replace("a: 1", "author: 1, a: 1"), False),
        ("p.md", "---\na: 1\n---\nQ", "---\nauthor: Ada\na: 1 # c\nchange: {reason: x}\n---\nQ\n", True),
        ("p.md", "---\na: 1\n---\nQ", "---\r\na: 1\r\n---\r\nQ", True),
        ("p.md", "---\na: 1\n---\nQ", "---\na: 1\n---\nQ\n\n", False),
        ("p.md", "---\na: 1\n---\nQ", "---\na: 2\n---\nQ", False),
        ("p.md", "---\nauthor: Ada\n---\nQ", "Q", True),
        ("p.md", "---\n---\nQ", "Q", True),
        ("p.txt", "Q\n", "Q", True),
        ("p.txt", "Q\n", "q\n", False),
        ("p.prompty", "user:\nQ", "---\nauthor: Ada\n---\nuser:\nQ\n", True),
        ("p.prompty", "user:\nQ", "user:\nQ.", False),
    ],
)
def test_the_digest_covers_what_the_prompt_says_and_not_who_changed_it(
    path: str, one: str, other: str, same: bool
) -> None:
    assert (read(one, path).digest == read(other, path).digest) is same


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ({"author": 1, "reason": 2, "date": 3, "change": 4, "a": {"author": 5}}, {"a": {"author": 5}}),
        ([{"author": 1}], [{"author": 1}]),
    ],
)
def test_a_change_record_stands_at_the_top_of_a_mapping_and_nowhere_else(value: object, content: object) -> None:
    assert without_record(value) == content


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("p.yml", "a: 1\ntemplate: |\n\n  x\n  {{1}}\n", 5),
        ("p.json", '{"a": 1,\n"template": "x\\n\\n\\n{{1}}"}', 2),
        ("p.yml", 'template: "x\\n\\n{{1}}"\n', 1),
        ("p.md", "---\na: 1\n---\nx\n{{1}}\n", 5),
        ("p.txt", "\n\n{{1}}\n", 3),
    ],
)
def test_a_fault_inside_a_template_is_reported_on_its_line_of_the_file(path: str, text: str, line: int) -> None:
    prompt = read(text, path)
    with pytest.raises(InvalidInput) as caught:
        compile_template(prompt.template or "", prompt.path, prompt.line, prompt.verbatim)
    assert caught.value.findings[0].line == line


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufeff")).filter(str.strip))
@example("x\ufeff")
def test_every_text_is_kept_exactly(text: str) -> None:
    assert read(json.dumps({"template": text}), "p.json").template == text
    assert read(text + "\n", "p.txt").template == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("p.prompty", "user:\n" + " " * 300_000 + "x"),
        ("p.prompty", "user:\n" + ("# " * 100 + "\n") * 5_000 + "user" + " " * 300_000 + "x"),
        ("p.prompty", "user:\nx\n" * 50_000),
        ("p.prompty", "user" + "[" * 300_000 + "\n" + "user[" * 100_000),
        ("p.md", "---\n" + "--- x\n" * 100_000 + "---"),
        ("p.md", "---" + " " * 300_000 + "x"),
    ],
)
def test_hostile_prompts_are_answered_in_seconds(path: str, text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(InvalidInput):
        read(text, path)
    assert time.process_time() - began < 5
