"""What is published of a checkpoint: its bytes were hashed when it was verified, and are held to that ever after."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from releases import ONE, Releases, copy_releases, create_releases
from target_lab import HubLab, hub_lab
from tiny_models import TinyModels

from modelrelease.errors import Refused
from modelrelease.flows.release import contents
from modelrelease.flows.release.contents import stamp_of_hashed
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.release.targets import hub_client
from modelrelease.release.targets.contents import stamp_of, unchanged
from modelrelease.release.targets.target import FileDigest, PlannedFile

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return create_releases(tmp_path_factory.mktemp("contents") / "repository", tiny.folder("llama"), "hf://acme/bot")


@pytest.fixture
def large(tiny: TinyModels, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tiny weights be published as large ones are: from disk, by the digest that they had."""
    monkeypatch.setattr(contents, "MAX_BLOB", (tiny.folder("llama") / WEIGHTS).stat().st_size - 1)


@pytest.fixture
def releases(template: Releases, tmp_path: Path) -> Releases:
    return copy_releases(template, tmp_path / "repository")


def on(lab: HubLab, releases: Releases) -> Releases:
    """Let a repository's target be a local Hub."""
    releases.outside = {"endpoint": lab.hub.url, "token": lab.token}
    return releases


def test_the_stamp_is_the_one_that_targets_compare(tiny: TinyModels, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for path in tiny.folder("llama").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "real").mkdir()
    (folder / "config.json").rename(folder / "real" / "config.json")
    (folder / "config.json").symlink_to("real/config.json")
    checkpoint = read_checkpoint(folder, "checkpoint")
    assert stamp_of_hashed(checkpoint, WEIGHTS) == stamp_of(folder / WEIGHTS)
    assert stamp_of_hashed(checkpoint, "config.json") is None  # a link, which changes apart from what it leads to
    planned = PlannedFile(FileDigest(WEIGHTS, 1, None), folder / WEIGHTS, stamp_of_hashed(checkpoint, WEIGHTS))
    assert unchanged(planned)
    times = (folder / WEIGHTS).stat()
    time.sleep(0.02)
    with (folder / WEIGHTS).open("r+b") as stream:
        stream.write(b"\0")
    os.utime(folder / WEIGHTS, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not unchanged(planned)


@pytest.mark.usefixtures("large")
def test_what_was_verified_is_not_hashed_again_to_be_published(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import lfs

    hashed, sha256 = [], lfs.sha_fileobj

    def noted(stream: BinaryIO) -> bytes:
        hashed.append(Path(stream.name).name)
        return sha256(stream)

    monkeypatch.setattr(lfs, "sha_fileobj", noted)
    with hub_lab(tmp_path) as lab:
        on(lab, releases).promote(ONE)
        sent = [one for one in lab.hub.requests if one.method == "PUT" and "_storage" in one.path]
    assert "eval.json" in hashed
    assert WEIGHTS not in hashed
    size = (releases.root / "models" / ONE / "checkpoint" / WEIGHTS).stat().st_size
    assert [one.received for one in sent] == [size]


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("when", ["before", "after"])
def test_weights_that_change_after_they_were_verified_are_not_published(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The digest that was decided on is that of what is published, also where somebody puts the old times back."""
    path = releases.root / "models" / ONE / "checkpoint" / WEIGHTS
    local = hub_client._local

    def change() -> None:
        data, times = path.read_bytes(), path.stat()
        path.write_bytes(data[:-1] + bytes((data[-1] ^ 1,)))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def meanwhile(file: PlannedFile) -> str | bytes:
        if file.path == WEIGHTS:
            change()
        return local(file)

    with hub_lab(tmp_path) as lab:
        on(lab, releases)
        if when == "after":
            monkeypatch.setattr(hub_client, "_local", meanwhile)

        def decided(point: str) -> None:
            if point == "decided" and when == "before":
                change()

        with pytest.raises(Refused, match="changed on this machine while it was published"):
            releases.promote(ONE, reach=decided)
        assert releases.target().versions() == ()
        assert releases.live() is None
