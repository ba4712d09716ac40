from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from modelrelease.scoring.journal import KEEP_DAYS, discard, open_journal

KEY = "k" * 64
BATCHES: dict[int, list[Any]] = {0: [[-1.5, True], [None, False]], 1: ["text\n\u2028é", ""], 7: [None]}


def keep(folder: Path, batches: dict[int, list[Any]], key: str = KEY) -> None:
    with open_journal(folder, key) as journal:
        for number, results in batches.items():
            journal.keep(number, results)


def done(folder: Path, key: str = KEY) -> dict[int, list[Any]]:
    with open_journal(folder, key) as journal:
        return journal.done


def journal_file(folder: Path) -> Path:
    return folder / f"{KEY}.jsonl"


def test_what_was_kept_is_there_again_exactly(tmp_path: Path) -> None:
    assert done(tmp_path / "new" / "folder") == {}
    keep(tmp_path, BATCHES)
    assert done(tmp_path) == BATCHES
    assert [type(value) for value in done(tmp_path)[0][0]] == [float, bool]
    assert done(tmp_path, "o" * 64) == {}


def test_the_journal_is_for_its_owner_alone(tmp_path: Path) -> None:
    keep(tmp_path / "partial", BATCHES)
    assert (tmp_path / "partial").stat().st_mode & 0o777 == 0o700
    assert journal_file(tmp_path / "partial").stat().st_mode & 0o777 == 0o600


def test_each_batch_is_with_the_system_at_once(tmp_path: Path) -> None:
    with open_journal(tmp_path, KEY) as journal:
        journal.keep(0, [[-1.0, True]])
        assert journal_file(tmp_path).read_bytes().count(b"\n") == 1


def test_a_torn_last_line_is_dropped_and_written_again(tmp_path: Path) -> None:
    keep(tmp_path, BATCHES)
    whole = journal_file(tmp_path).read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in (1, len(lines[-1]) // 2, len(lines[-1]) - 1):
        journal_file(tmp_path).write_bytes(b"".join(lines[:-1]) + lines[-1][:cut])
        with open_journal(tmp_path, KEY) as journal:
            assert journal.done == {0: BATCHES[0], 1: BATCHES[1]}
            journal.keep(7, BATCHES[7])
        assert journal_file(tmp_path).read_bytes() == whole


def damaged(line: bytes, how: str) -> bytes:
    entry = json.loads(line)
    other = {
        "no json": b"{]\n",
        "no mapping": b"[1]\n",
        "nothing": b"\n",
        "no utf-8": b"\xff\xfe\n",
        "deep": b"[" * 100_000 + b"\n",
        "no digest": json.dumps({key: entry[key] for key in ("batch", "results")}).encode() + b"\n",
        "another batch": json.dumps({**entry, "batch": 3}).encode() + b"\n",
        "another result": json.dumps({**entry, "results": [[-0.5, True]]}).encode() + b"\n",
        "nan": json.dumps({**entry, "results": [[float("nan"), True]]}).encode() + b"\n",
    }
    return other[how]


@pytest.mark.parametrize(
    "how",
    [
        "no json",
        "no mapping",
        "nothing",
        "no utf-8",
        "deep",
        "no digest",
        "another batch",
        "another result",
        "nan",
    ],
)
def test_nothing_from_the_first_damaged_line_on_is_believed(tmp_path: Path, how: str) -> None:
    keep(tmp_path, BATCHES)
    first, second, third = journal_file(tmp_path).read_bytes().splitlines(keepends=True)
    journal_file(tmp_path).write_bytes(first + damaged(second, how) + third)
    assert done(tmp_path) == {0: BATCHES[0]}
    assert journal_file(tmp_path).read_bytes() == first


HOLD = """
import sys, time
from pathlib import Path
from modelrelease.scoring.journal import open_journal
with open_journal(Path(sys.argv[1]), sys.argv[2]) as journal:
    journal.keep(0, [[-1.0, True]])
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_journal_that_another_run_holds_is_done_without_and_left_alone(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path), KEY], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        before = journal_file(tmp_path).read_bytes()
        with open_journal(tmp_path, KEY) as journal:
            assert journal.done == {}
            journal.keep(0, [[-2.0, True]])
        assert journal_file(tmp_path).read_bytes() == before
    finally:
        holder.kill()
        holder.communicate()
    assert done(tmp_path) == {0: [[-1.0, True]]}


def test_journals_that_nobody_came_back_for_are_forgotten(tmp_path: Path) -> None:
    old, young = tmp_path / "old.jsonl", tmp_path / "young.jsonl"
    for path, days in ((old, KEEP_DAYS + 1), (young, KEEP_DAYS - 1)):
        path.write_bytes(b"")
        os.utime(path, times=(time.time() - days * 86_400,) * 2)
    (tmp_path / "old-link.jsonl").symlink_to(tmp_path / "nowhere")
    keep(tmp_path, BATCHES)
    assert not old.exists()
    assert young.exists()
    assert done(tmp_path) == BATCHES


@pytest.mark.parametrize("place", [None, "a-file/partial"])
def test_without_a_folder_to_write_to_nothing_is_kept_and_nothing_fails(tmp_path: Path, place: str | None) -> None:
    (tmp_path / "a-file").write_bytes(b"")
    folder = None if place is None else tmp_path / place
    with open_journal(folder, KEY) as journal:
        journal.keep(0, [[-1.0, True]])
    with open_journal(folder, KEY) as journal:
        assert journal.done == {}
    discard(folder, KEY)


def test_a_full_disk_costs_the_journal_and_not_the_run(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_journal(tmp_path, KEY) as journal:
        journal.keep(0, [[-1.0, True]])
        room = journal_file(tmp_path).stat().st_size + 20
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))  # writing more fails as on a full disk
        try:
            journal.keep(1, [["text" * 100]])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        journal.keep(2, [[-2.0, True]])
    assert done(tmp_path)[0] == [[-1.0, True]]
    assert 2 not in done(tmp_path)


def test_a_disk_that_is_still_full_when_the_journal_is_closed_is_no_error(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with open_journal(tmp_path, KEY) as journal:
            journal.keep(0, [[-1.0, True]])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done(tmp_path) == {}


def test_a_journal_is_discarded_once_its_results_are_on_disk(tmp_path: Path) -> None:
    keep(tmp_path, BATCHES)
    discard(tmp_path, KEY)
    discard(tmp_path, KEY)
    assert list(tmp_path.iterdir()) == []
