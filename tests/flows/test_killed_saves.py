"""Saving and recording, killed before every single change to the disk: the old version or the new, and never half."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[1] / "killed.py"
STAGE = ".tmp-modelrelease-save"


def kills(folder: Path, step: str) -> list[dict[str, Any]]:
    command = [sys.executable, str(PROGRAM), step, str(folder / "model_v1.1")]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) > 4
    assert [entry["ended"] for entry in found] == [False] * (len(found) - 1) + [True]
    return found


@pytest.mark.parametrize("step", ["save", "replace"])
def test_a_killed_save_leaves_the_old_version_or_the_new(tmp_path: Path, step: str) -> None:
    found = kills(tmp_path, step)
    new = found[-1]["killed"]
    assert new["command"] == "new"
    assert new["document"] == new["checkpoint"]
    seen = set()
    for entry in found:
        killed = entry["killed"]
        assert "broken" not in killed, killed
        assert set(killed["names"]) <= {"checkpoint", "model.json", STAGE}
        assert killed["command"] in {"old", "new", None}
        if killed["command"] == "new":  # the document comes last
            assert killed["checkpoint"] == killed["document"] == new["document"]
        assert entry["again"] == {**new, "names": ["checkpoint", "model.json"]}
        seen.add((killed["command"], killed["checkpoint"] == new["checkpoint"], killed["checkpoint"] is None))
    first = "old" if step == "replace" else None
    # Killed with nothing changed, between the moves of checkpoint and document, and after both.
    expected = {(first, False, step == "save"), (first, True, False), ("new", True, False)}
    assert expected <= seen
    assert step == "save" or ("old", False, True) in seen


def test_what_was_decided_before_the_kill_is_finished_by_record(tmp_path: Path) -> None:
    mended = [(entry["killed"], entry["mended"]) for entry in kills(tmp_path, "replace")]
    for killed, after in mended:
        assert after["names"] == ["checkpoint", "model.json"]
        assert after["document"] == after["checkpoint"], (killed, after)
    halfway = [after for killed, after in mended if killed["document"] != killed["checkpoint"]]
    assert halfway
    assert {after["command"] for after in halfway} == {"new"}


@pytest.mark.parametrize("step", ["record", "record-others", "papers"])
def test_a_killed_record_leaves_the_old_document_or_the_new(tmp_path: Path, step: str) -> None:
    found = kills(tmp_path, step)
    new = found[-1]["killed"]
    assert {entry["killed"]["command"] for entry in found} == {"old", "new"}
    for entry in found:
        assert entry["killed"]["checkpoint"] == new["checkpoint"]
        if entry["killed"]["command"] == "new":
            assert entry["killed"]["document"] == new["document"]
        assert entry["again"] == new
    assert set(new["names"]) - {"trainer_state.json"} == {"checkpoint", "model.json"}
