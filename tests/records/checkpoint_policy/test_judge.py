"""The checkpoint policy on whole folders: what may be loaded, what may be published, and a finding for all else."""

from __future__ import annotations

import gzip
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

from modelrelease.errors import InvalidInput, Refused
from modelrelease.records.checkpoint_policy.files import Content, content_of_bytes
from modelrelease.records.checkpoint_policy.judge import Level, judge, refuse

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("/nonexistent/it-ran"),)


EVIL = pickle.dumps({"w": Hostile()})


def weights(*names: str) -> bytes:
    header = {
        name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * place, 4 * place + 4]}
        for place, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(4 * len(names))


def index(**shards: str) -> bytes:
    return json.dumps({"metadata": {}, "weight_map": shards}).encode()


def gguf(version: int = 3, tensors: int = 1, name: int = 1) -> bytes:
    text = struct.pack("<Q", 20) + b"general.architecture" + struct.pack("<IQ", 8, 5) + b"llama"
    values = struct.pack("<Q", 1) + b"l" + struct.pack("<IIQ", 9, 4, 2) + bytes(8)
    info = struct.pack("<Q", name) + b"w" + struct.pack("<IQIQ", 1, 4, 0, 0)
    return b"GGUF" + struct.pack("<IQQ", version, tensors, 2) + text + values + info + bytes(32)


SPIECE = b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02" * 3 + b"\x12\x02\x18\x01"
GOOD: dict[str, bytes] = {
    "config.json": b'{"model_type": "llama", "trust_remote_code": false, "auto_map": {}}',
    "generation_config.json": b"{}",
    "tokenizer_config.json": b'{"chat_template": "{{ messages }}", "extra": [{"trust_remote_code": null}]}',
    "tokenizer.json": b'{"model": {"vocab": {"auto_map": 1, "trust_remote_code": 2}}}',
    "vocab.json": b'{"auto_map": 7, "trust_remote_code": 8}',
    "special_tokens_map.json": b"{}",
    "tokenizer.model": SPIECE,
    "qwen.tiktoken": b"IQ== 0\nIg== 1\n",
    "merges.txt": "#version: 0.2\nĠ a\n".encode(),
    "chat_template.jinja": b"{{ messages }}",
    "additional_chat_templates/rag.jinja": b"{{ documents }}",
    "model.safetensors": weights("a", "b"),
    "README.md": b"# Card\n",
    "LICENSE": b"Apache\n",
    "model.json": b"{}",
    "eval.json": b"{}",
    "samples.jsonl": b"{}\n",
    "changelog.md": b"- new\n",
    "prompts/qa.prompt.yml": b"messages: []\n",
    "prompts/nested/a.txt": b"Say: {{x}}\n",
    ".gitattributes": b"*.safetensors filter=lfs\n",
}


def files(changes: dict[str, bytes | None]) -> list[Content]:
    contents = {**GOOD, **changes}
    return [content_of_bytes(data, path) for path, data in contents.items() if data is not None]


def said(changes: dict[str, bytes | None], level: Level = "publishable") -> list[str]:
    return [str(finding).partition(";")[0] for finding in judge(files(changes), level).findings]


SHARDED: dict[str, bytes | None] = {
    "model.safetensors": None,
    "model-1.safetensors": weights("a", "b"),
    "model-2.safetensors": weights("c"),
    "model.safetensors.index.json": index(a="model-1.safetensors", b="model-1.safetensors", c="model-2.safetensors"),
}


@pytest.mark.parametrize("level", ["loadable", "publishable"])
@pytest.mark.parametrize("changes", [{}, SHARDED], ids=["one file", "shards"])
def test_nothing_is_said_of_what_is_fine(changes: dict[str, bytes | None], level: Level) -> None:
    judged = judge(files(changes), level)
    assert judged.findings == ()
    assert sum(len(header.tensors) for header in judged.headers.values()) == (3 if changes else 2)
    refuse(judged.findings)


CODE = "asks for code that is not transformers' own"
PROGRAM = "is a program"
NO_LIST = "is on no list of what a version publishes (weights, configuration, tokenizer, card, licence, records)"
STATE = "is what training goes on from, and no part of a checkpoint"
PICKLE = "is a pickle, which can run code when it is read"
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "a pickle as .bin": ("pytorch_model.bin", EVIL, f"MR404 {PICKLE}"),
    "a pickle as .pt": ("weights.pt", EVIL, f"MR404 {PICKLE}"),
    "a pickle without an ending": ("model", EVIL, f"MR404 {PICKLE}"),
    "a pickle as a licence": ("LICENSE", EVIL, f"MR404 {PICKLE}"),
    "a pickle as configuration": ("config.json", EVIL, f"MR404 {PICKLE}"),
    "a pickle as a vocabulary": ("tokenizer.model", EVIL, f"MR404 {PICKLE}"),
    "a pickle as safetensors": ("model.safetensors", EVIL, "MR404 is a pickle under a safetensors name"),
    "a zip as safetensors": ("model.safetensors", b"PK\x03\x04" + EVIL, "MR404 is a pickle under a safetensors name"),
    "a compressed pickle": ("weights.gz", gzip.compress(EVIL), "MR404 is a compressed pickle, which can run code"),
    "a pickle among prompts": ("prompts/a.txt", EVIL, f"MR404 {PICKLE}"),
    "7z": ("weights.7z", b"7z\xbc\xaf'\x1c" + bytes(40), f"MR416 {NO_LIST}"),
    "zstd": ("weights.zst", b"\x28\xb5\x2f\xfd" + bytes(40), f"MR416 {NO_LIST}"),
    "code beside the weights": ("modeling_mine.py", b"x = 1\n", f"MR406 {PROGRAM}"),
    "code in a folder": ("custom_generate/generate.py", b"", f"MR406 {PROGRAM}"),
    "a library": ("kernels/x.so", b"\x7fELF\x02", f"MR406 {PROGRAM}"),
    "a library under a text's name": ("vocab.txt", b"\x7fELF\x02", f"MR406 {PROGRAM}"),
    "a script under a text's name": ("merges.txt", b"#!/bin/sh\n", f"MR406 {PROGRAM}"),
    "a class map": ("config.json", b'{\n "auto_map": {"AutoModel": "m.M"}}', f":2: MR406 `auto_map` {CODE}"),
    "a class map of another repository": ("config.json", b'{"auto_map": "a/b--m.M"}', f":1: MR406 `auto_map` {CODE}"),
    "a nested class map": (
        "tokenizer_config.json",
        b'{"a": [{}, {"b": {"auto_map": {"AutoTokenizer": ["t.T", null]}}}]}',
        f":1: MR406 `a[1].b.auto_map` {CODE}",
    ),
    "remote code": ("generation_config.json", b'{"a": {"trust_remote_code": true}}', f"`a.trust_remote_code` {CODE}"),
    "remote code as text": ("config.json", b'{"trust_remote_code": "yes"}', f"`trust_remote_code` {CODE}"),
    "remote code as a number": ("config.json", b'{"trust_remote_code": 0}', f"`trust_remote_code` {CODE}"),
    "pipelines": ("config.json", b'{"custom_pipelines": {"x": {"impl": "p.P"}}}', f"`custom_pipelines` {CODE}"),
    "kernels of the Hub": ("config.json", b'{"_attn_implementation": "org/kernel"}', f"`_attn_implementation` {CODE}"),
    "an adapter's weights": ("adapter_model.safetensors", weights("a"), "is read by nobody: without an index"),
    "an adapter": ("adapter_config.json", b"{}", "MR416 belongs to an adapter"),
    "GGUF": ("model.gguf", gguf(), "MR416 is a GGUF file"),
    "other JSON": ("notes.json", b"{}", f"MR416 {NO_LIST}"),
    "JSON in a folder": ("other/config.json", b"{}", f"MR416 {NO_LIST}"),
    "weights in a folder": ("fp16/model.safetensors", weights("a"), f"MR416 {NO_LIST}"),
    "a way out": ("prompts/../../config.yml", b"{}", f"MR416 {NO_LIST}"),
    "weights that nobody reads": ("other.safetensors", weights("a"), "MR416 is read by nobody: without an index"),
    "no vocabulary": ("tokenizer.model", b"words\n", "MR416 is no vocabulary of sentencepiece or tiktoken"),
    "a broken vocabulary": ("spiece.model", SPIECE[:-1], "MR416 is no vocabulary of sentencepiece or tiktoken"),
    "arguments of training": ("training_args.bin", EVIL, f"MR417 {STATE}"),
    "an optimizer": ("optimizer.pt", EVIL, f"MR417 {STATE}"),
    "random numbers": ("rng_state_3.pth", EVIL, f"MR417 {STATE}"),
    "a Trainer's state": ("trainer_state.json", b"{}", f"MR417 {STATE}"),
    "too large a configuration": ("config.json", b" " * ((8 << 20) + 1), "has 8,388,609 bytes, and a configuration"),
}
MALFORMED: dict[str, tuple[str, bytes, str]] = {
    "an LFS pointer": ("model.safetensors", POINTER, "MR403 is a Git LFS pointer, not the weights"),
    "an LFS pointer for a tokenizer": ("tokenizer.json", POINTER, "MR403 is a Git LFS pointer, not the file itself"),
    "damaged weights": ("model.safetensors", weights("a")[:-1], "MR405 is no sound safetensors file: it is truncated"),
    "empty weights": ("model.safetensors", b"", "MR405 is no sound safetensors file: it is shorter than"),
    "no JSON": ("config.json", b"{", "MR201 is not valid JSON"),
    "a list": ("config.json", b"[]", "MR208 is no JSON object"),
    "a key twice": ("config.json", b'{"a": 1, "a": 2}', "MR203"),
    "a class map twice": ("config.json", b'{"auto_map": {"A": "m.M"}, "auto_map": {}}', "MR203"),
    "NaN": ("generation_config.json", b'{"a": NaN}', "MR204"),
    "no UTF-8": ("chat_template.jinja", b"\xff", "MR202 is no text in UTF-8, or holds a NUL byte"),
    "a NUL byte": ("merges.txt", b"a\0b", "MR202 is no text in UTF-8, or holds a NUL byte"),
    "half a character at the end": ("samples.jsonl", b'{"a": "\xc3', "MR202 is no text in UTF-8, or holds a NUL byte"),
    "damaged GGUF": ("model.gguf", gguf(version=9), "MR405 is no sound GGUF file: its version is 9"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_published_is_refused(name: str) -> None:
    path, data, expected = REFUSED[name]
    (line,) = said({path: data})
    assert line.startswith(path)
    assert expected in line
    with pytest.raises(Refused):
        refuse(judge(files({path: data}), "publishable").findings)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_invalid(name: str) -> None:
    path, data, expected = MALFORMED[name]
    (line,) = said({path: data})
    assert line.startswith(path)
    assert expected in line
    with pytest.raises(InvalidInput):
        refuse(judge(files({path: data}), "publishable").findings)


PASSED_OVER = [name for name, (path, data, _) in REFUSED.items() if path != "model.safetensors" and data != POINTER]


@pytest.mark.parametrize("name", PASSED_OVER)
def test_what_is_only_not_published_may_lie_beside_what_is_loaded(name: str) -> None:
    path, data, _ = REFUSED[name]
    assert said({path: data}, "loadable") == []


@pytest.mark.parametrize("path", ["tokenizer.json", "config.json", "merges.txt"])
def test_a_pointer_is_no_file_of_a_checkpoint(path: str) -> None:
    """Its digest would be recorded for the file's, and the file that git brings later would be another one."""
    assert said({path: POINTER}, "loadable") == [f"{path}: MR403 is a Git LFS pointer, not the file itself"]


@pytest.mark.parametrize("name", ["a pickle as safetensors", "a zip as safetensors"])
def test_a_pickle_under_a_safetensors_name_is_never_loaded(name: str) -> None:
    path, data, expected = REFUSED[name]
    assert said({path: data}, "loadable") == [f"{path}: {expected}"]


A, B = "model-1.safetensors", "model-2.safetensors"
INDEX = "model.safetensors.index.json"
SHARDS: dict[str, tuple[dict[str, bytes | None], list[str], bool]] = {
    "a way out": ({INDEX: index(a="../x.safetensors", b=A, c=B)}, ["names '../x.safetensors', which is no file"], True),
    "an absolute path": ({INDEX: index(a="/x.safetensors", b=A, c=B)}, ["names '/x.safetensors', which is no"], True),
    "backslashes": ({INDEX: index(a="..\\x", b=A, c=B)}, ["names '..\\\\x', which is no file name"], True),
    "a missing shard": ({B: None}, [f"names '{B}', which the checkpoint does not hold"], True),
    "a Trainer's state for a shard": ({B: None, INDEX: index(c="x.pt")}, ["names 'x.pt', which the checkpoint"], True),
    "a tensor that no shard holds": (
        {INDEX: index(a=A, b=A, c=B, d=B)},
        [f"says that '{B}' holds tensor 'd', and no shard does"],
        True,
    ),
    "a tensor of another shard": (
        {INDEX: index(a=A, b=B, c=B)},
        [f"says that '{B}' holds tensor 'b', and it is in '{A}'"],
        True,
    ),
    "no index": ({INDEX: b'{"weight_map": []}'}, ["is no index of weights"], True),
    "an empty index": ({INDEX: b'{"weight_map": {}}'}, ["is no index of weights"], True),
    "shards that are no texts": ({INDEX: b'{"weight_map": {"a": 1}}'}, ["is no index of weights"], True),
    "a shard too many": ({"x.safetensors": weights("x")}, ["does not name the shard 'x.safetensors'"], False),
    "one file beside shards": ({"model.safetensors": weights("a")}, ["does not name the shard 'model.safe"], False),
    "a tensor too many": ({B: weights("c", "d")}, [f"does not say that '{B}' holds 'd'"], False),
    "a tensor in two shards": ({B: weights("c", "a")}, [f"does not say that '{B}' holds 'a'"], False),
    "five tensors too many": (
        {B: weights("c", "d", "e", "f", "g", "h")},
        [f"does not say that '{B}' holds 'd', 'e', 'f' and 2 more"],
        False,
    ),
}


@pytest.mark.parametrize("name", SHARDS)
def test_an_index_and_its_shards_have_to_agree(name: str) -> None:
    """The last part says whether it also keeps the checkpoint from being loaded."""
    changes, expected, always = SHARDS[name]
    whole = said({**SHARDED, **changes})
    matching = [line for line in whole if line.startswith(f"{INDEX}: MR405 {expected[0]}")]
    assert len(matching) == 1
    assert all(line.startswith(f"{INDEX}: MR405 ") for line in whole)
    loaded = said({**SHARDED, **changes}, "loadable")
    assert (matching[0] in loaded) if always else loaded == []


def test_a_gguf_file_is_walked_to_the_end_of_its_header() -> None:
    content = gguf()
    sizes = range(4, len(content) - 32)
    assert said({"model.gguf": content}, "loadable") == []
    for size in sizes:
        (line,) = said({"model.gguf": content[:size]}, "loadable")
        assert line.startswith("model.gguf: MR405 is no sound GGUF file: "), size
    assert "tensors or keys" in said({"m.gguf": gguf(tensors=1 << 40)}, "loadable")[0]
    assert "it ends within its header" in said({"m.gguf": gguf(name=1 << 62)}, "loadable")[0]
