from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "promote_speed.py"
RELEASE = re.compile(
    r"^\| ([a-z ]+) \| (\w+) \| ([0-9.]+) \| ([0-9.]+) \| [0-9.]+ \| ([0-9]+) MB \| ([0-9,]+) \|$", re.M
)
MOVE = re.compile(r"^\| ([a-z ()]+) \| ([0-9.]+) \| [0-9.]+ \| ([0-9]+) MB \| ([0-9]+) \| ([0-9,]+) \|$", re.M)


@pytest.mark.exhaustive
def test_weights_are_sent_once_and_no_process_holds_them(capsys: pytest.CaptureFixture[str]) -> None:
    """How long it takes is for a quiet machine to tell; what travels and what is held is the same everywhere.

    It takes a minute, since no smaller weights are more than a process needs: `make benchmarks` runs it.
    """
    sizes = ["--megabytes", "150", "--rounds", "1", "--items", "4", "--alone"]
    assert runpy.run_path(str(BENCHMARK))["main"](sizes) == 0
    printed = capsys.readouterr().out
    found = {(what, who): (float(ratio), int(peak), number(moved)) for what, who, _, ratio, peak, moved in
             RELEASE.findall(printed)}  # fmt: skip
    whats, whos = ("the first release", "other weights", "another prompt only"), {"promote", "create_commit"}
    assert {*found} == {(what, who) for what in whats for who in {*whos, "upload_folder"}}
    for what in whats:
        _, peak, moved = found[what, "promote"]
        assert peak < 130
        assert (moved > 140e6) == (what != whats[2])
        assert abs(moved - found[what, "create_commit"][2]) < 300e3
    moves = MOVE.findall(printed)
    assert [name for name, *_ in moves] == [
        "rollback to other prompts", "rollback to other weights", "forward again (promote)"
    ]  # fmt: skip
    assert all(int(peak) < 130 and 0 < int(asked) < 40 and number(moved) < 300e3 for _, _, peak, asked, moved in moves)
    assert re.search(r"inspected and the stage moved: [0-9.]+ s\.$", printed, re.M)


def number(text: str) -> int:
    return int(text.replace(",", ""))
