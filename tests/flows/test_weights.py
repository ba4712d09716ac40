"""Weights from wherever they lie: verified before use, fetched once, and nothing half where something fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.small_hub import COMMIT, SmallHub
from papers import write_papers
from tiny_models import TinyModels

from modelrelease.errors import InvalidInput, ModelreleaseError, Refused, Unavailable
from modelrelease.flows.openers import Hub
from modelrelease.flows.weights import Weights
from modelrelease.records.checkpoints import read_checkpoint
from modelrelease.records.model import MODEL_FILE

ADDRESS = f"hf://acme/bot@{COMMIT}"


@pytest.fixture(scope="module")
def checkpoint(tiny: TinyModels) -> Path:
    return tiny.folder("llama")


@pytest.fixture
def stored(checkpoint: Path, tmp_path: Path) -> Path:
    """The weights somewhere else on the disk."""
    shutil.copytree(checkpoint, tmp_path / "stored")
    return tmp_path / "stored"


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    return Weights(tmp_path / "cache")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def hub(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with SmallHub() as found:
        found.add(checkpoint)
        yield found


def at(hub: SmallHub, weights: Weights) -> Weights:
    return Weights(weights.cache, Hub(hub.endpoint))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / MODEL_FILE
    document = json.loads(path.read_text("utf-8"))
    change(document["checkpoint"])
    path.write_text(json.dumps(document), "utf-8")


def refused(weights: Weights, folder: Path, code: int) -> str:
    """What is said of a version, which leaves nothing in the cache that anybody could take for weights."""
    with pytest.raises(ModelreleaseError) as caught:
        weights.of_version(folder, f"models/{folder.name}")
    assert caught.value.exit_code == code, caught.value
    kept = [] if weights.cache is None else [*weights.cache.glob("checkpoints/*")]
    assert [path.name for path in kept if path.suffix != ".lock"] == []
    return str(caught.value)


# In the folder


def test_weights_in_the_folder_are_held_against_their_papers(models: Path, checkpoint: Path, weights: Weights) -> None:
    folder = models / "model_v1.0"
    shutil.copytree(checkpoint, folder / "checkpoint")
    write_papers(folder, checkpoint)
    found = weights.of_version(folder, "models/model_v1.0")
    assert (found.version, found.source) == ("model_v1.0", "models/model_v1.0")
    assert found == read_checkpoint(folder, "models/model_v1.0")
    (folder / "checkpoint" / "extra.json").write_text("{}")
    (folder / "checkpoint" / "generation_config.json").unlink(missing_ok=True)
    config = folder / "checkpoint" / "config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(Refused) as caught:
        weights.of_version(folder, "models/model_v1.0")
    said = str(caught.value).splitlines()
    place = "models/model_v1.0/checkpoint"
    assert f"{place}/config.json: MR421 is not the file that model.json lists; put back what was recorded" in said[0]
    assert f"{place}/extra.json: MR421 is not in model.json; " in "\n".join(said)


def test_a_folder_that_is_a_checkpoint_has_no_papers(stored: Path, weights: Weights) -> None:
    (stored / MODEL_FILE).write_text('{"anything": 1}')
    assert {file.path for file in weights.of_version(stored, "stored").files} >= {MODEL_FILE, "config.json"}


def test_a_version_without_weights_or_address_says_so(models: Path, checkpoint: Path, weights: Weights) -> None:
    folder = models / "model_v1.0"
    write_papers(folder, checkpoint)
    with pytest.raises(InvalidInput, match="MR401 holds neither config"):
        weights.of_version(folder, "models/model_v1.0")


# same_as


def test_a_prompt_only_version_has_another_s_checkpoint(models: Path, checkpoint: Path, weights: Weights) -> None:
    shutil.copytree(checkpoint, models / "model_v1.0" / "checkpoint")
    write_papers(models / "model_v1.1", checkpoint, same_as="model_v1.0")
    write_papers(models / "model_v1.2", checkpoint, same_as="model_v1.1")
    found = weights.of_version(models / "model_v1.2", "models/model_v1.2")
    assert (found.version, found.source) == ("model_v1.2", "models/model_v1.2")
    assert found.folder == models / "model_v1.0" / "checkpoint"
    config = found.folder / "config.json"
    config.write_text(config.read_text() + " ")
    assert "models/model_v1.1/checkpoint/config.json: MR421 is not the file" in refused(
        weights, models / "model_v1.2", 1
    )


@pytest.mark.parametrize(
    ("same_as", "said"),
    [
        ("model_v1.1", "MR424 `same_as` leads back to model_v1.1"),
        ("model_v1.2", "MR424 `same_as` leads back to model_v1.1"),
        ("model_v9.9", "MR424 `same_as` names model_v9.9, which is not here"),
        ("../model_v1.0", "MR424 `same_as: ../model_v1.0` names no version"),
        ("checkpoint", "MR424 `same_as: checkpoint` names no version"),
    ],
)
def test_same_as_leads_to_a_version(models: Path, checkpoint: Path, weights: Weights, same_as: str, said: str) -> None:
    write_papers(models / "model_v1.1", checkpoint, same_as=same_as)
    write_papers(models / "model_v1.2", checkpoint, same_as="model_v1.1")
    assert said in refused(weights, models / "model_v1.1", 2)


# file:// and fsspec


def test_weights_are_fetched_once_and_verified_always(
    models: Path, stored: Path, checkpoint: Path, weights: Weights
) -> None:
    folder = models / "model_v1.1"
    record = write_papers(folder, checkpoint, source=stored.as_uri())
    found = weights.of_version(folder, "models/model_v1.1")
    assert (found.version, found.digest) == ("model_v1.1", record.checkpoint.digest)
    assert weights.cache is not None
    assert found.folder == weights.cache / "checkpoints" / record.checkpoint.digest
    shutil.rmtree(stored)
    assert weights.of_version(folder, "models/model_v1.1") == found
    kept = found.folder / "model.safetensors"
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")  # the cache was changed, and the source is gone
    with pytest.raises(Unavailable, match=r"MR603 is not there: .*see that the address is right"):
        weights.of_version(folder, "models/model_v1.1")
    shutil.copytree(checkpoint, stored)
    assert weights.of_version(folder, "models/model_v1.1") == found
    assert kept.read_bytes() == (checkpoint / "model.safetensors").read_bytes()


SPOILT: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "a bit": (
        lambda stored: (stored / "model.safetensors").write_bytes(
            (stored / "model.safetensors").read_bytes()[:-1] + b"\x01"
        ),
        1,
        "stored/model.safetensors: MR427 has another sha256 (",
    ),
    "longer": (
        lambda stored: (stored / "config.json").write_bytes((stored / "config.json").read_bytes() + b" "),
        1,
        "stored/config.json: MR427 is longer than the ",
    ),
    "shorter": (lambda stored: (stored / "config.json").write_bytes(b"{"), 1, "config.json: MR427 ends "),
    "gone": (lambda stored: (stored / "config.json").unlink(), 3, "stored/config.json: MR603 is not there: "),
    "a pipe": (
        lambda stored: [(stored / "config.json").unlink(), os.mkfifo(stored / "config.json")],
        3,
        "stored/config.json: MR603 is not there: no regular file",
    ),
    "a device": (
        lambda stored: [(stored / "config.json").unlink(), (stored / "config.json").symlink_to("/dev/zero")],
        3,
        "stored/config.json: MR603 is not there: no regular file",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_not_what_was_recorded_is_not_kept(
    models: Path, stored: Path, checkpoint: Path, weights: Weights, case: str
) -> None:
    spoil, code, said = SPOILT[case]
    write_papers(models / "model_v1.1", checkpoint, source=stored.as_uri())
    spoil(stored)
    assert said in refused(weights, models / "model_v1.1", code)


def _grow(saved: dict[str, Any]) -> None:
    from modelrelease.records.checkpoints import files_digest
    from modelrelease.records.evaluation import CheckpointFile

    saved["files"][0]["size"] = 9_000_000_000_000
    saved["digest"] = files_digest([CheckpointFile(**file) for file in saved["files"]])


FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], int, str]] = {
    "a place outside": (
        lambda saved: saved["files"][0].update(path="../../x"),
        2,
        "MR421 lists '../../x', which is no place in a checkpoint",
    ),
    "an absolute place": (lambda saved: saved["files"][0].update(path="/etc/x"), 2, "MR421 lists '/etc/x'"),
    "a file twice": (lambda saved: saved["files"].append(saved["files"][0]), 2, "MR421 lists a file twice"),
    "another digest": (lambda saved: saved.update(digest="0" * 64), 2, "MR421 its `checkpoint.digest` is not that"),
    "more than the disk": (_grow, 3, "MR603 the weights take 9,000,000,"),
    "a branch": (lambda saved: saved.update(source="hf://acme/bot@main"), 2, "MR423 `source` names a branch or a tag"),
    "a password": (lambda saved: saved.update(source="https://a:b@c/d"), 2, "MR423 `source` holds a password"),
    "no address": (lambda saved: saved.update(source="stored"), 2, "MR423 `source` is no address"),
    "an unknown kind": (
        lambda saved: saved.update(source="quux://x"),
        3,
        "quux://x: MR603 could not be read: ValueError",
    ),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_model_json_reaches_nothing(
    models: Path, stored: Path, checkpoint: Path, weights: Weights, case: str
) -> None:
    forge, code, said = FORGED[case]
    folder = models / "model_v1.1"
    write_papers(folder, checkpoint, source=stored.as_uri())
    edit(folder, forge)
    assert said in refused(weights, folder, code)


def test_any_file_system_of_fsspec_will_do(models: Path, checkpoint: Path, weights: Weights) -> None:
    import fsspec

    system = fsspec.filesystem("memory")
    system.put(str(checkpoint), "/models/one", recursive=True)
    record = write_papers(models / "model_v1.1", checkpoint, source="memory://models/one")
    assert weights.of_version(models / "model_v1.1", "m").digest == record.checkpoint.digest
    write_papers(models / "model_v1.2", checkpoint, source="oci://bucket/x")
    with pytest.raises(Unavailable, match="MR602"):
        Weights(models / "cache").of_version(models / "model_v1.2", "m")


def test_without_a_cache_nothing_is_fetched(models: Path, stored: Path, checkpoint: Path) -> None:
    write_papers(models / "model_v1.1", checkpoint, source=stored.as_uri())
    assert "MR603 there is no folder to fetch weights into" in refused(Weights(None), models / "model_v1.1", 3)


def test_a_cache_that_cannot_be_written_is_said(models: Path, stored: Path, checkpoint: Path, tmp_path: Path) -> None:
    write_papers(models / "model_v1.1", checkpoint, source=stored.as_uri())
    (tmp_path / "file").write_text("")
    assert "MR603 weights cannot be kept there" in refused(Weights(tmp_path / "file"), models / "model_v1.1", 3)


PROGRAM = """
import sys
from pathlib import Path
from modelrelease.flows.weights import Weights
print(Weights(Path(sys.argv[1])).of_version(Path(sys.argv[2]), "m").digest)
"""


def start(weights: Weights, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(weights.cache), str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_killed_fetch_leaves_nothing_half_and_jobs_may_fetch_at_once(
    models: Path, stored: Path, checkpoint: Path, weights: Weights
) -> None:
    with (stored / "large.json").open("wb") as stream:
        stream.truncate(3 << 30)
    shutil.copytree(checkpoint, models / "large")
    digest = {"size": 3 << 30, "sha256": "0" * 64, "path": "large.json"}
    folder = models / "model_v1.1"
    write_papers(folder, checkpoint, source=stored.as_uri())

    def enlarge(saved: dict[str, Any]) -> None:
        from modelrelease.records.checkpoints import files_digest
        from modelrelease.records.evaluation import CheckpointFile

        saved["files"].append(digest)
        saved["digest"] = files_digest([CheckpointFile(**file) for file in saved["files"]])

    edit(folder, enlarge)
    assert weights.cache is not None
    home = weights.cache / "checkpoints"
    process = start(weights, folder)
    deadline = time.monotonic() + 60
    while not list(home.glob(".tmp-modelrelease-*/large.json")) and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert [path.name[:5] for path in home.iterdir() if path.suffix != ".lock"] == [".tmp-"]
    (stored / "large.json").unlink()
    record = write_papers(folder, checkpoint, source=stored.as_uri())
    both = [start(weights, folder) for _ in range(3)]
    assert [job.communicate()[0].strip() for job in both] == [record.checkpoint.digest] * 3
    assert [path.name for path in home.iterdir() if path.suffix != ".lock"] == [record.checkpoint.digest]


# The Hub


def test_a_version_on_the_hub_is_fetched_by_the_real_client(
    models: Path, checkpoint: Path, weights: Weights, hub: SmallHub
) -> None:
    record = write_papers(models / "model_v1.1", checkpoint, source=ADDRESS)
    found = at(hub, weights).of_version(models / "model_v1.1", "models/model_v1.1")
    assert (found.digest, found.version, found.source) == (
        record.checkpoint.digest,
        "model_v1.1",
        "models/model_v1.1",
    )
    assert {token for host, path, token in hub.seen if host == "127.0.0.1"} == {"Bearer hf_secret"}
    # What lies on another host is signed: the token stays with the Hub.
    assert {token for host, path, token in hub.seen if host == "localhost"} == {None}
    seen = len(hub.seen)
    assert at(hub, weights).of_version(models / "model_v1.1", "models/model_v1.1") == found
    assert len(hub.seen) == seen


@pytest.mark.parametrize(
    ("name", "lie", "said"),
    [
        ("config.json", b"{}", f"{ADDRESS}/config.json: MR427 ends"),
        ("config.json", b"x" * 100_000, f"{ADDRESS}/config.json: MR427 is longer than the"),
        ("/large/", b"x" * 10_000_000, "MR427 is longer than the"),
    ],
)
def test_a_hub_that_answers_something_else_is_not_believed(
    models: Path, checkpoint: Path, weights: Weights, hub: SmallHub, name: str, lie: bytes, said: str
) -> None:
    write_papers(models / "model_v1.1", checkpoint, source=ADDRESS)
    hub.lies[name] = lie
    assert said in refused(at(hub, weights), models / "model_v1.1", 1)


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "MR603 does not let us in"), (403, "MR603 does not let us in"), (404, "MR603 is not there")],
)
def test_a_hub_that_refuses_is_said(
    models: Path, checkpoint: Path, weights: Weights, hub: SmallHub, status: int, said: str
) -> None:
    write_papers(models / "model_v1.1", checkpoint, source=ADDRESS)
    hub.status = status
    found = refused(at(hub, weights), models / "model_v1.1", 3)
    assert said in found
    assert "hf_secret" not in found


def test_a_hub_that_is_forbidden_is_not_asked(models: Path, checkpoint: Path, weights: Weights, hub: SmallHub) -> None:
    write_papers(models / "model_v1.1", checkpoint, source=ADDRESS)
    offline = Weights(weights.cache, Hub(hub.endpoint, offline=True))
    assert "HF_HUB_OFFLINE: MR603 forbids the Hub" in refused(offline, models / "model_v1.1", 3)
    assert hub.seen == []


def test_without_the_extra_the_line_to_install_it_is_printed(
    models: Path, checkpoint: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_papers(models / "model_v1.1", checkpoint, source=ADDRESS)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert 'MR602 models on the Hub need huggingface_hub; pip install "modelrelease[hub]"' in refused(
        weights, models / "model_v1.1", 3
    )


def test_a_model_of_the_hub_is_a_checkpoint_without_what_does_not_belong_to_it(
    checkpoint: Path, weights: Weights, hub: SmallHub
) -> None:
    more = ("README.md", ".gitattributes", "pytorch_model.bin", "original/model.safetensors", "model.py", "eval.json")
    hub.files.update({name: f"{name}\n".encode() for name in more})
    named = at(hub, weights).of_hub("hf://acme/bot")
    assert (named.source, named.version) == (ADDRESS, None)
    assert named.digest == read_checkpoint(checkpoint, "m").digest
    seen = len(hub.seen)
    assert at(hub, weights).of_hub(ADDRESS) == named
    assert len(hub.seen) == seen  # a commit never changes, so nobody is asked
    assert at(hub, weights).of_hub("hf://acme/bot@main") == named
    assert len(hub.seen) > seen


def test_a_released_model_is_the_files_that_its_papers_list(
    checkpoint: Path, weights: Weights, hub: SmallHub, tmp_path: Path
) -> None:
    record = write_papers(tmp_path / "model_v1.0", checkpoint)
    hub.files[MODEL_FILE] = record.to_bytes()
    hub.files["notes.json"] = b"{}"  # no file of the checkpoint, whatever its name
    assert at(hub, weights).of_hub(ADDRESS).digest == record.checkpoint.digest
    hub.files["config.json"] += b" "
    with pytest.raises(Refused, match=r"config.json: MR427"):
        Weights(tmp_path / "other", Hub(hub.endpoint)).of_hub(ADDRESS)


@pytest.mark.parametrize(
    ("change", "address", "code", "said"),
    [
        (lambda hub: hub.files.pop("model.safetensors"), ADDRESS, 2, "MR401 holds no checkpoint that transformers"),
        (lambda hub: None, "hf://acme/other", 3, "MR603 does not let us in"),
        (lambda hub: None, "hf://acme/bot@v9", 3, "MR603 "),
        (lambda hub: None, "hf://acme", 2, "MR423 is no model on the Hub; write it as hf://org/name@revision"),
        (lambda hub: hub.lies.update({"config.json": b"{}"}), ADDRESS, 1, "MR427 is not the file that the Hub lists"),
        (lambda hub: hub.files.update({"model.json": b"{"}), ADDRESS, 2, "model.json:1:2: MR201 is not valid JSON"),
    ],
)
def test_what_is_no_model_on_the_hub(
    weights: Weights, hub: SmallHub, change: Callable[[SmallHub], object], address: str, code: int, said: str
) -> None:
    change(hub)
    with pytest.raises(ModelreleaseError) as caught:
        at(hub, weights).of_hub(address)
    assert (caught.value.exit_code, said in str(caught.value)) == (code, True), caught.value
