from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "digest_speed.py"


@pytest.mark.skipif(
    not (shutil.which("sha256sum") and shutil.which("openssl")), reason="the peers are not on this machine"
)
def test_the_table_is_printed_and_a_remembered_file_is_not_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    benchmark = runpy.run_path(str(BENCHMARK))
    sizes = ["--gigabytes", "0.2", "--parts-gigabytes", "0.1", "--rounds", "2"]
    assert benchmark["main"]([*sizes, "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    rates = re.findall(r"^\| (.+) \| [0-9.]+ s \| [0-9,]+ MB/s \| ([0-9.]+) \| [0-9.]+ \|$", printed, re.M)
    assert [name for name, _ in rates] == ["one of 0.2 GB", "8 of 0.1 GB in all"]
    # From 1.0 to 3.6, by whether sha256sum uses the processor's own instructions; the floor is for busy machines.
    assert all(float(ratio) > 0.5 for _, ratio in rates)
    remembered = re.findall(r"^\| .+, remembered \| [0-9.]+ ms \| \| ([0-9,]+) \| \|$", printed, re.M)
    assert len(remembered) == 2
    assert all(int(ratio.replace(",", "")) > 3 for ratio in remembered)
    assert list(tmp_path.iterdir()) == []
