"""Two files of one run: the new record counts from the rename of eval.json on."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import write

from modelrelease.errors import Unavailable
from modelrelease.records import saving
from modelrelease.records.results import Results, read_results
from modelrelease.records.saving import write_results

NAMES = ["eval.json", "samples.jsonl"]


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Results, Results]:
    return (
        read_results(write(tmp_path / "old", {"qa": {"acc": [1.0, 0.0]}})),
        read_results(write(tmp_path / "new", {"qa": {"acc": [1.0, 1.0]}})),
    )


def save(folder: Path, run: Results) -> None:
    write_results(folder, run.evaluation, run.samples_path.read_bytes())


def test_a_record_is_written_over_another(tmp_path: Path, runs: tuple[Results, Results]) -> None:
    out = tmp_path / "out"
    for run in (*runs, *runs, runs[1]):
        save(out, run)
        assert read_results(out).evaluation == run.evaluation
        assert sorted(path.name for path in out.iterdir()) == NAMES


@pytest.mark.parametrize("number", range(4))
def test_a_disk_that_refuses_leaves_one_of_both(
    tmp_path: Path, runs: tuple[Results, Results], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    out, left = tmp_path / "out", number
    save(out, runs[0])
    real = saving.write_atomic

    def refusing(path: Path, data: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Unavailable([])
        real(path, data)

    monkeypatch.setattr(saving, "write_atomic", refusing)
    with pytest.raises(Unavailable):
        save(out, runs[1])
    expected = runs[0] if number < 2 else runs[1]
    assert read_results(out).evaluation.metrics == expected.evaluation.metrics
    monkeypatch.undo()
    save(out, runs[1])
    assert sorted(path.name for path in out.iterdir()) == NAMES


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"samples": 1}', b"[" * 100_000])
def test_what_stands_there_need_not_be_a_record(tmp_path: Path, runs: tuple[Results, Results], content: bytes) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "eval.json").write_bytes(content)
    save(out, runs[0])
    assert read_results(out).evaluation == runs[0].evaluation
