"""The hook goes into a config of any make without a byte of it lost, or not at all."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.scaffold.additions import hook_plan
from modelrelease.scaffold.kit import Kit
from modelrelease.scaffold.precommit import has_hook, new_precommit, with_hook

KIT = Kit("acme/modelrelease", "0123456789abcdef0123456789abcdef01234567", "v1.2.3")
ENTRY = {"repo": "https://github.com/acme/modelrelease", "rev": KIT.ref, "hooks": [{"id": "modelrelease"}]}

TAKEN = {
    "plain": "repos:\n- repo: a\n  rev: v1\n  hooks:\n  - id: x\n",
    "no newline at the end": "repos:\n- repo: a\n  rev: v1\n  hooks:\n  - id: x",
    "indented": "repos:\n  - repo: a\n    rev: v1\n    hooks:\n      - id: x\n",
    "odd indentation": "repos:\n       -   repo: a\n           rev: v1\n           hooks:\n             -  id: x\n",
    "comments": "# top\nrepos:  # these\n  # first\n  - repo: a  # it\n    hooks:\n      - id: x  # end\n\n# tail\n",
    "keys after": "repos:\n  - repo: a\n    rev: v1\n    hooks: [{id: x}]\n# about ci\nci:\n  autofix: false\n",
    "keys before": "ci: {autofix: false}\nfail_fast: true\nrepos:\n- {repo: a, rev: v1, hooks: [{id: x}]}\n",
    "flow over lines": "repos:\n  - repo: a\n    rev: v1\n    hooks: [\n      {id: x},\n    ]\nfail_fast: true\n",
    "block scalar last": "repos:\n- repo: local\n  hooks:\n  - id: x\n    entry: |\n      a\n      b\n\nci: {}\n",
    "folded scalar": "repos:\n- repo: local\n  hooks:\n  - id: x\n    files: >-\n      a\n      b\n",
    "multi-line plain": "repos:\n- repo: local\n  hooks:\n  - id: x\n    name: one\n      two\nfail_fast: true\n",
    "document start": "---\nrepos:\n- repo: a\n  rev: v1\n  hooks:\n  - id: x\n",
    "document end": "repos:\n- repo: a\n  rev: v1\n  hooks:\n  - id: x\n...\n",
    "quoted key": "'repos':\n- repo: a\n  rev: v1\n  hooks:\n  - id: x\n",
}
REFUSED = {
    "flow list": "repos: [{repo: a, rev: v1, hooks: [{id: x}]}]\n",
    "empty list": "repos: []\n",
    "no repos": "fail_fast: true\n",
    "repos is null": "repos:\n",
    "repos is text": "repos: none\n",
    "old format": "- repo: a\n  rev: v1\n  hooks:\n  - id: x\n",
    "empty": "",
    "comments only": "# nothing\n",
    "no yaml": "repos: [\n",
    "flow document": "{repos: [{repo: a, rev: v1, hooks: [{id: x}]}]}\n",
    "two documents": "repos:\n- repo: a\n---\nrepos:\n- repo: b\n",
    "duplicate key": "repos:\n- repo: a\nrepos:\n- repo: b\n",
    "an alias last": "x: &x {id: y}\nrepos:\n- repo: a\n  rev: v1\n  hooks:\n  - id: x\n  - *x\n",
    "a merge": "x: &x {rev: v1}\nrepos:\n- repo: a\n  <<: *x\n  hooks:\n  - id: x\n",
    "a tag": "repos:\n- repo: !!python/name:os.system a\n",
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("name", TAKEN)
def test_the_hook_is_added_and_every_byte_kept(name: str, ends: str) -> None:
    before = TAKEN[name].replace("\n", ends).encode()
    after = with_hook(before, KIT)
    assert after is not None
    old, new = yaml.safe_load(before), yaml.safe_load(after)
    assert new == {**old, "repos": [*old["repos"], ENTRY]}
    assert _without_added(after, before)
    assert after.count(b"\n") == after.count(ends.encode())
    assert has_hook(after)
    assert not has_hook(before)


def _without_added(after: bytes, before: bytes) -> bool:
    """Whether ``after`` is ``before`` with one piece put in."""
    return any(
        before[:place] == after[:place] and before[place:] == after[len(after) - len(before) + place :]
        for place in range(len(before) + 1)
    )


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_added_to_safely_is_for_a_person(name: str) -> None:
    before = REFUSED[name].encode()
    assert with_hook(before, KIT) is None
    plan = hook_plan(before, KIT)
    assert (plan.action, plan.after) == ("by-hand", None)
    assert plan.text is not None
    assert yaml.safe_load("repos:\n" + plan.text) == {"repos": [ENTRY]}


def test_bytes_that_are_no_utf_8_are_for_a_person() -> None:
    assert with_hook(b"repos:\n- repo: \xff\n", KIT) is None
    assert not has_hook(b"\xff")


@given(st.text("repos: -\n#[]{}'\"|>&*!a\t", max_size=60))
def test_no_text_is_spoilt(tail: str) -> None:
    """Whatever stands in the file: it says what it said and the hook besides, or it is left alone."""
    before = ("repos:\n- repo: a\n" + tail).encode()
    after = with_hook(before, KIT)
    if after is not None:
        old, new = yaml.safe_load(before), yaml.safe_load(after)
        assert new == {**old, "repos": [*old["repos"], ENTRY]}
        assert _without_added(after, before)


def test_a_new_config_has_the_hook_and_nothing_else() -> None:
    assert yaml.safe_load(new_precommit(KIT)) == {"repos": [ENTRY]}
    assert b" # v1.2.3\n" in new_precommit(KIT)


@pytest.mark.parametrize("ref", ["v1.0", "1e5", "1234567", "main", "0x1f", "null", "2026-11-22"])
def test_a_ref_is_text(ref: str) -> None:
    assert yaml.safe_load(new_precommit(Kit("a/b", ref)))["repos"][0]["rev"] == ref


def test_a_hook_of_our_name_from_anywhere_is_enough() -> None:
    before = b"repos:\n- repo: local\n  hooks:\n  - {id: modelrelease, name: x, entry: x, language: system}\n"
    plan = hook_plan(before, KIT)
    assert (plan.action, plan.after) == ("complete", None)
