"""What files are, and whether two are the same."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput
from modelrelease.release.targets import contents
from modelrelease.release.targets.contents import (
    MAX_BLOB,
    check_release,
    check_stage,
    differences,
    digest_of_bytes,
    planned_file,
    same,
    unchanged,
)
from modelrelease.release.targets.hub_client import Changes, Copy
from modelrelease.release.targets.hub_plan import clashes, mirroring, publishing
from modelrelease.release.targets.target import FileDigest, PlannedFile, PlannedRelease, Published, trailer

A, B = "a" * 64, "b" * 64
ONE, TWO = "1" * 40, "2" * 40


@pytest.mark.parametrize("data", [b"", b"x", b"a\nb\n", bytes(range(256)) * 5000])
def test_digests_are_those_of_git_and_sha256sum(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    git = subprocess.run(["git", "hash-object", "--no-filters", str(path)], capture_output=True, check=True, text=True)
    expected = FileDigest("x", len(data), hashlib.sha256(data).hexdigest(), git.stdout.strip())
    assert digest_of_bytes("x", data) == expected
    assert planned_file("x", path) == PlannedFile(expected, path)


def test_a_stamp_tells_whether_a_file_is_still_what_was_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert planned_file("x", path).stamp is None  # written too lately to tell
    monkeypatch.setattr(contents, "_TICKS", 0)
    planned = planned_file("x", path)
    assert unchanged(planned)
    times = path.stat()
    time.sleep(0.02)
    path.write_bytes(b"two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not unchanged(planned)
    path.unlink()
    assert not unchanged(planned)
    assert not unchanged(planned_file("x", b"one"))


def test_a_large_file_has_no_git_id(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as stream:
        stream.truncate(MAX_BLOB + 1)
    assert planned_file("x", path).digest.blob is None


def test_what_is_no_file_cannot_be_planned(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InvalidInput):
            planned_file("x", path)


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        ((5, A, ONE), (5, A, None), True),
        ((5, A, ONE), (5, None, ONE), True),
        ((5, A, ONE), (5, A, TWO), True),
        ((5, A, ONE), (6, A, ONE), False),
        ((5, A, ONE), (5, B, ONE), False),
        ((5, A, ONE), (5, None, TWO), False),
        ((5, A, None), (5, None, ONE), False),
        ((5, None, None), (5, None, None), False),
    ],
)
def test_files_are_the_same_only_where_that_is_known(
    one: tuple[int, str | None, str | None], other: tuple[int, str | None, str | None], result: bool
) -> None:
    first, second = FileDigest("x", *one), FileDigest("x", *other)
    assert same(first, second) is result
    assert same(second, first) is result


def test_differences_are_named_one_by_one() -> None:
    expected = [FileDigest("a", 1, A), FileDigest("b", 1, A), FileDigest("c", 1, A), FileDigest("d", 1, A)]
    found = {"a": FileDigest("a", 1, A), "b": FileDigest("b", 2, A), "c": FileDigest("c", 1, None, ONE)}
    extra = {"e": FileDigest("e", 1, A), ".gitattributes": FileDigest(".gitattributes", 1, A)}
    lines = [str(one) for one in differences("hf://acme/bot@x", expected, {**found, **extra})]
    todo = "; do not use it; publish a new version, and find out who changed this one"
    assert lines == [
        f"hf://acme/bot@x/b: MR703 is not what was released (2 bytes instead of 1){todo}",
        "hf://acme/bot@x/c: MR703 is not what was released "
        f"(its digests cannot be compared; verify with --download){todo}",
        f"hf://acme/bot@x/d: MR703 is missing{todo}",
        f"hf://acme/bot@x/e: MR703 is no part of the release{todo}",
    ]


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        ([], "has 0 files"),
        (["a", "a"], "stands twice"),
        (["a", "a/b"], "is a file and a folder"),
        (["x/../y"], "keeps for itself"),
        (["C:/x"], "is no plain path"),
        ([" a"], "keeps for itself"),
    ],
)
def test_releases_that_cannot_be(paths: list[str], says: str) -> None:
    files = tuple(PlannedFile(FileDigest(path, 1, A), b"x") for path in paths)
    with pytest.raises(InvalidInput, match=says) as refused:
        check_release(PlannedRelease("model_v1.0", files))
    assert refused.value.findings[0].code == Code.RELEASE_FILE


@pytest.mark.parametrize("name", ["production", "eu.staging-2", "A", "canary_1"])
def test_stages_that_can_be(name: str) -> None:
    check_stage(name)


@pytest.mark.parametrize(
    ("message", "head"),
    [
        ("Release x\n\nLedger-Head: abc", "abc"),
        ("Release x\n\nLedger-Head: abc\nLedger-Head: def\n", "def"),
        ("Release x", None),
        ("Ledger-Head:abc", None),
        ("", None),
    ],
)
def test_the_ledger_s_head_is_read_from_the_message(message: str, head: str | None) -> None:
    assert trailer(message, "Ledger-Head") == head
    assert Published("model_v1.0", ONE, (), message).ledger_head == head


def planned(*files: tuple[str, str, bytes | None]) -> PlannedRelease:
    return PlannedRelease("model_v1.0", tuple(PlannedFile(FileDigest(path, 9, sha), data) for path, sha, data in files))


def tree(*files: tuple[str, str]) -> dict[str, FileDigest]:
    return {path: FileDigest(path, 9, sha) for path, sha in files}


def test_one_commit_adds_copies_keeps_and_deletes() -> None:
    release = planned(("w", A, b"w"), ("moved", B, b"m"), ("new", "c" * 64, b"n"))
    there = tree(("w", A), ("old", B), (".gitattributes", "d" * 64))
    changes = publishing("hf://x/y", release, ONE, there, list)
    assert changes == Changes((release.files[2],), (Copy("old", ONE, "moved"),), ("old",))
    assert not publishing("hf://x/y", release, ONE, tree(("w", A), ("moved", B), ("new", "c" * 64)), list)


def test_other_versions_are_asked_only_for_what_has_no_source() -> None:
    def never() -> list[tuple[str, dict[str, FileDigest]]]:
        raise AssertionError("asked")

    assert publishing("hf://x/y", planned(("w", A, b"w")), ONE, {}, never).add
    found = publishing("hf://x/y", planned(("w", A, None)), ONE, {}, lambda: [(TWO, tree(("v", A)))])
    assert found.copy == (Copy("v", TWO, "w"),)


def test_a_stage_is_moved_by_copies_and_deletions() -> None:
    wanted = tree(("w", A), ("same", B), (".gitattributes", A))
    there = tree(("w", B), ("same", B), ("old", A), (".gitattributes", B))
    assert mirroring(ONE, wanted, there) == Changes((), (Copy("w", ONE, "w"),), ("old",))
    assert not mirroring(ONE, wanted, wanted)


def test_only_the_release_s_own_files_clash() -> None:
    release = planned(("w", A, b"w"), ("card", B, b"c"))
    before = tree(("w", B), ("card", B))
    assert clashes(release, before, {**before, **tree(("notes", A))}) == []
    assert clashes(release, before, tree(("w", A), ("card", B))) == ["w"]
    assert clashes(release, before, tree(("w", B))) == ["card"]
