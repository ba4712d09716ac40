"""What a card lacks: keys, values that the Hub takes, and text in the place of gaps."""

from __future__ import annotations

import pytest

from modelrelease.release.card.front_matter import read_front
from modelrelease.release.card.layout import BEGIN, END, read_layout
from modelrelease.release.card.lint import RULES, lint

CLEAN = {
    "license": "mit",
    "base_model": "[]",
    "datasets": "[acme/made-up]",
    "language": "[en, pt-BR]",
    "library_name": "transformers",
    "pipeline_tag": "text-generation",
    "tags": "[modelrelease]",
}


def linted(body: str = "", **keys: str | None) -> list[str]:
    front = "".join(f"{key}: {value}\n" for key, value in {**CLEAN, **keys}.items() if value is not None)
    return linted_text(f"---\n{front}---\n{body}")


def linted_text(text: str) -> list[str]:
    layout = read_layout(text.encode("utf-8"), "README.md")
    located = read_front(layout.front, "README.md", layout.front_line)
    return [str(finding) for finding in lint(layout, located, "README.md")]


def test_a_whole_card_lints_clean() -> None:
    assert linted("\n# A model\n\nIt answers questions.\n") == []
    assert linted(base_model="acme/base", datasets="[]", language="en", license="cc-by-nc-4.0") == []


@pytest.mark.parametrize("key", RULES)
@pytest.mark.parametrize("value", [None, "", '""', "~"])
def test_every_required_key_is_asked_for_with_the_line_to_add(key: str, value: str | None) -> None:
    (said,) = linted(**{key: value})
    what = "is missing" if value is None else "is empty"
    assert f"MR430 `{key}` {what}; add `{key}: " in said
    place = 2 if value is None else list(CLEAN).index(key) + 2
    assert said.startswith(f"README.md:{place}: ")


@pytest.mark.parametrize("key", [key for key, rule in RULES.items() if not rule.may_be_empty and rule.many])
def test_only_what_may_be_none_may_be_an_empty_list(key: str) -> None:
    assert [said.partition(": ")[2][:5] for said in linted(**{key: "[]"})] == ["MR430"]


WRONG = {
    "license: Apache License": ("license", "Apache License", "must be the Hub's id of a license"),
    "license: list": ("license", "[mit]", "must be one text"),
    "license: other": ("license", "other", "`license_name` is missing beside `license: other`"),
    "base_model: path": ("base_model", "./base", "must be the Hub's id of a model"),
    "base_model: number": ("base_model", "7", "must be a text or a list of texts"),
    "datasets: path": ("datasets", "[data/train.jsonl/x]", "must be the Hub's id of a dataset"),
    "language: name": ("language", "English", "must be a code of ISO 639"),
    "language: no": ("language", "no", "`language` is `False` to huggingface_hub"),
    "tags: a day": ("tags", "[2026-01-02]", "to huggingface_hub, which reads YAML 1.1"),
    "pipeline_tag: words": ("pipeline_tag", "text generation", "must be the Hub's id of a task"),
    "tags: mapping": ("tags", "{a: b}", "must be a text or a list of texts"),
    "a day that is none": ("released", "2026-13-45", "huggingface_hub cannot read the front matter"),
}


@pytest.mark.parametrize(("key", "value", "said"), WRONG.values(), ids=WRONG)
def test_values_that_the_hub_does_not_take(key: str, value: str, said: str) -> None:
    found = linted(**{key: value})
    assert len(found) == 1, found
    assert said in found[0]


def test_blanks_after_the_fence_hide_the_metadata() -> None:
    text = "---  \n" + "".join(f"{key}: {value}\n" for key, value in CLEAN.items()) + "---\n"
    assert [said.partition(";")[0] for said in linted_text(text)] == [
        "README.md:1: MR434 blanks follow the first `---`, and the Hub does not see the metadata"
    ]


PLACEHOLDERS = [
    "[More Information Needed]",
    "More information needed",
    "TODO",
    "TBD",
    "lorem ipsum",
    "<your model>",
    "<MODEL_NAME>",
    "<model-name>",
    "<…>",
    "<...>",
    "[insert the name]",
    "[Your Name]",
]


@pytest.mark.parametrize("word", PLACEHOLDERS)
def test_placeholders_are_refused_in_text_and_metadata(word: str) -> None:
    (said,) = linted(f"\nFine.\nIt is {word} of course.\n")
    assert said.startswith(f"README.md:12: MR431 `{word}` stands for something")
    (said,) = linted(model_creator=f'"by {word}"')
    assert said.startswith(f"README.md:9: MR431 `{word}` ")


NONE = [
    "`<bos>` begins a text, and `TODO` is what it writes",
    "```\npipeline('<name>')  # TODO\n```",
    "~~~~\nTBD\n~~~\nTBD\n~~~~",
    "<!-- Provide a summary, TODO\nTODO -->",
    "<details open><summary>More</summary>\n\n<br/>\n\n</details>",
    "<https://example.org> and <ada@example.org>, [add](https://example.org)",
    "a < b and c > d; todo lists; the Spanish todo",
    f"{BEGIN}\n\nTODO <name> lorem ipsum\n\n{END}",
]


@pytest.mark.parametrize("text", NONE)
def test_what_only_looks_like_one_passes(text: str) -> None:
    assert linted(f"\n{text}\n") == []


def test_lines_are_counted_across_our_part_and_bounded() -> None:
    body = f"\nTODO\n{BEGIN}\nx\n\n{END}\nTBD\n"
    assert [said.partition(" `")[0] for said in linted(body)] == ["README.md:11: MR431", "README.md:16: MR431"]
    assert len(linted("\nTODO" * 10_000)) == 20


@pytest.mark.parametrize(
    "hostile", ["<!--" * 100_000, "`" * 100_000, "`a``b" * 50_000, "<a " * 100_000, "[add " * 50_000]
)
def test_hostile_text_takes_no_time(hostile: str) -> None:
    assert len(linted("\n" + hostile)) <= 20
