"""Runs that are killed at every failpoint, as processes, and then run again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from target_lab import FolderLab, HubLab, Killed, Lab, State, dies_at, hub_lab, move, publish_and_stage, release

from modelrelease.release.targets.target import FAILPOINTS
from modelrelease.release.targets.tree import scratch

TESTS = Path(__file__).resolve().parents[2]
ONLY_ON_THE_HUB = {"publish: checked", "publish: tagged"}
PROGRAM = """
import os, signal, sys
from pathlib import Path
from target_lab import move, release
from modelrelease.release.targets.address import Surroundings, open_target

address, root, endpoint, token, version, point = sys.argv[1:]

def reach(name):
    if name == point:
        os.kill(os.getpid(), signal.SIGKILL)

outside = Surroundings(Path(root), endpoint=endpoint or None, token=token or None, reach=reach)
move(open_target(address, outside), release(Path(root), version))
"""


def run(lab: Lab, version: str, point: str) -> int:
    """Promote a version in a process of its own that is killed at a failpoint; return how it ended."""
    endpoint, token = (lab.hub.url, lab.token) if isinstance(lab, HubLab) else ("", "")
    root = lab.root if isinstance(lab, HubLab | FolderLab) else Path()
    arguments = [lab.open().address, str(root), endpoint, token or "", version, point]
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=TESTS, check=False, capture_output=True).returncode


@pytest.mark.parametrize("point", FAILPOINTS)
@pytest.mark.parametrize("kind", ["folder", "hub"])
def test_killed_and_run_again(
    kind: str, point: str, tmp_path: Path, undisturbed: dict[str, State], request: pytest.FixtureRequest
) -> None:
    if kind == "folder" and point in ONLY_ON_THE_HUB:
        pytest.skip("a folder has no tags")
    lab: Lab = request.getfixturevalue(kind)
    publish_and_stage(lab, release(tmp_path, "model_v1.0"))
    old = lab.open().stage("production")
    assert run(lab, "model_v1.1", point) == -signal.SIGKILL
    now = lab.open().stage("production")
    assert now.version == ("model_v1.1" if point == "stage: moved" else "model_v1.0")
    assert now == old or point == "stage: moved"
    found = lab.open().inspect("model_v1.1")
    assert found is None or lab.open().verify("model_v1.1", release(tmp_path, "model_v1.1").digests) == ()
    assert run(lab, "model_v1.1", "never") == 0
    assert lab.state() == undisturbed[kind]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, State]:
    """Return what two promotions leave that nothing disturbs, for each kind of target."""
    root = tmp_path_factory.mktemp("undisturbed")
    with hub_lab(root) as hub:
        labs: dict[str, Lab] = {"hub": hub, "folder": FolderLab(root)}
        for lab in labs.values():
            for version in ("model_v1.0", "model_v1.1"):
                publish_and_stage(lab, release(root, version))
        return {kind: lab.state() for kind, lab in labs.items()}


def test_every_failpoint_is_reached_in_order(hub: HubLab, folder: FolderLab, tmp_path: Path) -> None:
    for lab in (hub, folder):
        reached: list[str] = []
        publish_and_stage(lab, release(tmp_path, "model_v1.0"))
        move(lab.open(reached.append), release(tmp_path, "model_v1.1"))
        assert reached == [one for one in FAILPOINTS if lab is hub or one not in ONLY_ON_THE_HUB]


def test_an_interrupt_leaves_no_half_written_folder(folder: FolderLab, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        folder.open(dies_at("publish: uploaded")).publish(release(tmp_path))
    assert [path.name for path in (folder.folder / "versions").iterdir()] == [".lock"]


def test_what_a_killed_run_left_goes_and_what_a_living_one_writes_stays(folder: FolderLab, tmp_path: Path) -> None:
    publish_and_stage(folder, release(tmp_path, "model_v1.0"))
    assert run(folder, "model_v1.1", "publish: uploaded") == -signal.SIGKILL
    versions = folder.folder / "versions"
    left = [path.name for path in versions.iterdir() if path.name.startswith(".tmp-")]
    assert len(left) == 1
    assert folder.open().versions() == ("model_v1.0",)
    with scratch(versions) as living:
        publish_and_stage(folder, release(tmp_path, "model_v1.1"))
        assert [path.name for path in versions.iterdir() if path.name.startswith(".tmp-")] == [living.name]
    assert folder.open().versions() == ("model_v1.0", "model_v1.1")
    assert not list(versions.glob(".tmp-*"))
