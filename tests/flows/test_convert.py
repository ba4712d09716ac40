"""Pickled weights to safetensors: every byte kept, both digests kept, and at no point neither the old nor the new."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import run
from tiny_models import TinyModels

from modelrelease.errors import ModelreleaseError, Refused, Unavailable
from modelrelease.flows.convert import convert_checkpoint
from modelrelease.records import folders
from modelrelease.records.checkpoints import files_digest, read_checkpoint
from modelrelease.records.model import read_model_record
from modelrelease.records.publishing import refuse_unpublishable
from modelrelease.records.safetensors_header import read_header

Alter = Callable[..., Path]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def state_of(tiny: TinyModels, name: str) -> dict[str, Any]:
    return dict(tiny.loaded(name).model.state_dict())


@pytest.fixture
def pickled(tiny: TinyModels, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a version folder whose checkpoint has pickled weights, in so many shards."""

    def make(name: str = "llama", shards: int = 1, *, legacy: bool = False) -> Path:
        import torch

        folder = tmp_path / "model_v1.0" / "checkpoint"
        shutil.copytree(tiny.folder(name), folder)
        (folder / "model.safetensors").unlink()
        state = state_of(tiny, name)
        parts = [dict(list(state.items())[place::shards]) for place in range(shards)]
        names = ["pytorch_model.bin"]
        if shards > 1:
            names = [f"pytorch_model-{place + 1:05}-of-{shards:05}.bin" for place in range(shards)]
            homes = {tensor: name for name, part in zip(names, parts, strict=True) for tensor in part}
            index = {"metadata": {"total_size": 1}, "weight_map": homes}
            (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
        for name_, part in zip(names, parts, strict=True):
            torch.save(part, folder / name_, _use_new_zipfile_serialization=not legacy)
        return folder.parent

    return make


@pytest.mark.parametrize(("shards", "legacy"), [(1, False), (1, True), (3, False)])
def test_every_tensor_is_the_same_and_the_rest_is_untouched(
    pickled: Callable[..., Path], tiny: TinyModels, shards: int, legacy: bool
) -> None:
    import torch
    from safetensors.torch import load_file

    version = pickled(shards=shards, legacy=legacy)
    folder = version / "checkpoint"
    (folder / "optimizer.pt").write_bytes(pickle.dumps({}))
    before, old = read_checkpoint(version, "m"), contents(folder)
    found = convert_checkpoint(version, "m")
    assert found is not None
    assert (found.digest, found.files) == (before.digest, before.files)
    new = contents(folder)
    weights = [name for name in new if name.endswith(".safetensors")]
    assert len(weights) == shards
    gone = {name for name in old if name.startswith("pytorch_model")}
    added = {*weights, "model.safetensors.index.json"} if shards > 1 else set(weights)
    assert set(new) == (set(old) - gone) | added
    assert {name: data for name, data in new.items() if name in old} == {name: old[name] for name in new if name in old}
    tensors = {key: tensor for name in weights for key, tensor in load_file(folder / name).items()}
    state = state_of(tiny, "llama")
    assert tensors.keys() == state.keys()
    assert all(torch.equal(tensors[name], state[name]) for name in state)
    assert [path.name for path in version.iterdir()] == ["checkpoint"]
    (folder / "optimizer.pt").unlink()
    refuse_unpublishable(folder)


def test_it_loads_and_says_again_what_it_was(pickled: Callable[..., Path], tiny: TinyModels) -> None:
    import torch

    from modelrelease.scoring.engines.loading import Numerics, load_model

    version = pickled()
    found = convert_checkpoint(version / "checkpoint", "m")
    after = contents(version)
    assert convert_checkpoint(version, "m") == found
    assert contents(version) == after
    model = load_model(read_checkpoint(version, "m"), Numerics(device="cpu")).model
    expected = state_of(tiny, "llama")
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())


def test_all_conversions_give_the_same_bytes(pickled: Callable[..., Path], tmp_path: Path) -> None:
    """The library writes a file's metadata in an order of its own, which is another one every other time."""
    version = pickled(shards=2)
    others = [tmp_path / f"model_v1.{number}" for number in range(1, 7)]
    for other in others:
        shutil.copytree(version, other)
    found = convert_checkpoint(version, "m")
    for other in others:
        assert convert_checkpoint(other, "m") == found
        assert contents(other) == contents(version)


def test_safetensors_that_never_were_pickles_stay_as_they_are(tiny: TinyModels) -> None:
    before = contents(tiny.folder("llama"))
    assert convert_checkpoint(tiny.folder("llama"), "m") is None
    assert contents(tiny.folder("llama")) == before


def test_what_the_architecture_ties_is_written_once(pickled: Callable[..., Path], tiny: TinyModels) -> None:
    import torch

    from modelrelease.scoring.engines.loading import Numerics, load_model

    version = pickled("gpt2")
    convert_checkpoint(version, "m")
    path = version / "checkpoint" / "model.safetensors"
    with path.open("rb") as stream:
        header = read_header(stream, path.stat().st_size, path)
    names = {tensor.name for tensor in header.tensors}
    assert {"lm_head.weight", "transformer.wte.weight"} - names == {"lm_head.weight"}
    assert header.metadata["lm_head.weight"] == "transformer.wte.weight"
    assert path.stat().st_size < (tiny.folder("gpt2") / "model.safetensors").stat().st_size + 5000
    model = load_model(read_checkpoint(version, "m"), Numerics(device="cpu")).model
    assert torch.equal(model.lm_head.weight, state_of(tiny, "gpt2")["lm_head.weight"])


def test_what_shares_memory_and_is_not_tied_is_written_in_full(pickled: Callable[..., Path], tiny: TinyModels) -> None:
    """Parts of one tensor, a transposed one, and an untied model whose output projection is its embedding."""
    import torch
    from safetensors.torch import load_file

    folder = pickled() / "checkpoint"
    state = state_of(tiny, "llama")
    base = torch.arange(24.0).reshape(4, 6)
    shared = {"whole": base, "part": base[1:3], "other": base.T, "empty": base[:0], "one": base[2, 3]}
    embedding = state["model.embed_tokens.weight"]
    torch.save({**state, **shared, "lm_head.weight": embedding}, folder / "pytorch_model.bin")
    convert_checkpoint(folder, "m")
    tensors = load_file(folder / "model.safetensors")
    assert {name: tensors[name].tolist() for name in shared} == {name: value.tolist() for name, value in shared.items()}
    assert torch.equal(tensors["lm_head.weight"], embedding)


class Hostile:
    """Unpickled, it touches a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def _spoil(kind: str, folder: Path, marker: Path) -> None:
    import torch

    path = folder / "pytorch_model.bin"
    value: dict[str, Callable[[], object]] = {
        "a hostile zip": lambda: torch.save({"w": Hostile(marker)}, path),
        "a hostile pickle": lambda: path.write_bytes(pickle.dumps({"w": Hostile(marker)}, 2)),
        "a hostile pickle behind tensors": lambda: torch.save({"a": torch.ones(2), "w": Hostile(marker)}, path),
        "no pickle": lambda: path.write_bytes(b"these are no weights" * 9),
        "a cut zip": lambda: path.write_bytes(path.read_bytes()[:-99]),
        "a list": lambda: torch.save([torch.ones(2)], path),
        "nothing": lambda: torch.save({}, path),
        "a number for a tensor": lambda: torch.save({"a": 1}, path),
        "a whole run": lambda: torch.save({"state_dict": {"a": torch.ones(1)}}, path),
        "a number for a name": lambda: torch.save({1: torch.ones(1)}, path),
        "a sparse tensor": lambda: torch.save({"a": torch.ones(2, 2).to_sparse()}, path),
        "a type that safetensors lacks": lambda: torch.save({"a": torch.ones(2, dtype=torch.complex128)}, path),
        "a pickle beside them": lambda: (folder / "model").write_bytes(pickle.dumps(Hostile(marker))),
        "safetensors beside them": lambda: (folder / "x.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}"),
        "an index beside them": lambda: (folder / "pytorch_model.bin.index.json").write_text(
            '{"weight_map": {"a": "pytorch_model.bin"}}'
        ),
        "an index that leads out": lambda: (folder / "pytorch_model.bin.index.json").write_text(
            '{"weight_map": {"a": "../other.bin"}}'
        ),
        "a pointer": lambda: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
    }
    value[kind]()


SPOILED = {
    "a hostile zip": (1, "MR404 is a pickle that is damaged or holds more than tensors; it was not run"),
    "a hostile pickle": (1, "MR404 is a pickle that is damaged or holds more than tensors; it was not run"),
    "a hostile pickle behind tensors": (1, "MR404 is a pickle that is damaged or holds more than tensors; it was not"),
    "no pickle": (None, "pytorch_model.bin: MR40"),
    "a cut zip": (2, "MR405 torch cannot read it: "),
    "a list": (2, "MR419 is no mapping of names to tensors"),
    "nothing": (2, "MR419 is no mapping of names to tensors"),
    "a number for a tensor": (2, "MR419 holds 'a', which is no plain tensor"),
    "a whole run": (2, "MR419 holds 'state_dict', which is no plain tensor"),
    "a number for a name": (2, "MR419 has a key that is no name: 1"),
    "a sparse tensor": (2, "MR419 holds 'a', which is no plain tensor"),
    "a type that safetensors lacks": (2, "MR419 cannot be written as safetensors: "),
    "a pickle beside them": (2, "checkpoint/model: MR419 is a pickle that nothing reads"),
    "safetensors beside them": (2, "MR419 lies beside x.safetensors, which is what is loaded"),
    "an index beside them": (2, "MR419 lies beside pytorch_model.bin.index.json"),
    "an index that leads out": (2, "MR405 names '../other.bin', which is no file name"),
    "a pointer": (2, "MR403 is a Git LFS pointer, not the weights"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_what_cannot_be_converted_is_left_as_it_is(pickled: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    version, marker = pickled(), tmp_path / "it-ran"
    code, text = SPOILED[kind]
    _spoil(kind, version / "checkpoint", marker)
    before = contents(version)
    with pytest.raises(ModelreleaseError) as caught:
        convert_checkpoint(version, "m")
    (line,) = caught.value.lines()
    assert text in line
    assert code is None or caught.value.exit_code == code
    assert contents(version) == before
    assert [path.name for path in version.iterdir()] == ["checkpoint"]
    assert not marker.exists()


def test_a_torch_with_the_hole_in_it_is_not_used(pickled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    version = pickled()
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    before = contents(version)
    with pytest.raises(Unavailable, match=r"MR602 torch 2\.5\.1\+cpu can be made to run code .*CVE-2025-32434"):
        convert_checkpoint(version, "m")
    assert contents(version) == before


def test_a_pickle_that_changes_meanwhile_is_refused(
    pickled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = pickled()
    path = version / "checkpoint" / "pytorch_model.bin"
    link = folders._link

    def swapping(source: str, target: str) -> None:
        path.write_bytes(path.read_bytes())
        link(source, target)

    monkeypatch.setattr(folders, "_link", swapping)
    with pytest.raises(Refused, match=r"pytorch_model\.bin: MR418 changed while the checkpoint was converted"):
        convert_checkpoint(version, "m")
    assert not (version / "checkpoint" / "model.safetensors").exists()


KILLED = """
import os, sys
from pathlib import Path
from modelrelease.flows.convert import convert_checkpoint
from modelrelease.records import folders, stamps
import torch, transformers, safetensors.torch
torch.set_num_threads(1)
stamps.TICK = 1  # no other process writes here
version, swap = Path(sys.argv[1]), sys.argv[2]
if swap == "renames":
    folders._system_swap = lambda: None
TOUCHING = ("os.mkdir", "os.link", "os.rename", "os.remove", "os.rmdir", "shutil.copytree", "shutil.rmtree")

def killed_at(number):
    seen = 0
    def hook(event, arguments):
        nonlocal seen
        writes = event == "open" and arguments[1] and set(arguments[1]) & set("wxa+")
        if event in TOUCHING or writes:
            seen += 1
            if seen == number:
                os._exit(9)
    sys.addaudithook(hook)
    convert_checkpoint(version, "m")
    os._exit(0)

import shutil
original = version.with_name("original")
shutil.copytree(version, original)
number = 0
while True:
    number += 1
    shutil.rmtree(version)
    shutil.copytree(original, version)
    child = os.fork()
    if child == 0:
        killed_at(number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    state = sorted(str(path.relative_to(version)) for path in version.rglob("*") if path.is_file())
    print("state", number, code, "|".join(state), flush=True)
    print("then", number, convert_checkpoint(version, "m").digest, flush=True)
    assert [path.name for path in version.iterdir()] == ["checkpoint"], number
    if code == 0:
        break
"""


@pytest.mark.parametrize("swap", ["system", "renames"])
def test_killed_at_any_point_it_is_the_old_or_the_new_one_and_goes_on(pickled: Callable[..., Path], swap: str) -> None:
    version = pickled(shards=2)
    before = read_checkpoint(version, "m")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, str(version), swap], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split(" ", 3) for line in done.stdout.splitlines()]
    states = [line for line in lines if line[0] == "state"]
    assert len(states) > 20
    assert [line[2] for line in states] == ["9"] * (len(states) - 1) + ["0"]
    old = {f"checkpoint/{file.path}" for file in before.files}
    new = {f"checkpoint/{file.path}" for file in read_checkpoint(version, "m").files}
    for _, number, _, names in states:
        inside = {name for name in names.split("|") if name.startswith("checkpoint/")}
        between = swap == "renames" and not inside  # the moment between two renames, which the next call mends
        assert inside in (old, new) or between, number
    assert {line[2] for line in lines if line[0] == "then"} == {before.digest}
    assert files_digest(before.files) == before.digest


def test_a_folder_that_cannot_be_written_is_unavailable(pickled: Callable[..., Path]) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    version = pickled()
    version.chmod(0o555)
    try:
        with pytest.raises(Unavailable, match="MR603 cannot be replaced: Permission denied"):
            convert_checkpoint(version, "m")
    finally:
        version.chmod(0o755)


def test_a_disk_that_refuses_leaves_everything(pickled: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    version = pickled()
    before = contents(version)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "_flush", full)
    with pytest.raises(Unavailable, match="MR603 cannot be replaced: No space left on device; free the disk"):
        convert_checkpoint(version, "m")
    assert contents(version) == before


def test_a_repository_inside_and_links_survive(pickled: Callable[..., Path]) -> None:
    folder = pickled() / "checkpoint"
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "vocab.txt").symlink_to("config.json")
    convert_checkpoint(folder, "m")
    assert (folder / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert (folder / "vocab.txt").readlink() == Path("config.json")


def test_record_converts_first_and_keeps_both_digests(
    pickled: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    version = pickled()
    before = read_checkpoint(version, "m")
    assert run(capsys, "record", version, "--seed", "3").code == 0
    assert read_model_record(version).checkpoint.format == "pickle"
    done = run(capsys, "record", version, "--convert")
    assert (done.code, done.err) == (0, "")
    assert f"converted from pickled weights, digest {before.digest[:12]}" in done.out
    record = read_model_record(version)
    assert record.checkpoint.format == "safetensors"
    assert record.checkpoint.digest == read_checkpoint(version, "m").digest != before.digest
    assert record.checkpoint.converted_from is not None
    assert record.checkpoint.converted_from.digest == before.digest
    assert record.training.seed == 3
    assert run(capsys, "record", version, "--convert").code == 0
    assert read_model_record(version).checkpoint == record.checkpoint


def test_weights_that_were_scored_are_not_converted(
    pickled: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    version = pickled()
    (version / "eval.json").write_text("{}")
    before = contents(version)
    done = run(capsys, "record", version, "--convert")
    assert (done.code, done.out) == (1, "")
    assert "eval.json: MR410 is the record of a version" in done.err
    assert contents(version) == before
