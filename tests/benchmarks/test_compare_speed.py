from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "compare_speed.py"


def test_comparing_costs_little_more_than_reading_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    assert runpy.run_path(str(BENCHMARK))["main"](["--items", "20000", "--rounds", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("20,000 items on each side\n")
    found = re.search(r"^ratio: ([0-9.]+)$", printed, re.MULTILINE)
    assert found is not None
    assert 0.5 < float(found[1]) < 3.5  # about 2.1 on a quiet machine
    memory = [int(megabytes) for megabytes in re.findall(r"([0-9,]+) MB \|$", printed, re.MULTILINE)]
    assert len(memory) == 2
    assert max(memory) < 250


def test_the_programs_compare_what_they_say(tmp_path: Path) -> None:
    benchmark = runpy.run_path(str(BENCHMARK))
    (tmp_path / "modelrelease.yaml").write_text(benchmark["POLICY"], "utf-8")
    for side in "ab":
        benchmark["write_evaluation"](tmp_path / side, side, 500)
    from modelrelease.config import find_project
    from modelrelease.flows.compare import Sides, compare_files

    found = compare_files(find_project(tmp_path), Sides(tmp_path / "a", tmp_path / "b"), "release")
    flips = {row.metric: row.flips for row in found.metrics}
    assert flips["exact_match"] is not None
    assert flips["f1"] is not None
    assert 30 < flips["exact_match"].broken + flips["exact_match"].fixed < 70
    assert flips["f1"].broken + flips["f1"].fixed == 500
    assert len(found.metrics[0].slices) == 10
