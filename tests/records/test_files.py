"""Files are whole or not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.records.files import create_atomic, read_bytes, sha256_of, write_atomic


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert read_bytes(path) == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]
    assert sha256_of(path) == "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"


def test_a_file_has_the_rights_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_leftovers_of_a_killed_run_are_removed_and_a_living_one_s_are_not(tmp_path: Path) -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    dead = tmp_path / f".tmp-modelrelease-file.{done.pid}.abc"
    alive = tmp_path / f".tmp-modelrelease-file.{os.getppid()}.abc"
    other = tmp_path / f".tmp-modelrelease-other.{done.pid}.abc"
    for path in (dead, alive, other):
        path.write_text("")
    write_atomic(tmp_path / "file", b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"file", alive.name, other.name}


def test_a_disk_that_refuses_leaves_the_old_file(tmp_path: Path) -> None:
    """A folder in the place of the file is the refusal that also root gets."""
    (tmp_path / "file").mkdir()
    with pytest.raises(Unavailable) as caught:
        write_atomic(tmp_path / "file", b"x")
    assert "MR603 cannot be written" in str(caught.value)
    assert caught.value.exit_code == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_exit_3(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"MR603 cannot be written"):
        write_atomic(Path("/dev/full/file"), b"x")


@pytest.mark.parametrize(("name", "problem"), [("none", "does not exist"), (".", "is a folder")])
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_bytes(tmp_path / name, "shown")
    assert str(caught.value) == f"shown: MR209 {problem}; name an existing file"


@pytest.mark.parametrize("there", ["file", "folder", "link", "dead link"])
def test_nothing_that_is_there_is_replaced_by_what_is_created(tmp_path: Path, there: str) -> None:
    place, other = tmp_path / "place", tmp_path / "other"
    other.write_text("other")
    if there == "file":
        place.write_text("mine")
    elif there == "folder":
        place.mkdir()
    else:
        place.symlink_to(other if there == "link" else tmp_path / "nowhere")
    before = place.lstat()
    with pytest.raises(Unavailable, match="MR603 cannot be written: File exists"):
        create_atomic(place, b"x")
    assert (place.lstat().st_ino, place.lstat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert other.read_text() == "other"
    assert {path.name for path in tmp_path.iterdir()} == {"place", "other"}


def test_a_file_is_created_with_its_folders_and_ordinary_rights(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / "c"
    create_atomic(place, b"x")
    assert place.read_bytes() == b"x"
    assert place.stat().st_nlink == 1
    assert [path.name for path in place.parent.iterdir()] == ["c"]
