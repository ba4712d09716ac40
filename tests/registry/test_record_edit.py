"""A record written into a file leaves every other character as it is, or is not written at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.errors import Refused
from modelrelease.registry.formats import read_governed
from modelrelease.registry.record_edit import with_record

RECORD = {"author": "Ada Lovelace", "reason": 'It is: a "question" # really', "date": "2026-11-22"}
SHOWN = 'author: Ada Lovelace\nreason: "It is: a \\"question\\" # really"\ndate: 2026-11-22\n'
CHANGE = "change:\n" + "".join(f"  {line}\n" for line in SHOWN.splitlines())


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("p.yaml", "# a\ntemplate: x  # b\n", "# a\ntemplate: x  # b\n" + CHANGE),
        ("p.yaml", "template: x", "template: x\n" + CHANGE),
        ("p.yaml", "", CHANGE),
        ("p.yaml", "a: x\nauthor: B  # who\nreason: 'why'\ndate: 2026-01-01\nb: y\n",
         'a: x\nauthor: Ada Lovelace  # who\nreason: "It is: a \\"question\\" # really"\ndate: 2026-11-22\nb: y\n'),
        ("p.yaml", "reason: |\n  why\n  not\nauthor: B\ndate: 2026-01-01\n",
         'reason: "It is: a \\"question\\" # really"\nauthor: Ada Lovelace\ndate: 2026-11-22\n'),
        ("p.yaml", "a: 1\nchange: {author: B, reason: c, date: d}  # x\n",
         'a: 1\nchange: {author: "Ada Lovelace", reason: "It is: a \\"question\\" # really", date: 2026-11-22}  # x\n'),
        ("p.yaml", "change:\n    reason: c\n    # x\n    author: B\na: 1\n",
         'change:\n    reason: "It is: a \\"question\\" # really"\n    # x\n'
         "    date: 2026-11-22\n    author: Ada Lovelace\na: 1\n"),
        ("p.yaml", "{a: 1}\n",
         '{change: {author: "Ada Lovelace", reason: "It is: a \\"question\\" # really", date: 2026-11-22}, a: 1}\n'),
        ("p.yaml", "t: |\n  last line without an end", CHANGE + "t: |\n  last line without an end"),
        ("p.yaml", "a: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n" + CHANGE.replace("\n", "\r\n")),
        ("p.yaml", "\ufeffa: 1\n", "\ufeffa: 1\n" + CHANGE),
        ("p.md", "---\na: 1\n---\nBody\n", "---\na: 1\n" + CHANGE + "---\nBody\n"),
        ("p.prompty", "---\n---\nsystem:\nx\n", "---\n" + CHANGE + "---\nsystem:\nx\n"),
        ("p.json", '{\n  "a": 1\n}\n',
         '{\n  "a": 1,\n  "change": {"author": "Ada Lovelace", "reason": "It is: a \\"question\\" # really", '
         '"date": "2026-11-22"}\n}\n'),
        ("p.json", '{"author": "B", "x": [1, 2], "reason": "c", "date": "d"}',
         '{"author": "Ada Lovelace", "x": [1, 2], "reason": "It is: a \\"question\\" # really", "date": "2026-11-22"}'),
        ("p.json", "{}", '{"change": {"author": "Ada Lovelace", "reason": "It is: a \\"question\\" # really", '
                         '"date": "2026-11-22"}}'),
    ],
)  # fmt: skip
def test_the_record_is_written_and_nothing_else(path: str, before: str, after: str) -> None:
    assert with_record(before.encode(), path, RECORD).decode() == after


KEYS = st.text("abcxyz-", min_size=1, max_size=4).filter(lambda key: key not in ("change", "author", "reason", "date"))
PLAIN = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12), st.integers(), st.none()
)
TREE = st.dictionaries(
    KEYS, st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(KEYS, PLAIN, max_size=2)), min_size=1
)


@given(TREE, st.sampled_from([None, False, True]), st.text(min_size=1, max_size=20), st.booleans())
def test_no_document_is_damaged(value: dict[str, Any], flow: bool | None, reason: str, has_one: bool) -> None:
    record = {**RECORD, "reason": " ".join(reason.split()) or "x"}
    old = {"change": {"author": "B", "reason": "c", "date": "2026-01-01"}} if has_one else {}
    for path, text in (
        ("p.yaml", yaml.safe_dump({**old, **value}, default_flow_style=flow, allow_unicode=True)),
        ("p.json", json.dumps({**value, **old}, indent=2, ensure_ascii=False)),
    ):
        data = text.encode("utf-8")
        try:
            edited = with_record(data, path, record)
        except Refused:  # a reason that no document can hold, such as a lone control character
            continue
        before, after = read_governed(data, path), read_governed(edited, path)
        assert after.content == before.content
        assert after.record is not None
        assert after.record.values == record
        assert with_record(edited, path, record) == edited


def test_what_cannot_be_edited_safely_is_left_to_a_person() -> None:
    with pytest.raises(Refused, match=r"write it by hand: change: \{author:"):
        with_record(b"change: &c {author: x, reason: y, date: z}\nb: *c\n", "p.yaml", RECORD)
