"""Digests of files: the right ones, several at once, and remembered only where that is safe."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import sha

from modelrelease.errors import Unavailable
from modelrelease.records import hashing
from modelrelease.records.hash_memory import MAX_ENTRIES, SETTLED, SMALLEST, HashMemory
from modelrelease.records.hashing import hash_file, hash_files

LARGE = bytes(range(256)) * (SMALLEST // 256) + b"x"


def later() -> int:
    """A clock that is far enough ahead of what tests write."""
    return time.time_ns() + 10 * SETTLED


@pytest.fixture
def memory(tmp_path: Path) -> HashMemory:
    return HashMemory(tmp_path / "memory", now=later)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(LARGE)
    return path


@pytest.mark.parametrize("size", [0, 1, hashing.PIECE - 1, hashing.PIECE, hashing.PIECE + 1, 5 * hashing.PIECE])
def test_a_file_s_digest_is_that_of_its_bytes(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    assert hash_file(tmp_path / "file") == (size, hashlib.sha256(data).hexdigest())


def test_several_files_at_once_come_back_in_order(tmp_path: Path) -> None:
    contents = [os.urandom(size) for size in (10, 9 << 20, 5 << 20, 0, 7 << 20)]
    paths = [tmp_path / str(number) for number in range(len(contents))]
    for path, data in zip(paths, contents, strict=True):
        path.write_bytes(data)
    assert hash_files(paths) == [(len(data), hashlib.sha256(data).hexdigest()) for data in contents]
    assert hash_files([]) == []
    with pytest.raises(FileNotFoundError):
        hash_files([*paths, tmp_path / "nowhere"])


def test_a_file_that_is_written_to_meanwhile_is_no_answer(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = hashlib.sha256

    class Watched:
        def __init__(self) -> None:
            self._real = real()

        def update(self, data: bytes) -> None:
            self._real.update(data)
            with large.open("ab") as stream:  # as long as somebody reads
                stream.write(b"y")

        def hexdigest(self) -> str:
            return self._real.hexdigest()

    monkeypatch.setattr(hashlib, "sha256", Watched)
    with pytest.raises(Unavailable, match="MR603 is written to while it is read"):
        hash_file(large)


def test_what_has_not_changed_is_not_read_again(large: Path, memory: HashMemory) -> None:
    first = hash_file(large, memory)
    memory.remember(large, large.stat(), sha("planted"))
    assert hash_file(large, memory) == (first[0], sha("planted"))
    assert hash_file(large) == first  # without a memory every byte is read


def rewritten(path: Path) -> None:
    found = path.stat()
    path.write_bytes(b"z" + LARGE[1:])
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def replaced(path: Path) -> None:
    found = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"z" + LARGE[1:])
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "grown": lambda path: path.write_bytes(LARGE + b"z"),
    "rewritten, its time set back": rewritten,
    "another file in its place, with its time": replaced,
    "touched": lambda path: os.utime(path, ns=(1, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_hashed_again(large: Path, memory: HashMemory, change: str) -> None:
    memory.remember(large, large.stat(), sha("planted"))
    CHANGES[change](large)
    data = large.read_bytes()
    assert hash_file(large, memory) == (len(data), hashlib.sha256(data).hexdigest())
    assert memory.recall(large, large.stat()) == hashlib.sha256(data).hexdigest()


def test_what_was_modified_just_now_is_not_remembered(large: Path, tmp_path: Path) -> None:
    changed = max(large.stat().st_mtime_ns, large.stat().st_ctime_ns)
    for ahead, kept in ((0, False), (SETTLED - 1, False), (SETTLED, True)):
        memory = HashMemory(tmp_path / str(ahead), now=lambda ahead=ahead: changed + ahead)  # type: ignore[misc]
        hash_file(large, memory)
        assert (memory.recall(large, large.stat()) is not None) is kept
    os.utime(large, (4e9, 4e9))  # a time to come
    memory = HashMemory(tmp_path / "future", now=later)
    hash_file(large, memory)
    assert memory.recall(large, large.stat()) is None


def test_small_files_are_not_worth_an_entry(tmp_path: Path, memory: HashMemory) -> None:
    (tmp_path / "config.json").write_bytes(b"{}")
    hash_file(tmp_path / "config.json", memory)
    assert not (tmp_path / "memory").exists()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"x" * 5000, "half", "digit", "other"])
def test_a_damaged_entry_is_no_entry(tmp_path: Path, large: Path, memory: HashMemory, damage: bytes | str) -> None:
    first = hash_file(large, memory)
    (entry,) = (tmp_path / "memory").iterdir()
    whole = entry.read_bytes()
    if damage == "half":
        damage = whole[: len(whole) // 2]
    elif damage == "digit":
        damage = (b"0" if whole[:1] != b"0" else b"1") + whole[1:]
    elif damage == "other":  # the entry of another file
        other = tmp_path / "other"
        other.write_bytes(LARGE)
        memory.remember(other, large.stat(), sha("planted"))
        damage = next(path for path in entry.parent.iterdir() if path != entry).read_bytes()
    assert isinstance(damage, bytes)
    entry.write_bytes(damage)
    assert memory.recall(large, large.stat()) is None
    assert hash_file(large, memory) == first
    assert entry.read_bytes() == whole


def test_the_memory_is_bounded(tmp_path: Path, large: Path) -> None:
    memory = HashMemory(tmp_path / "memory", now=later, entries=10)
    found = large.stat()
    for number in range(25):
        memory.remember(tmp_path / str(number), found, sha(str(number)))
        assert len(list((tmp_path / "memory").iterdir())) <= 10
    assert memory.recall(tmp_path / "24", found) == sha("24")
    assert MAX_ENTRIES > 1000


def test_a_disk_that_refuses_costs_only_the_memory(tmp_path: Path, large: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    memory = HashMemory(tmp_path / "file", now=later)
    assert hash_file(large, memory) == hash_file(large)


def test_many_processes_may_write_at_once(tmp_path: Path, large: Path) -> None:
    """Every answer is the right one or none, whoever wrote last."""
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(4) as pool:
        answers = pool.starmap(_remember_and_recall, [(tmp_path / "memory", large)] * 40)
    assert set(answers) <= {hashlib.sha256(LARGE).hexdigest()}
    assert [path.suffix for path in (tmp_path / "memory").iterdir()] == [""]


def _remember_and_recall(folder: Path, path: Path) -> str | None:
    return hash_file(path, HashMemory(folder, now=later))[1]
