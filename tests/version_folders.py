"""Version folders with checkpoints that are whole in form and small in size: nothing here is ever loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1\n"


def safetensors(value: int = 0, length: int = 8) -> bytes:
    """Return a safetensors file of one vector; ``value`` is each byte of it."""
    header = {"a": {"dtype": "F32", "shape": [length], "data_offsets": [0, 4 * length]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes([value]) * (4 * length)


def write_checkpoint(folder: Path, value: int = 0, *, tokenizer: bool = True) -> Path:
    """Write a checkpoint into ``folder``; others of another ``value`` have other weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(safetensors(value))
    if tokenizer:
        (folder / "tokenizer.json").write_text("{}")
        config = {"tokenizer_class": "LlamaTokenizer", "chat_template": "{{ messages }}"}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


class Pretrained:
    """Writes such a checkpoint when it is asked to save itself, as a model of transformers is."""

    def __init__(self, value: int, *, tokenizer: bool = True) -> None:
        self._value = value
        self._tokenizer = tokenizer

    def save_pretrained(self, folder: Any) -> None:
        """Write the checkpoint."""
        write_checkpoint(Path(folder), self._value, tokenizer=self._tokenizer)


def papers(folder: Path) -> dict[str, Any]:
    """Return model.json as plain values."""
    value: dict[str, Any] = json.loads((folder / "model.json").read_text("utf-8"))
    return value
