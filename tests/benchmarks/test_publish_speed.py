from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "publish_speed.py"


def test_publishing_costs_about_what_plain_uploading_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert runpy.run_path(str(BENCHMARK))["main"](["--megabytes", "60", "--rounds", "2"]) == 0
    printed = capsys.readouterr().out
    found = re.search(r"^\| publish \| [0-9.]+ \| ([0-9.]+) \| ([0-9]+) MB", printed, re.MULTILINE)
    assert found is not None
    assert 0.2 < float(found[1]) < 2.5  # about 1 with 270 MB on a quiet machine
    peaks = [int(megabytes) for megabytes in re.findall(r"([0-9]+) MB", printed)[1:]]
    assert len(peaks) == 5
    assert max(peaks) < 110
    assert [line.split(" | ")[0] for line in printed.splitlines() if line.startswith("| m")] == [
        "| made",
        "| moved",
        "| moved back",
    ]
