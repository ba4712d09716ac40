"""What holds for a target of either kind."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from target_lab import WEIGHTS, Lab, move, release, weights, without_source

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, Refused
from modelrelease.release.targets import contents, folder, hub
from modelrelease.release.targets.contents import open_regular
from modelrelease.release.targets.target import FileDigest, PlannedFile, PlannedRelease, Raced, StageState

STAGE = "production"


def test_nothing_is_there_before_something_is_published(lab: Lab) -> None:
    target = lab.open()
    assert target.versions() == ()
    assert target.inspect("model_v1.0") is None
    assert target.stage(STAGE) == StageState(STAGE)
    assert [one.code for one in target.verify("model_v1.0", ())] == [Code.NOT_PUBLISHED]


def test_what_is_published_is_what_was_planned(lab: Lab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    published = lab.open().publish(planned)
    assert published == lab.open().inspect("model_v1.0")
    assert published.message == f"Release model_v1.0\n\nLedger-Head: {'1' * 40}"
    assert published.ledger_head == "1" * 40
    assert {file.path for file in published.files} == {file.path for file in planned.files}
    for download in (False, True):
        assert lab.open().verify("model_v1.0", planned.digests, commit=published.commit, download=download) == ()
    assert lab.open().versions() == ("model_v1.0",)


def test_records_are_read_as_they_are_published(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.open().publish(release(tmp_path))
    target = lab.open()
    assert target.read("model_v1.0", "model.json") == b'{"version": "model_v1.0"}\n'
    assert target.read("model_v1.0", "prompts/support.prompt.yml") == b"# model_v1.0\nmessages: []\n"
    for version, path in (("model_v1.1", "model.json"), ("model_v1.0", "eval.json"), ("model_v1.0", "../x")):
        assert target.read(version, path) is None
    for module in (folder, hub):
        monkeypatch.setattr(module, "MAX_READ", WEIGHTS - 1)
    with pytest.raises(InvalidInput, match=r"model\.safetensors: MR705 has 200,000 bytes, and is no record"):
        target.read("model_v1.0", "model.safetensors")


def test_asking_whether_it_can_be_written_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    """Neither before anything is there nor after."""
    lab.open().check_writable()
    assert lab.open().versions() == ()
    move(lab.open(), release(tmp_path))
    before = lab.state()
    lab.open().check_writable()
    assert lab.state() == before
    assert lab.open().versions() == ("model_v1.0",)
    assert list(tmp_path.rglob("*.tmp-modelrelease-*")) == []


def test_publishing_again_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    first = lab.open().publish(planned)
    before = lab.state()
    again = dataclasses.replace(planned, ledger_head="2" * 40)
    assert lab.open().publish(again) == first
    assert lab.state() == before


def test_a_version_is_never_replaced(lab: Lab, tmp_path: Path) -> None:
    lab.open().publish(release(tmp_path))
    before = lab.state()
    with pytest.raises(Refused) as refused:
        lab.open().publish(release(tmp_path, seed=99))
    assert [one.code for one in refused.value.findings] == [Code.PUBLISHED_DIFFERS] * 2
    assert "next patch version" in str(refused.value)
    assert "model.safetensors: MR703 is not what was released (sha256" in str(refused.value)
    assert lab.state() == before


def test_the_stage_goes_forward_and_back(lab: Lab, tmp_path: Path) -> None:
    target = lab.open()
    one, two = target.publish(release(tmp_path, "model_v1.0")), target.publish(release(tmp_path, "model_v1.1"))
    assert target.versions() == ("model_v1.0", "model_v1.1")
    state = target.stage(STAGE)
    for published in (one, two, one, two):
        state = target.move_stage(STAGE, published, state)
        assert (state.version, state.release) == (published.version, published.commit)
        assert lab.open().stage(STAGE) == state


def test_moving_to_where_the_stage_is_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    target = lab.open()
    there = move(target, release(tmp_path))
    before = lab.state()
    published = target.publish(release(tmp_path))
    assert target.move_stage(STAGE, published, StageState(STAGE)) == there
    assert lab.state() == before


def test_who_expects_another_state_moves_nothing(lab: Lab, tmp_path: Path) -> None:
    target = lab.open()
    one, two, three = (target.publish(release(tmp_path, f"model_v1.{n}")) for n in range(3))
    first = target.move_stage(STAGE, one, target.stage(STAGE))
    target.move_stage(STAGE, two, first)
    before = lab.state()
    for expected in (first, StageState(STAGE)):
        with pytest.raises(Raced) as raced:
            target.move_stage(STAGE, three, expected)
        assert raced.value.exit_code == 1
        assert raced.value.findings[0].code == Code.RACED
    assert lab.state() == before


def test_a_stage_that_has_been_away_and_back_is_another_state(lab: Lab, tmp_path: Path) -> None:
    target = lab.open()
    one, two, three = (target.publish(release(tmp_path, f"model_v1.{n}")) for n in range(3))
    first = target.move_stage(STAGE, one, target.stage(STAGE))
    target.move_stage(STAGE, one, target.move_stage(STAGE, two, first))
    with pytest.raises(Raced):
        target.move_stage(STAGE, three, first)


def test_the_stages_are_apart(lab: Lab, tmp_path: Path) -> None:
    target = lab.open()
    one, two = target.publish(release(tmp_path, "model_v1.0")), target.publish(release(tmp_path, "model_v1.1"))
    target.move_stage("staging", two, target.stage("staging"))
    target.move_stage(STAGE, one, target.stage(STAGE))
    assert [target.stage(name).version for name in ("staging", STAGE)] == ["model_v1.1", "model_v1.0"]


@pytest.mark.parametrize(
    ("path", "data", "what"),
    [
        ("model.safetensors", weights(5), "is not what was released"),
        ("config.json", b'{"model_type": "other"}\n', "is not what was released"),
        ("config.json", None, "is missing"),
        ("pytorch_model.bin", b"x", "is no part of the release"),
    ],
)
def test_what_was_changed_is_found_and_no_stage_moves_there(
    lab: Lab, tmp_path: Path, path: str, data: bytes | None, what: str
) -> None:
    planned = release(tmp_path)
    published = lab.open().publish(planned)
    lab.tamper("model_v1.0", path, data)
    before = lab.state()
    for download in (False, True):
        findings = lab.open().verify("model_v1.0", planned.digests, download=download)
        assert [(one.code, one.path.endswith(path)) for one in findings] == [(Code.PUBLISHED_DIFFERS, True)]
        assert findings[0].message.startswith(what)
    with pytest.raises(Refused):
        lab.open().move_stage(STAGE, published, StageState(STAGE))
    with pytest.raises(Refused):
        lab.open().publish(planned)
    assert lab.state() == before


def test_a_stage_says_when_its_version_has_changed(lab: Lab, tmp_path: Path) -> None:
    target = lab.open()
    planned = release(tmp_path)
    before = move(target, planned)
    lab.tamper("model_v1.0", "config.json", b"{}")
    now = lab.open().stage(STAGE)
    assert (now.commit, now.version, now.release) == (before.commit, None, None)


def test_a_name_that_was_moved_off_the_recorded_commit_is_a_finding(lab: Lab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    target = lab.open()
    target.publish(planned)
    findings = target.verify("model_v1.0", planned.digests, commit="0" * 40)
    assert [one.code for one in findings] == [Code.PUBLISHED_DIFFERS]
    assert "which was recorded" in findings[0].message


def test_a_prompt_only_version_needs_no_weights_of_its_own(lab: Lab, tmp_path: Path) -> None:
    first = release(tmp_path, "model_v1.0", seed=3)
    lab.open().publish(first)
    lab.open().publish(release(tmp_path, "model_v1.1", seed=4))
    prompt_only = without_source(release(tmp_path, "model_v1.2", seed=3))
    lab.open().publish(prompt_only)
    assert lab.open().verify("model_v1.2", prompt_only.digests, download=True) == ()


def test_weights_that_are_nowhere_are_not_published(lab: Lab, tmp_path: Path) -> None:
    lab.open().publish(release(tmp_path, "model_v1.0", seed=3))
    before = lab.state()
    with pytest.raises(InvalidInput, match="MR705 is not at the target, and there is no local copy"):
        lab.open().publish(without_source(release(tmp_path, "model_v1.1", seed=4)))
    assert lab.state() == before


def test_a_gitignore_drops_nothing(lab: Lab, tmp_path: Path) -> None:
    planned = release(tmp_path, **{".gitignore": b"*\n!README.md\n"})
    lab.open().publish(planned)
    assert lab.open().verify("model_v1.0", planned.digests, download=True) == ()


def test_a_file_that_changes_after_it_was_planned_is_refused(lab: Lab, tmp_path: Path) -> None:
    planned = release(tmp_path)
    nothing = lab.state()
    source = next(file.source for file in planned.files if file.path == "model.safetensors")
    assert isinstance(source, Path)
    source.write_bytes(weights(77))
    with pytest.raises(Refused):
        lab.open().publish(planned)
    assert lab.state() == nothing
    source.unlink()
    with pytest.raises(InvalidInput):
        lab.open().publish(planned)
    assert lab.state() == nothing


def test_a_file_that_changes_while_it_is_sent_is_refused(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_TICKS", 0)
    planned = release(tmp_path)
    nothing = lab.state()
    source = planned.files[0].source
    assert isinstance(source, Path)
    real = open_regular

    def changing(path: Path) -> BinaryIO:
        opened = real(path)
        if path == source:
            time.sleep(0.02)
            source.write_bytes(weights(88))
        return opened

    for module in ("tree", "hub_client"):
        monkeypatch.setattr(f"modelrelease.release.targets.{module}.open_regular", changing)
    with pytest.raises(Refused):
        lab.open().publish(planned)
    assert lab.state() == nothing


@pytest.mark.parametrize("name", ["main", "model_v1.0", "a/b", "..", "a..b", "x.lock", "", "-x", "a b", "é"])
def test_a_stage_needs_a_name_that_a_branch_and_a_file_can_have(lab: Lab, name: str) -> None:
    with pytest.raises(InvalidInput, match="MR706"):
        lab.open().stage(name)


@pytest.mark.parametrize("version", ["", "v1.0", "model_v1", "../model_v1.0", "model_v1.0/x"])
def test_a_version_needs_a_version_s_name(lab: Lab, version: str) -> None:
    for call in (lab.open().inspect, lambda one: lab.open().verify(one, ())):
        with pytest.raises(InvalidInput, match="MR706"):
            call(version)


def test_many_files_in_folders(lab: Lab, tmp_path: Path) -> None:
    many = {f"prompts__{n % 7}__p{n:03d}.yml": b"%d\n" % n for n in range(300)}
    planned = release(tmp_path, **many)
    lab.open().publish(planned)
    assert lab.open().verify("model_v1.0", planned.digests) == ()


def test_a_release_of_files_that_cannot_be(lab: Lab) -> None:
    for path in ("../x", "/x", "a//b", ".git/config", "a\\b", ".gitattributes", ".release.json", "a\n", "x" * 600, "."):
        planned = PlannedRelease("model_v1.0", (PlannedFile(FileDigest(path, 1, "0" * 64), b"x"),))
        with pytest.raises(InvalidInput, match="MR705"):
            lab.open().publish(planned)
