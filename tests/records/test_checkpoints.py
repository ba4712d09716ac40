"""Looking through a checkpoint: what it is, and what is refused before anything is loaded."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrelease.errors import InvalidInput, ModelreleaseError, Refused
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import (
    find_checkpoint,
    is_training_state,
    read_checkpoint,
    refuse_changed,
    tokenizer_class,
)

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"


def weights(*tensors: tuple[str, int], metadata: dict[str, str] | None = None) -> bytes:
    """Return a safetensors file of float32 vectors: names and lengths."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, length in tensors:
        header[name] = {"dtype": "F32", "shape": [length], "data_offsets": [end, end + 4 * length]}
        end += 4 * length
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * end


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "model_v1.0" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    (folder / "model.safetensors").write_bytes(weights(("a", 2), ("b", 3)))
    return folder


def test_a_version_folder_and_its_checkpoint_are_the_same_checkpoint(checkpoint: Path) -> None:
    version = read_checkpoint(checkpoint.parent, "models/model_v1.0")
    plain = read_checkpoint(checkpoint, "checkpoint")
    assert version.digest == plain.digest
    assert (version.version, plain.version) == ("model_v1.0", None)
    assert version.source == "models/model_v1.0"


def test_the_digest_is_of_paths_sizes_and_contents(checkpoint: Path) -> None:
    found = read_checkpoint(checkpoint, "m")
    expected = [
        {
            "path": path.name,
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(checkpoint.iterdir())
    ]
    assert found.digest == digest_of(expected)
    assert found.tokenizer_digest == digest_of([entry for entry in expected if "tokenizer" in str(entry["path"])])


def test_the_card_is_no_part_of_the_digest_and_the_tokenizer_is(checkpoint: Path) -> None:
    before = read_checkpoint(checkpoint, "m")
    (checkpoint / "README.md").write_text("# card")
    assert read_checkpoint(checkpoint, "m").digest == before.digest
    (checkpoint / "tokenizer.json").write_text("{ }")
    after = read_checkpoint(checkpoint, "m")
    assert after.digest != before.digest
    assert after.tokenizer_digest != before.tokenizer_digest


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"chat_template.jinja": "x"}, hashlib.sha256(b"x").hexdigest()),
        ({}, digest_of("{{ messages }}")),
        ({"tokenizer_config.json": "{}"}, None),
    ],
)
def test_the_chat_template_has_a_digest_wherever_it_stands(
    checkpoint: Path, files: dict[str, str], expected: str | None
) -> None:
    for name, text in files.items():
        (checkpoint / name).write_text(text)
    assert read_checkpoint(checkpoint, "m").chat_template_digest == expected


def _remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def _without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


def _link_out(folder: Path) -> None:
    (folder / "extra.json").symlink_to("/etc/hostname")


SPOILED: dict[str, tuple[Callable[[Path], object], type[ModelreleaseError], str]] = {
    "no config": (
        _remove("config.json"),
        InvalidInput,
        "m: MR401 holds neither config.json nor checkpoint/config.json",
    ),
    "no tokenizer": (_without_tokenizer, InvalidInput, "m: MR402 has no tokenizer (no tokenizer.json or the like)"),
    "no weights": (_remove("model.safetensors"), InvalidInput, "m: MR401 has no weights; add model.safetensors"),
    "an LFS pointer": (
        _write("model.safetensors", POINTER),
        InvalidInput,
        "model.safetensors: MR403 is a Git LFS pointer, not the weights; run `git lfs pull`",
    ),
    "an LFS pointer for a pickle": (_write("pytorch_model.bin", POINTER), InvalidInput, "MR403 is a Git LFS pointer"),
    "a pickle under a safetensors name": (
        _write("model.safetensors", pickle.dumps({"a": 1})),
        Refused,
        "model.safetensors: MR404 is a pickle under a safetensors name",
    ),
    "a zip under a safetensors name": (
        _write("model.safetensors", b"PK\x03\x04xxxxxxxx"),
        Refused,
        "MR404 is a pickle",
    ),
    "a truncated file": (
        _write("model.safetensors", weights(("a", 2))[:-1]),
        InvalidInput,
        "MR405 is no sound safetensors file: it is truncated: its tensors take 8 bytes and the file has 7",
    ),
    "a link out of the folder": (
        _link_out,
        InvalidInput,
        "extra.json: MR401 is a link that leads out of the checkpoint",
    ),
    "a link to a folder": (
        lambda folder: (folder / "more").symlink_to(folder.parent, target_is_directory=True),
        InvalidInput,
        "more: MR401 is a link to a folder; put the folder itself there",
    ),
    "a shard that is missing": (
        _write("model.safetensors.index.json", b'{"weight_map": {"a": "../model.safetensors"}}'),
        InvalidInput,
        "model.safetensors.index.json: MR405 names '../model.safetensors', which is no file name",
    ),
    "a config that is no JSON": (_write("tokenizer_config.json", b"{"), InvalidInput, "tokenizer_config.json: MR201"),
    "a chat template that is no text": (
        _write("tokenizer_config.json", b'{"chat_template": "\\ud800"}'),
        InvalidInput,
        "tokenizer_config.json: MR201 its chat template holds half of a surrogate pair; save the tokenizer again",
    ),
    "a config that is no object": (_write("tokenizer_config.json", b"[]"), InvalidInput, "MR208 is no JSON object"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_checkpoint_is_refused(checkpoint: Path, case: str) -> None:
    spoil, error, text = SPOILED[case]
    spoil(checkpoint)
    with pytest.raises(error) as caught:
        read_checkpoint(checkpoint, "m")
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: None, "m: MR401 is no folder; name a version folder or a checkpoint folder"),
        (lambda path: path.write_text(""), "m: MR401 is no folder"),
        (lambda path: path.mkdir(), "m: MR401 holds neither config.json nor checkpoint/config.json"),
    ],
)
def test_what_is_no_checkpoint_says_so(tmp_path: Path, make: Callable[[Path], object], text: str) -> None:
    make(tmp_path / "model")
    with pytest.raises(InvalidInput) as caught:
        find_checkpoint(tmp_path / "model", "m")
    assert text in str(caught.value)


def test_a_snapshot_of_the_hub_cache_is_a_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    """The Hub client keeps a snapshot's files as links into blobs/ beside it."""
    blobs, snapshot = tmp_path / "cache" / "blobs", tmp_path / "cache" / "snapshots" / "abc"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in checkpoint.iterdir():
        (blobs / path.name).write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(blobs / path.name)
    assert read_checkpoint(snapshot, "m").digest == read_checkpoint(checkpoint, "m").digest


STATE = ["training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth", "rng_state_0.pth", "trainer_state.json"]


@pytest.mark.parametrize("name", [*STATE, "global_step20/zero_pp_rank_0_mp_rank_00_optim_states.pt", "latest"])
def test_what_a_trainer_leaves_is_no_part_of_a_checkpoint(checkpoint: Path, name: str) -> None:
    before = read_checkpoint(checkpoint, "m")
    (checkpoint / name).parent.mkdir(exist_ok=True)
    (checkpoint / name).write_bytes(pickle.dumps({"lr": 0.1}))
    after = read_checkpoint(checkpoint, "m")
    assert is_training_state(name)
    assert (after.digest, after.files, after.tensors) == (before.digest, before.files, before.tensors)
    assert (before.leftovers, after.leftovers) == ((), (name,))


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin",
        "model.safetensors",
        "optimizer.safetensors",
        "config.json",
        "my_optimizer.pt",
        "a/latest.txt",
    ],
)
def test_all_else_is(name: str) -> None:
    assert not is_training_state(name)


def test_weights_cannot_hide_as_what_a_trainer_leaves(checkpoint: Path) -> None:
    """transformers would load whatever file the index names, and no digest would cover it."""
    (checkpoint / "optimizer.pt").write_bytes(b"")
    (checkpoint / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "optimizer.pt"}}')
    with pytest.raises(InvalidInput, match=r"MR405 names 'optimizer.pt', which the checkpoint does not hold"):
        read_checkpoint(checkpoint, "m")


Swap = Callable[[Path], object]


def _rewrite_in_place(path: Path) -> None:
    """Another byte, and the old time of modification put back."""
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x01")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _rename_over(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def _there_and_back(path: Path) -> None:
    """Another file stands there for a moment, in which it may be loaded."""
    path.rename(path.with_name("aside"))
    path.write_bytes(b"other")
    path.unlink()
    path.with_name("aside").rename(path)


SWAPS: dict[str, tuple[str, Swap]] = {
    "one byte, and the old time": ("model.safetensors", _rewrite_in_place),
    "a copy renamed over it": ("config.json", _rename_over),
    "another one for a moment": ("model.safetensors", _there_and_back),
    "gone": ("tokenizer.json", Path.unlink),
    "new": ("chat_template.jinja", lambda path: path.write_text("{{ 'x' }}")),
}


@pytest.mark.parametrize("name", SWAPS)
def test_a_file_that_changes_between_digest_and_use_is_refused(checkpoint: Path, name: str) -> None:
    path, swap = SWAPS[name]
    found = read_checkpoint(checkpoint, "m")
    refuse_changed(found)
    (checkpoint / "README.md").write_text("# the card may change")
    (checkpoint / "trainer_state.json").write_text("{}")
    refuse_changed(found)
    swap(checkpoint / path)
    with pytest.raises(Refused) as caught:
        refuse_changed(found)
    assert caught.value.lines() == [
        f"{checkpoint}/{path}: MR418 changed while the checkpoint was in use, so its digest is not that of what was "
        "loaded; leave the checkpoint alone while it is read, and start again"
    ]


def test_a_link_that_is_turned_for_a_moment_is_noticed(checkpoint: Path) -> None:
    link = checkpoint / "merges.txt"
    link.symlink_to("tokenizer.json")
    found = read_checkpoint(checkpoint, "m")
    for target in ("config.json", "tokenizer.json"):
        link.unlink()
        link.symlink_to(target)
    with pytest.raises(Refused, match=r"merges\.txt: MR418 changed"):
        refuse_changed(found)


def test_a_file_that_is_written_all_the_time_is_never_hashed(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: (checkpoint / "config.json").touch())
    with pytest.raises(Refused, match="MR418 is still being written; wait until it is complete"):
        read_checkpoint(checkpoint, "m")


def test_a_tokenizer_is_asked_for_only_where_one_is_needed(checkpoint: Path) -> None:
    _without_tokenizer(checkpoint)
    found = read_checkpoint(checkpoint, "m", tokenizer=False)
    assert not found.has_tokenizer
    assert found.tokenizer_digest == digest_of([])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('{"tokenizer_class": "LlamaTokenizer"}', "LlamaTokenizer"),
        ('{"tokenizer_class": "os.system"}', None),
        ('{"tokenizer_class": 3}', None),
        ("{}", None),
    ],
)
def test_the_tokenizer_s_class_is_a_name_and_nothing_else(checkpoint: Path, config: str, expected: str | None) -> None:
    (checkpoint / "tokenizer_config.json").write_text(config)
    assert tokenizer_class(checkpoint) == expected
