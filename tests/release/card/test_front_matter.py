"""Keys written into front matter: people's keys, order, comments and quotes stay."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from modelrelease.errors import InvalidInput, Refused
from modelrelease.release.card.front_matter import read_front, with_keys

INDEX = [{"name": "v", "results": [{"metrics": [{"value": 0.5}]}]}]
WRITTEN = "model-index:\n  - name: v\n    results:\n      - metrics:\n          - value: 0.5\n"
OLD = "model-index:\n- name: old\n  results: []\n"


def edit(text: str, wanted: dict[str, Any], end: str = "\n") -> str:
    return with_keys(text, wanted, "README.md", 2, end)


EDITS: dict[str, tuple[str, dict[str, Any], str]] = {
    "into nothing": ("", {"license": "mit", "model-index": INDEX}, f"license: mit\n{WRITTEN}"),
    "last": ("# mine\na: 1  # one\n", {"license": "mit"}, "# mine\na: 1  # one\nlicense: mit\n"),
    "in its place": (f"a: 1\n{OLD}b: 2\n", {"model-index": INDEX}, f"a: 1\n{WRITTEN}b: 2\n"),
    "comments after it stay": (f"{OLD}\n# about b\nb: 2\n", {"model-index": INDEX}, f"{WRITTEN}\n# about b\nb: 2\n"),
    "the same keeps its form": (
        "model-index: [{name: v, results: [{metrics: [{value: 0.50}]}]}] # x\n",
        {"model-index": INDEX},
        "model-index: [{name: v, results: [{metrics: [{value: 0.50}]}]}] # x\n",
    ),
    "flow becomes block": (
        "model-index: [{name: v,\n  results: []}]\nb: 2\n",
        {"model-index": INDEX},
        f"{WRITTEN}b: 2\n",
    ),
    "taken out": (f"a: 1\n{OLD}b: 2\n", {"model-index": None}, "a: 1\nb: 2\n"),
    "taken out of the end": (f"a: 1\n{OLD}", {"model-index": None}, "a: 1\n"),
    "not there already": ("a: 1\n", {"model-index": None}, "a: 1\n"),
    "a null is one": ("model-index:\nb: 2\n", {"model-index": INDEX}, f"{WRITTEN}b: 2\n"),
    "a block text before": ("a: |\n  x: y\n  z\n", {"license": "mit"}, "a: |\n  x: y\n  z\nlicense: mit\n"),
    "no word is a boolean": ("", {"language": "no"}, 'language: "no"\n'),
    "no digest is a number": ("", {"r": "123e4"}, 'r: "123e4"\n'),
}


@pytest.mark.parametrize(("before", "wanted", "after"), EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_what_is_wanted_changes(before: str, wanted: dict[str, Any], after: str, end: str) -> None:
    found = edit(before.replace("\n", end), wanted, end)
    assert found == after.replace("\n", end)
    assert edit(found, wanted, end) == found


@pytest.mark.parametrize("text", ["{a: 1}\n", "  a: 1\n", "a: 1\n...\n", "a: &x [1]\nmodel-index: &y [2]\nb: *y\n"])
def test_where_no_edit_leaves_the_rest_alone_nothing_is_written(text: str) -> None:
    with pytest.raises(Refused) as raised:
        edit(text, {"license": "mit", "model-index": INDEX})
    assert raised.value.lines()[0].startswith("README.md:2: MR434 `license`, `model-index` cannot be written")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "README.md:2: MR434 the front matter is no mapping"),
        ("a: 1\nb: [\n", "README.md:3: MR201"),
        ("a: 1\na: 2\n", "README.md:3: MR203"),
        ("a: !!python/object:os.system x\n", "README.md:2: MR205"),
    ],
)
def test_what_is_no_front_matter_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_front(text, "README.md", 2)
    assert raised.value.lines()[0].startswith(said)


HOSTILE = [
    "---",
    "\n---\n",
    "a\n---\nb: 1",
    ": ",
    "- x",
    "#",
    "'\"",
    "{{",
    "&a",
    "*a",
    "!x",
    "\u202e",
    "\u2028---",
    "\x85",
    "%",
    "|",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_breaks_out_of_front_matter(value: str) -> None:
    text = edit("a: 1\n", {"tags": [value], value: "x"})
    assert "---" not in text.split("\n")
    assert all(line.isprintable() for line in text.split("\n"))
    for found in (read_front(text, "README.md", 2).value, yaml.safe_load(text)):
        assert found == {"a": 1, "tags": [value], value: "x"}
