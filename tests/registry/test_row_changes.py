"""Row changes: counts, and digests that add up whatever the order and the form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.canonical import digest_of
from modelrelease.records.digests import dataset_digest
from modelrelease.registry.rows import MAX_SHOWN, diff_rows

VALUES = st.one_of(st.integers(-9, 9), st.text(max_size=5), st.none(), st.lists(st.integers(0, 3), max_size=2))
DATASET = st.dictionaries(st.text("abc", min_size=1, max_size=2), VALUES, max_size=8)


def as_jsonl(rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps({"id": key, "x": value}) + "\n" for key, value in rows.items()).encode()


def as_json(rows: dict[str, Any]) -> bytes:
    return json.dumps([{"id": key, "x": value} for key, value in rows.items()], indent=1).encode()


def total(rows: dict[str, Any]) -> int:
    return int(dataset_digest(digest_of({"id": key, "x": value}) for key, value in rows.items()), 16)


@given(DATASET, DATASET, st.sampled_from([("d.jsonl", as_jsonl), ("d.json", as_json)]))
def test_the_delta_takes_one_digest_to_the_other(old: dict[str, Any], new: dict[str, Any], how: Any) -> None:
    path, write = how
    found = diff_rows((write(old),), (write(new),), path)
    assert (total(old) + found.delta) % (1 << 256) == total(new)
    assert (found.added, found.removed) == (len(set(new) - set(old)), len(set(old) - set(new)))
    assert found.changed == sum(digest_of(old[key]) != digest_of(new[key]) for key in set(old) & set(new))
    came = [n for n, key in enumerate(new, 1) if key not in old or digest_of(old[key]) != digest_of(new[key])]
    assert found.line == (came[0] if came and path == "d.jsonl" else None)


def test_a_csv_row_is_an_object_of_strings() -> None:
    found = diff_rows((b'id,x\n1,"a\nb"\n2,c\n',), (b'x,id\r\n"a\nb",1\r\nd,2\r\n3,4\r\n',), "d.csv")
    assert (found.added, found.changed, found.removed) == (1, 1, 0)
    before, after = digest_of({"id": "2", "x": "c"}), digest_of({"id": "2", "x": "d"})
    came = digest_of({"id": "4", "x": "3"})
    assert found.delta == (int(after, 16) + int(came, 16) - int(before, 16)) % (1 << 256)


def test_rows_are_shown_with_both_sides_and_bounded() -> None:
    old = b"".join(b'{"id": "%d", "x": 1}\n' % number for number in range(200))
    new = old.replace(b'"x": 1', b'"x": 2')
    found = diff_rows((old,), (new,), "d.jsonl")
    assert (found.changed, len(found.pairs)) == (200, MAX_SHOWN)
    assert (found.pairs[0].id, found.pairs[0].before, found.pairs[0].after) == (
        "0",
        {"id": "0", "x": 1},
        {"id": "0", "x": 2},
    )
    (only,) = diff_rows((old,), (new,), "d.jsonl", keep="150").pairs
    assert only.id == "150"
    assert diff_rows((), (new,), "d.jsonl", keep="150").pairs[0].before is None


@pytest.mark.parametrize("line", [b'{"id": 1', b"\xff", b'{"id": 1, "id": 2}', b"nonsense"])
def test_a_line_that_is_no_row_counts_by_its_bytes_and_is_told(line: bytes) -> None:
    told: list[tuple[int, bool]] = []
    found = diff_rows(
        (), (b'{"id": 0}\n' + line + b"\n",), "d.jsonl", lambda n, _l, _v, error: told.append((n, error is None))
    )
    assert told == [(1, True), (2, False)]
    back = diff_rows((b'{"id": 0}\n' + line + b"\n",), (), "d.jsonl")
    assert (found.delta + back.delta) % (1 << 256) == 0
    assert (found.added, back.removed) == (2, 2)


def test_rows_without_ids_still_add_up() -> None:
    found = diff_rows((b'{"a": 1}\n{"a": 2}\n',), (b'{"a": 2}\n{"a": 3}\n{"a": 3}\n',), "d.jsonl")
    assert (found.added, found.changed, found.removed) == (2, 0, 1)
