from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import decide, replace

from modelrelease.errors import InvalidInput
from modelrelease.records.canonical import document_bytes
from modelrelease.records.comparison import MAX_EXAMPLES, Comparison, Example, Flips, SliceComparison
from modelrelease.records.comparisons import read_comparison
from modelrelease.records.strict_json import MAX_DOCUMENT, MAX_VALUES, read_document

SHOWN = ("input", "target", "baseline", "candidate")
NUMBERS: dict[str, Any] = {"ci_low": 0.1234567890123, "ci_high": 0.1234567890123, "fixed": 0, "broken": 0}


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    same = {"qa": {"acc": [1.0] * 40}}
    return decide(tmp_path_factory.mktemp("comparisons"), same, same, {"qa/acc": {"margin": 0.1}})


def test_a_comparison_is_read_from_its_file_and_from_its_folder(comparison: Comparison, tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_bytes(comparison.to_bytes())
    assert read_comparison(tmp_path) == read_comparison(tmp_path / "comparison.json") == comparison


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        ("decision", "block", "comparison.json:64: MR208 `decision` is block, and its policy decides promote; compare"),
        ("policies.0.decision", "block", "MR208 `decision` is promote, and its policy decides block; compare again"),
        ("decision", "merge", 'MR208 `decision` is "merge" (text); it must be `promote`'),
        ("metrics.0.verdict", "fine", 'MR208 `metrics[0].verdict` is "fine" (text)'),
        ("metrics.0.n", "40", 'MR208 `metrics[0].n` is "40" (text)'),
        ("surprise", 1, "MR206 unknown key `surprise`"),
    ],
)
def test_what_no_comparison_says_is_refused(
    comparison: Comparison, tmp_path: Path, path: str, value: Any, finding: str
) -> None:
    document = comparison.plain()
    replace(document, path, value)
    (tmp_path / "comparison.json").write_bytes(document_bytes(document))
    with pytest.raises(InvalidInput) as raised:
        read_comparison(tmp_path)
    assert finding in str(raised.value)


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (b"{", "comparison.json:1:2: MR201"),
        (b"\xff", "comparison.json:1: MR202"),
        (b'{"name": NaN}', "comparison.json:1: MR204"),
        (b'{"name": "a", "name": "b"}', "comparison.json:1: MR203"),
        (b"version https://git-lfs.github.com/spec/v1\n", "comparison.json: MR403"),
    ],
)
def test_a_file_that_is_no_json_is_refused_with_its_line(tmp_path: Path, data: bytes, finding: str) -> None:
    (tmp_path / "comparison.json").write_bytes(data)
    with pytest.raises(InvalidInput) as raised:
        read_comparison(tmp_path)
    assert finding in str(raised.value)


def test_a_folder_without_one_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"comparison\.json: MR209 does not exist"):
        read_comparison(tmp_path)


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (b" " * (MAX_DOCUMENT + 1), "is larger than the 24 MiB that a document may have; take the file that was"),
        (b"[" + b"0," * (MAX_VALUES + 1) + b"0]", "holds more than the 300,000 values that a document may have; take"),
    ],
)
def test_a_document_without_end_is_refused_before_it_is_parsed(tmp_path: Path, data: bytes, finding: str) -> None:
    (tmp_path / "comparison.json").write_bytes(data)
    with pytest.raises(InvalidInput) as raised:
        read_comparison(tmp_path)
    assert f"comparison.json: MR209 {finding}" in str(raised.value)
    with pytest.raises(InvalidInput, match="MR209"):
        read_document(data, "as committed")


def test_a_document_of_the_largest_size_is_read(comparison: Comparison, tmp_path: Path) -> None:
    data = comparison.to_bytes()
    (tmp_path / "comparison.json").write_bytes(data + b" " * (MAX_DOCUMENT - len(data)))
    assert read_comparison(tmp_path) == comparison


def test_errors_without_number_are_counted_and_not_listed(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_bytes(b'{"metrics": [' + b"{}," * 20_000 + b"{}]}")
    with pytest.raises(InvalidInput, match=r"comparison\.json: MR208 is wrong in 2\d\d,\d\d\d places") as raised:
        read_comparison(tmp_path)
    assert len(raised.value.findings) == 1


def test_the_largest_that_150_metrics_can_make_is_read(comparison: Comparison, tmp_path: Path) -> None:
    text = "漢字、" * 166
    example = Example(task="qa", item_id=text[:100], direction="broken", **dict.fromkeys(SHOWN, text))
    part = SliceComparison(field="f" * 80, value="v" * 80, n=1, baseline=1, candidate=1, delta=0.1, **NUMBERS)
    flips = Flips(fixed=0, broken=20, examples=(example,) * MAX_EXAMPLES)
    row = comparison.metrics[0].model_copy(update={"flips": flips, "slices": (part,) * 50})
    many = comparison.model_copy(update={"metrics": (row,) * 150})
    (tmp_path / "comparison.json").write_bytes(many.to_bytes())
    assert read_comparison(tmp_path) == many
