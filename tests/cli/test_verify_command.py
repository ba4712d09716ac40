"""`verify` in a repository that releases into a folder: all is well, it is lost, or it is on another machine."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from commands import run
from releases import ONE, Releases, copy_releases, create_releases
from tiny_models import TinyModels


@pytest.fixture(scope="module")
def template(tiny: TinyModels, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    made = create_releases(tmp_path_factory.mktemp("verify") / "repository", tiny.folder("llama"))
    made.promote(ONE)
    return made


@pytest.fixture
def releases(template: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releases:
    made = copy_releases(template, tmp_path / "repository")
    monkeypatch.chdir(made.root)
    return made


def test_the_last_line_is_what_names_it_for_good(releases: Releases, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run(capsys, "verify", ONE)
    assert (ran.code, ran.err) == (0, "")
    record = (releases.root / "releases/versions" / ONE / ".release.json").read_bytes()
    digest = hashlib.sha256(record).hexdigest()
    assert ran.out.splitlines()[-1] == f"record {digest}, the sha256 of its .release.json"
    shown = run(capsys, "ledger", "trace", ONE).out
    assert f"at file://releases, record {digest[:12]}" in shown


def test_what_was_lost_is_put_back_from_a_copy(
    releases: Releases, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = releases.root / "releases/versions" / ONE
    shutil.move(place, tmp_path / "copy")
    ran = run(capsys, "verify", ONE)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"file://releases/versions/{ONE}: MR702 is not published any more; ")
    assert "put it back from a copy" in ran.err
    assert "promote it first" not in ran.err
    shutil.copytree(tmp_path / "copy", place)
    assert run(capsys, "verify", ONE).code == 0


@pytest.mark.parametrize("arguments", [("verify", ONE), ("verify", ONE, "--json"), ("ledger", "verify")])
def test_a_folder_on_another_machine_cannot_be_looked_at(
    releases: Releases, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    shutil.rmtree(releases.root / "releases")
    ran = run(capsys, *arguments)
    assert ran.code == 3
    assert "file://releases" in ran.err
    assert "is not on this machine" in ran.err
    assert "MR702" not in ran.err
