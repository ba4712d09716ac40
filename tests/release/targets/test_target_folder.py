"""What is particular to a target in a folder: disks, links, and what stands there already."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from target_lab import FolderLab, move, publish_and_stage, release, weights

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, ModelreleaseError, Refused, Unavailable
from modelrelease.release.targets.address import Surroundings, open_target
from modelrelease.release.targets.contents import planned_file
from modelrelease.release.targets.target import PlannedRelease, StageState

STAGE = "production"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[FolderLab]:
    """Return a target on a disk of 500 kB; only root may mount one."""
    root = tmp_path / "disk"
    root.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", str(root)], check=False, capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("mounting a file system needs root")
    try:
        yield FolderLab(root)
    finally:
        subprocess.run(["umount", str(root)], check=True)


def test_a_full_disk_leaves_nothing_and_a_freed_one_is_enough(small_disk: FolderLab, tmp_path: Path) -> None:
    publish_and_stage(small_disk, release(tmp_path, "model_v1.0"))
    filler = small_disk.root / "filler"
    filler.write_bytes(b"x" * 150_000)
    before = small_disk.state()
    with pytest.raises(Unavailable, match=r"MR603 cannot be written: No space left on device; free the disk"):
        move(small_disk.open(), release(tmp_path, "model_v1.1"))
    assert small_disk.state() == before
    filler.unlink()
    assert move(small_disk.open(), release(tmp_path, "model_v1.1")).version == "model_v1.1"


@pytest.mark.parametrize("published", [False, True])
def test_a_disk_that_is_read_only_is_found_without_writing(
    small_disk: FolderLab, tmp_path: Path, published: bool
) -> None:
    if published:
        publish_and_stage(small_disk, release(tmp_path, "model_v1.0"))
    before = sorted(small_disk.root.rglob("*"))
    small_disk.open().check_writable()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk.root)], check=True)
    with pytest.raises(Unavailable, match=r"MR603 cannot be written: .*make the folder writable"):
        small_disk.open().check_writable()
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk.root)], check=True)
    assert sorted(small_disk.root.rglob("*")) == before


def test_a_file_in_the_place_of_the_folder_cannot_be_written(tmp_path: Path) -> None:
    lab = FolderLab(tmp_path)
    lab.folder.write_text("no folder")
    with pytest.raises(Unavailable, match="MR603 Not a directory"):
        lab.open().check_writable()


def test_a_full_disk_leaves_a_stage_where_it_is(small_disk: FolderLab, tmp_path: Path) -> None:
    target = small_disk.open()
    one, two = (target.publish(release(tmp_path, version, seed=1)) for version in ("model_v1.0", "model_v1.1"))
    there = target.move_stage(STAGE, one, target.stage(STAGE))
    with (small_disk.root / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)
    with pytest.raises(Unavailable):
        target.move_stage(STAGE, two, there)
    assert small_disk.open().stage(STAGE) == there


def test_a_read_only_disk(small_disk: FolderLab, tmp_path: Path) -> None:
    publish_and_stage(small_disk, release(tmp_path, "model_v1.0"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk.root)], check=True)
    before = small_disk.state()
    target = small_disk.open()
    assert target.stage(STAGE).version == "model_v1.0"
    assert target.verify("model_v1.0", release(tmp_path, "model_v1.0").digests) == ()
    with pytest.raises(Unavailable, match="Read-only file system; free the disk, or make the folder writable"):
        target.publish(release(tmp_path, "model_v1.1"))
    there = target.inspect("model_v1.0")
    assert there is not None
    with pytest.raises(Unavailable, match="Read-only file system"):
        target.move_stage("other", there, StageState("other"))
    assert small_disk.state() == before


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("versions", "is no folder, or a link to one"),
        ("stages", "is no folder, or a link to one"),
        ("versions/model_v1.0", "is no folder, or a link to one"),
        ("stages/production.json", "is no regular file"),
        ("stages/.lock", "cannot be written"),
        ("versions/.lock", "cannot be written"),
    ],
)
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_where_ours_should_stand_is_not_followed(
    folder: FolderLab, tmp_path: Path, place: str, says: str, dangling: bool
) -> None:
    outside = tmp_path / "outside"
    if not dangling:
        outside.mkdir()
        (outside / "keep").write_text("this")
    link = folder.folder / place
    link.parent.mkdir(parents=True)
    link.symlink_to(outside)
    with pytest.raises((Refused, Unavailable), match=says):
        move(folder.open(), release(tmp_path))
    assert link.is_symlink()
    assert outside.exists() is not dangling
    assert dangling or [path.name for path in outside.iterdir()] == ["keep"]


def test_a_link_among_a_version_s_files(folder: FolderLab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    folder.open().publish(planned)
    weights_file = folder.folder / "versions/model_v1.0/model.safetensors"
    weights_file.rename(tmp_path / "moved")
    weights_file.symlink_to(tmp_path / "moved")
    with pytest.raises(Refused, match=r"model\.safetensors: MR707 is no regular file"):
        folder.open().verify("model_v1.0", planned.digests)


def test_folders_in_folders_without_end(folder: FolderLab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    folder.open().publish(planned)
    handle = os.open(folder.folder / "versions/model_v1.0", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=handle)
        inner = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    try:
        with pytest.raises(Refused, match=r"model_v1\.0: MR707 holds folders in folders"):
            folder.open().verify("model_v1.0", planned.digests)
    finally:  # Python's own rmtree does not get down there
        subprocess.run(["rm", "-r", str(folder.folder)], check=True)


def test_what_differs_by_its_name_or_size_is_not_read(folder: FolderLab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    folder.open().publish(planned)
    for name in ("core", "model.safetensors"):
        with (folder.folder / "versions/model_v1.0" / name).open("wb") as stream:
            stream.truncate(1 << 40)  # a terabyte of holes: reading it takes an hour
    begun = time.monotonic()
    found = folder.open().verify("model_v1.0", planned.digests)
    assert [finding.path.rpartition("/")[2] for finding in found] == ["model.safetensors", "core"]
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (None, "MR707 has no .release.json"),
        (b"{", "MR201"),
        (b'{"schema_version": 1}', "MR207"),
        (b"\xff", "MR202"),
        (b'{"schema_version":1,"version":"model_v2.0","message":"","files":[{"path":"a","size":1,"sha256":"%b"}]}'
         % (b"0" * 64), "MR707 has the .release.json of another version"),
    ],
)  # fmt: skip
def test_a_folder_that_no_release_has_made(folder: FolderLab, tmp_path: Path, record: bytes | None, says: str) -> None:
    place = folder.folder / "versions/model_v1.0"
    place.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    if record is not None:
        (place / ".release.json").write_bytes(record)
    before = folder.state()
    for call in (lambda: folder.open().publish(release(tmp_path)), lambda: folder.open().inspect("model_v1.0")):
        with pytest.raises(ModelreleaseError, match=says):
            call()
    assert folder.state() == before


@pytest.mark.parametrize("data", [b"", b"[]", b'{"stage": "production"}', b"\0" * 10])
def test_a_stage_file_that_is_none(folder: FolderLab, tmp_path: Path, data: bytes) -> None:
    publish_and_stage(folder, release(tmp_path))
    (folder.folder / "stages/production.json").write_bytes(data)
    with pytest.raises(InvalidInput, match=r"stages/production\.json"):
        folder.open().stage(STAGE)


def test_an_empty_folder_is_no_version(folder: FolderLab, tmp_path: Path) -> None:
    (folder.folder / "versions/model_v1.0").mkdir(parents=True)
    assert folder.open().inspect("model_v1.0") is None
    folder.open().publish(release(tmp_path))


def test_what_a_reader_finds(folder: FolderLab, tmp_path: Path) -> None:
    publish_and_stage(folder, release(tmp_path, "model_v1.0"))
    publish_and_stage(folder, release(tmp_path, "model_v1.1"))
    stage = json.loads((folder.folder / "stages/production.json").read_bytes())
    published = folder.open().inspect("model_v1.1")
    assert published is not None
    assert stage == {
        "schema_version": 1,
        "stage": STAGE,
        "version": "model_v1.1",
        "release": published.commit,
        "moves": 2,
    }
    version = folder.folder / "versions/model_v1.1"
    assert json.loads((version / "model.json").read_bytes()) == {"version": "model_v1.1"}
    assert oct(version.stat().st_mode & 0o777) == "0o755"
    assert sorted(path.name for path in folder.folder.iterdir()) == ["stages", "versions"]


def test_a_source_that_is_a_link_is_refused(folder: FolderLab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    source = next(file.source for file in planned.files if file.path == "model.safetensors")
    assert isinstance(source, Path)
    source.rename(tmp_path / "elsewhere")
    source.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="MR705 is no regular file"):
        planned_file("model.safetensors", source)
    with pytest.raises(InvalidInput, match="MR705 is no regular file"):
        folder.open().publish(planned)
    assert folder.open().versions() == ()


def test_bytes_that_change_without_their_size_or_name_are_noticed(folder: FolderLab, tmp_path: Path) -> None:
    target = folder.open()
    planned = release(tmp_path)
    target.publish(planned)
    place = folder.folder / "versions/model_v1.0/model.safetensors"
    times = place.stat()
    place.write_bytes(weights(12))
    os.utime(place, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [one.code for one in target.verify("model_v1.0", planned.digests)] == [Code.PUBLISHED_DIFFERS]


def test_copying_works_where_the_kernel_does_not_help(
    folder: FolderLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    planned = release(tmp_path)
    folder.open().publish(planned)
    assert folder.open().verify("model_v1.0", planned.digests) == ()


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Publishing 150 MB in a process of its own takes little more than importing what it needs."""
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(150_000_000)
    program = """
import re, sys
from pathlib import Path
from modelrelease.release.targets.address import Surroundings, open_target
from modelrelease.release.targets.contents import planned_file
from modelrelease.release.targets.target import PlannedRelease
target = open_target("file://out", Surroundings(Path(sys.argv[1])))
target.versions()
from modelrelease.release.targets import folder, manifest
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
target.publish(PlannedRelease("model_v1.0", (planned_file("model.safetensors", Path(sys.argv[1]) / "large"),)))
print(peak() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert int(done.stdout) < 20_000


def test_a_target_is_opened_without_writing(tmp_path: Path) -> None:
    target = open_target("file://releases", Surroundings(tmp_path))
    assert (target.versions(), target.stage(STAGE)) == ((), StageState(STAGE))
    assert list(tmp_path.iterdir()) == []
    assert PlannedRelease("model_v1.0", ()).body == ""
