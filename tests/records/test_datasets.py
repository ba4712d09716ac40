from __future__ import annotations

import csv
import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import digest_of
from modelrelease.records.datasets import Row, read_dataset

ID = "give every row a unique `id`"


def complaints(data: bytes | str, path: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_dataset(data.encode() if isinstance(data, str) else data, path)
    return [str(finding) for finding in caught.value.findings]


def rows(data: str, path: str) -> list[tuple[str, int, dict[str, object]]]:
    return [(row.id, row.line, row.fields) for row in read_dataset(data.encode(), path)]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("d.jsonl", '{"id": "a"}\n{"id": 7, "x": [1]}\n', [("a", 1, {"id": "a"}), ("7", 2, {"id": 7, "x": [1]})]),
        ("d.JSONL", '{"id": "a"}', [("a", 1, {"id": "a"})]),
        ("d.jsonl", '{"id": "a"}\n\n', [("a", 1, {"id": "a"})]),
        ("d.jsonl", '{"id": "a"}\n  ', [("a", 1, {"id": "a"})]),
        ("d.jsonl", '\ufeff{"id": -1}\r\n{"id": 10}\r\n', [("-1", 1, {"id": -1}), ("10", 2, {"id": 10})]),
        ("d.jsonl", '{"id": "\u2028\x85 a"}\n', [("\u2028\x85 a", 1, {"id": "\u2028\x85 a"})]),
        ("d.csv", "id,x\n1,a\n", [("1", 2, {"id": "1", "x": "a"})]),
        (
            "d.csv",
            'id,x\n1,"a\nb"\n2,"c ""d"""\n',
            [("1", 2, {"id": "1", "x": "a\nb"}), ("2", 4, {"id": "2", "x": 'c "d"'})],
        ),
        ("d.csv", '"id","a\nb"\n1,\n\n', [("1", 3, {"id": "1", "a\nb": ""})]),
        ("d.csv", "id,x\r\n01,\u2028\x0b\r\n", [("01", 2, {"id": "01", "x": "\u2028\x0b"})]),
        (
            "d.json",
            '[{"id": 1},\n\n {"id": 2}, {"id": 3}]',
            [("1", 1, {"id": 1}), ("2", 3, {"id": 2}), ("3", 3, {"id": 3})],
        ),
    ],
)
def test_rows_come_with_the_id_and_the_line_of_each(
    path: str, text: str, expected: list[tuple[str, int, dict[str, object]]]
) -> None:
    assert rows(text, path) == expected


def test_a_rows_digest_covers_all_of_it_whatever_the_order_of_its_keys() -> None:
    (row,) = read_dataset(b'{"x": {"b": 1, "a": "\\u00e9"}, "id": "1"}', "d.jsonl")
    assert row == Row("1", 1, {"x": {"b": 1, "a": "é"}, "id": "1"}, digest_of({"id": "1", "x": {"a": "é", "b": 1}}))


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", ["d.jsonl: MR305 has no rows; add at least one row"]),
        ("\n", ["d.jsonl: MR305 has no rows; add at least one row"]),
        ('{"id": 1}\n\n{"id": 2}\n', ["d.jsonl:2: MR201 is a blank line between rows; remove it"]),
        ('{"id": 1}\n\n\n', ["d.jsonl:2: MR201 is a blank line between rows; remove it"]),
        ('\n{"id": 1}\n', ["d.jsonl:1: MR201 is a blank line between rows; remove it"]),
        ("[1]\n", ["d.jsonl:1: MR208 a row is [1] (a list); make every row an object"]),
        ('{"x": 1}\n', [f"d.jsonl:1: MR304 the row has no `id`; {ID}, text or a whole number"]),
        ('{"Id": "1"}\n', [f"d.jsonl:1: MR304 the row has no `id`; {ID}, text or a whole number"]),
        ('{"id": true}\n', [f"d.jsonl:1: MR304 the row's `id` is true; {ID}, text or a whole number"]),
        ('{"id": 1.0}\n', [f"d.jsonl:1: MR304 the row's `id` is 1.0 (a number); {ID}, text or a whole number"]),
        ('{"id": " "}\n', [f'd.jsonl:1: MR304 the row\'s `id` is " " (text); {ID}, text or a whole number']),
        ('{"id": null}\n', [f"d.jsonl:1: MR304 the row's `id` is null; {ID}, text or a whole number"]),
        ('{"id": ["a"]}\n', [f'd.jsonl:1: MR304 the row\'s `id` is ["a"] (a list); {ID}, text or a whole number']),
        ('{"id": 1}\n{"id": "1"}\n', [f"d.jsonl:2: MR303 the id `1` stands in line 1 and line 2; {ID}"]),
        (
            '{"id": 1}\n{"id" 1}\nNaN\n{"id": 2, "id": 3}\n{"id": 4, "x": 1e999}\n"é"\n{"id": 1}\n{"x": "\\ud800"}',
            [
                "d.jsonl:2:7: MR201 is not valid JSON: ",
                "d.jsonl:3: MR204 `NaN` is no finite number; write a finite number, null, or text in quotes",
                "d.jsonl:4: MR203 the key `id` stands twice; keep one of them",
                "d.jsonl:5: MR204 `1e999` is no finite number; write a finite number, null, or text in quotes",
                'd.jsonl:6: MR208 a row is "é" (text); make every row an object',
                f"d.jsonl:7: MR303 the id `1` stands in line 1 and line 7; {ID}",
                "d.jsonl:8: MR201 a text holds half of a surrogate pair (\\ud800), which is no character; ",
            ],
        ),
        ('{"id": 1}\n' + "[" * 100_000, ["d.jsonl:2: MR201 is nested deeper than 64 levels; make it flatter"]),
        ('{"id": ' + "1" * 5000 + "}", ["d.jsonl:1: MR204 a whole number of 5000 digits is too long (at most 4300); "]),
    ],
)
def test_all_that_is_wrong_with_a_jsonl_file_is_found_at_once(text: str, findings: list[str]) -> None:
    found = complaints(text, "d.jsonl")
    assert len(found) == len(findings)
    assert [line[: len(start)] for line, start in zip(found, findings, strict=True)] == findings


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", ["d.csv: MR305 has no rows; add at least one row"]),
        ("id,x\n", ["d.csv: MR305 has no rows; add at least one row"]),
        ("ID,x\n1,2\n", [f"d.csv:1: MR304 the header names no column `id`; {ID}"]),
        ("id,x,x,x\n1,2,3,4\n", ["d.csv:1: MR203 the header names `x` twice; keep one of them"]),
        ("id, ,\n1,2,3\n", [f"d.csv:1: MR208 column {n} of the header has no name; name every column" for n in (2, 3)]),
        ("\nid\n1\n", ["d.csv:1: MR201 is a blank line between rows; remove it"]),
        ("id,x\n1,a\n\n\n", ["d.csv:3: MR201 is a blank line between rows; remove it"]),
        (
            'id,x\n1,"a\nb",c\n2\n\n3,c\n ,d\n3,e\n',
            [
                "d.csv:2: MR208 the row has 3 cells where the header has 2; give every row a cell for every column",
                "d.csv:4: MR208 the row has 1 cells where the header has 2; give every row a cell for every column",
                "d.csv:5: MR201 is a blank line between rows; remove it",
                f'd.csv:7: MR304 the row\'s `id` is " " (text); {ID}, text or a whole number',
                f"d.csv:8: MR303 the id `3` stands in line 6 and line 8; {ID}",
            ],
        ),
        (
            'id,x\n1\n2,"a\n3,"b"c\n',
            [
                "d.csv:2: MR208 the row has 1 cells where the header has 2; give every row a cell for every column",
                "d.csv:3: MR201 is not valid CSV: ",
            ],
        ),
        ('id,x\n1,2\n3,"', ["d.csv:3: MR201 is not valid CSV: unexpected end of data; correct the record "]),
    ],
)
def test_all_that_is_wrong_with_a_csv_file_is_found_at_once(text: str, findings: list[str]) -> None:
    found = complaints(text, "d.csv")
    assert len(found) == len(findings)
    assert [line[: len(start)] for line, start in zip(found, findings, strict=True)] == findings


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("", ["d.json:1:1: MR201 is not valid JSON: Expecting value; correct it here"]),
        ("[]", ["d.json: MR305 has no rows; add at least one row"]),
        ('\n{"id": 1}', ["d.json:2: MR208 the document is a mapping; make it a list of objects"]),
        (
            '[{"id": 1},\n 2,\n{"id": 1}, {}]',
            [
                "d.json:2: MR208 a row is 2 (a whole number); make every row an object",
                f"d.json:3: MR303 the id `1` stands in line 1 and line 3; {ID}",
                f"d.json:3: MR304 the row has no `id`; {ID}, text or a whole number",
            ],
        ),
        ('[{"id": 1},\n{"id": NaN}]', ["d.json:2: MR204 `NaN` is no finite number; "]),
    ],
)
def test_all_that_is_wrong_with_a_json_file_is_found_at_once(text: str, findings: list[str]) -> None:
    found = complaints(text, "d.json")
    assert len(found) == len(findings)
    assert [line[: len(start)] for line, start in zip(found, findings, strict=True)] == findings


@pytest.mark.parametrize(
    ("path", "data", "finding"),
    [
        (
            "d.parquet",
            b"",
            "d.parquet: MR208 a dataset cannot have the extension `.parquet`; use .jsonl, .csv or .json",
        ),
        ("data", b"", "data: MR208 a dataset needs an extension; use .jsonl, .csv or .json"),
        (
            "d.csv",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "d.csv: MR403 is a Git LFS pointer, not the file itself; run `git lfs pull`",
        ),
        ("d.jsonl", b'{"id": 1}\n{"id": "\xff"}', "d.jsonl:2: MR202 byte 0xff is not UTF-8; save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_a_dataset_is_refused_as_a_whole(path: str, data: bytes, finding: str) -> None:
    assert complaints(data, path) == [finding]


def test_a_cell_may_be_longer_than_the_csv_modules_limit_which_stays_as_it_was() -> None:
    limit = csv.field_size_limit()
    (row,) = read_dataset(b"id,x\n1," + b"y" * 200_000, "d.csv")
    assert len(row.fields["x"]) == 200_000
    assert csv.field_size_limit() == limit


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@given(st.dictionaries(NAMES, CELLS, min_size=1))
def test_csv_and_jsonl_agree_on_ids_and_digests(texts: dict[str, str]) -> None:
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([["id", "x"], *texts.items()])
    lines = "".join(json.dumps({"x": text, "id": name}) + "\n" for name, text in texts.items())
    from_csv, from_jsonl = read_dataset(table.getvalue().encode(), "a.csv"), read_dataset(lines.encode(), "a.jsonl")
    assert [(row.id, row.digest) for row in from_csv] == [(row.id, row.digest) for row in from_jsonl]
    assert [row.id for row in from_csv] == list(texts)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("d.jsonl", "\n" * 20_000),
        ("d.csv", "\n" * 20_000),
        ("d.csv", ",".join(["x"] * 100_000)),
        ("d.csv", ",".join(f"x{number}" for number in range(100_000))),
        ("d.csv", 'id\n"' + '""' * 200_000),
        ("d.json", "[" + "[]," * 20_000 + "1]"),
        ("d.jsonl", "{}\n" * 20_000),
    ],
)
def test_hostile_datasets_are_answered_in_seconds(path: str, text: str) -> None:
    began = time.process_time()
    assert complaints(text, path)
    assert time.process_time() - began < 8
