"""Looking through a checkpoint: what it is, and what is refused before anything is loaded."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelrelease.errors import InvalidInput, ModelreleaseError, Refused
from modelrelease.records.canonical import digest_of
from modelrelease.records.checkpoints import find_checkpoint, has_changed, read_checkpoint, tokenizer_class

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
        "MR405 is no sound safetensors file: its tensors take 8 bytes and the file has 7",
    ),
    "a link out of the folder": (
        _link_out,
        InvalidInput,
        "extra.json: MR401 is a link that leads out of the checkpoint",
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


TWICE = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
HEADERS = {
    "its header is longer than the file": (1 << 40).to_bytes(8, "little") + b"{}",
    "its header is not valid JSON": (2).to_bytes(8, "little") + b"{x",
    "its header is no JSON object": (2).to_bytes(8, "little") + b"[]",
    "a name stands twice": len(TWICE).to_bytes(8, "little") + TWICE + b"\0" * 4,
}


@pytest.mark.parametrize("problem", HEADERS)
def test_a_damaged_header_is_named(checkpoint: Path, problem: str) -> None:
    (checkpoint / "model.safetensors").write_bytes(HEADERS[problem])
    with pytest.raises(InvalidInput) as caught:
        read_checkpoint(checkpoint, "m")
    assert problem in str(caught.value)


def entry(dtype: object, shape: object, offsets: object, data: int = 8) -> bytes:
    text = json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * data


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (entry("F32", [2], [0, 4]), "does not have the bytes that its shape needs"),
        (entry("F32", [-2], [0, -8]), "does not have the bytes that its shape needs"),
        (entry("F32", [2.0], [0, 8]), "does not have the bytes that its shape needs"),
        (entry("F32", [True, 2], [0, 8]), "does not have the bytes that its shape needs"),
        (entry("F33", [2], [0, 8]), "has no valid type, shape and offsets"),
        (entry("F32", "ab", [0, 8]), "has no valid type, shape and offsets"),
        (entry("F32", [2], [0]), "has no valid type, shape and offsets"),
        (entry("F32", [1], [4, 8]), "does not start where the one before it ends"),
        (entry("F32", [1], [0, 4]), "its tensors take 4 bytes and the file has 8"),
    ],
)
def test_a_tensor_has_to_fit_its_bytes(checkpoint: Path, content: bytes, problem: str) -> None:
    (checkpoint / "model.safetensors").write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_checkpoint(checkpoint, "m")
    assert problem in str(caught.value)


def test_what_the_library_writes_is_sound(checkpoint: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    tensors = {"a": torch.ones(3, 2), "b": torch.zeros(5, dtype=torch.bfloat16), "c": torch.zeros(0)}
    save_file(tensors, checkpoint / "model.safetensors", metadata={"format": "pt"})
    assert len(read_checkpoint(checkpoint, "m").files) == 4


LEFTOVERS = [
    "training_args.bin", "trainer_state.json", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt",
    "rng_state.pth", "rng_state_0.pth", "rng_state_15.pth",
]  # fmt: skip


def test_what_a_trainer_leaves_beside_the_weights_is_no_part_of_them(checkpoint: Path) -> None:
    before = read_checkpoint(checkpoint, "m")
    for name in LEFTOVERS:
        (checkpoint / name).write_bytes(pickle.dumps({"step": 1}))
    after = read_checkpoint(checkpoint, "m")
    assert after.leftovers == tuple(sorted(LEFTOVERS))
    assert (after.digest, after.files) == (before.digest, before.files)


@pytest.mark.parametrize("name", ["sub/optimizer.pt", "my_optimizer.pt", "rng_state_x.pth", "Training_args.bin"])
def test_what_only_looks_like_it_is_part_of_the_digest(checkpoint: Path, name: str) -> None:
    before = read_checkpoint(checkpoint, "m")
    (checkpoint / name).parent.mkdir(exist_ok=True)
    (checkpoint / name).write_bytes(b"x")
    after = read_checkpoint(checkpoint, "m")
    assert after.leftovers == ()
    assert after.digest != before.digest


def test_leftovers_are_no_weights(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").rename(checkpoint / "optimizer.pt")
    with pytest.raises(InvalidInput, match="MR401 has no weights"):
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


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": _write("config.json", b'{"model_type": "gpt2"}'),
    "written with the same bytes": _write("tokenizer.json", b"{}"),
    "added": _write("vocab.json", b"{}"),
    "removed": _remove("tokenizer_config.json"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_after_reading_is_seen(checkpoint: Path, name: str) -> None:
    found = read_checkpoint(checkpoint, "m")
    assert not has_changed(found)
    time.sleep(0.02)  # file systems count time in steps
    CHANGES[name](checkpoint)
    assert has_changed(found)


def test_another_file_of_the_same_size_and_time_is_seen(checkpoint: Path) -> None:
    found = read_checkpoint(checkpoint, "m")
    weights_file = checkpoint / "model.safetensors"
    times = weights_file.stat()
    time.sleep(0.02)
    weights_file.write_bytes(weights_file.read_bytes()[:-1] + b"x")
    os.utime(weights_file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert has_changed(found)
