"""A checkpoint into memory by transformers: local, safe, complete, in evaluation mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable
from modelrelease.records.checkpoints import Checkpoint, refuse_changed
from modelrelease.scoring.engines.pretrained import (
    first_lines,
    read_config,
    read_model,
    read_tokenizer,
    refuse_adapter,
    refuse_endless,
)
from modelrelease.settings import prepare_libraries


@dataclass(frozen=True)
class Numerics:
    """What a person chose of how numbers are made; ``auto`` leaves it to the device."""

    device: str = "auto"
    dtype: str = "auto"
    attention: str = "sdpa"
    threads: int | None = None


@dataclass(frozen=True)
class LoadedModel:
    """Model and tokenizer, on their device. ``max_length`` in positions, None where there is no end."""

    model: Any
    tokenizer: Any
    device: str
    dtype: str
    attention: str
    deterministic: bool
    max_length: int | None
    vocabulary: int


def import_torch() -> Any:
    """Return torch, prepared for repeatable offline work; Unavailable (exit 3) without the extra."""
    prepare_libraries()
    try:
        import torch
        import transformers
    except ImportError as error:
        todo = 'pip install "modelrelease[score]"'
        raise Unavailable(Finding("modelrelease", Code.MISSING_EXTRA, f"scoring needs {error.name}", todo)) from error
    logging: Any = transformers.utils.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return torch


def load_model(checkpoint: Checkpoint, numerics: Numerics) -> LoadedModel:
    """Load a checkpoint that was looked through. Float32 on CPU, the checkpoint's own type on CUDA.

    Raises InvalidInput where transformers cannot read it (MR401), its tokenizer (MR402), or where tensors are missing
    from the weights or have another shape (MR405); Refused where the weights are a pickle that holds more than tensors
    (MR404), code of its own would be needed (MR406), or a file is not the one that was hashed (MR418); Unavailable
    where the device is.
    """
    torch = import_torch()
    device = _device(torch, numerics.device)
    if numerics.threads is not None:
        torch.set_num_threads(numerics.threads)
    # As use_deterministic_algorithms(True, warn_only=True), which also imports the compiler: a second and a half.
    torch.set_deterministic_debug_mode("warn")
    dtype = _dtype(torch, numerics.dtype, device)
    refuse_adapter(checkpoint)
    config = read_config(checkpoint)
    refuse_endless(checkpoint, config)
    tokenizer = read_tokenizer(checkpoint)
    model = read_model(checkpoint, config, dtype, numerics.attention)
    refuse_changed(checkpoint)
    vocabulary = int(model.get_input_embeddings().weight.shape[0])
    _greedy_by_default(model, tokenizer, vocabulary)
    try:
        model = model.to(device).eval()
    except RuntimeError as error:  # torch's own out-of-memory errors are RuntimeErrors
        todo = "free the device, or choose another with --device"
        raise Unavailable(Finding(str(device), Code.ENGINE, first_lines(error), todo)) from error
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=str(model.dtype).removeprefix("torch."),
        attention=str(getattr(model.config, "_attn_implementation", None) or numerics.attention),
        deterministic=torch.are_deterministic_algorithms_enabled(),
        max_length=_max_length(model.config, tokenizer),
        vocabulary=vocabulary,
    )


def _device(torch: Any, wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        todo = "use --device cpu, or a runner with a GPU"
        raise Unavailable(Finding("--device", Code.ENGINE, "torch sees no CUDA device", todo))
    return wanted


def _dtype(torch: Any, wanted: str, device: str) -> Any:
    if wanted == "auto":
        return torch.float32 if device == "cpu" else "auto"
    return getattr(torch, wanted)


def _greedy_by_default(model: Any, tokenizer: Any, vocabulary: int) -> None:
    """Replace the checkpoint's generation settings (temperature, penalties …) by none but its end tokens."""
    from transformers import GenerationConfig

    new: Any = GenerationConfig
    own = getattr(model, "generation_config", None)
    ends = _known_ids(getattr(own, "eos_token_id", None), vocabulary)
    ends = ends or _known_ids(tokenizer.eos_token_id, vocabulary)
    # What pads is masked and never read, but it has to have an embedding.
    pad = next(iter([*_known_ids(tokenizer.pad_token_id, vocabulary), *ends, 0]))
    model.generation_config = new(eos_token_id=ends or None, pad_token_id=pad, do_sample=False)


def _known_ids(value: Any, vocabulary: int) -> list[int]:
    """A file can say anything; what is no id of the model cannot end or pad a text."""
    values = value if isinstance(value, list) else [value]
    return [number for number in values if type(number) is int and 0 <= number < vocabulary]


def _max_length(config: Any, tokenizer: Any) -> int | None:
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length"):
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    value = getattr(tokenizer, "model_max_length", None)
    return int(value) if isinstance(value, int | float) and 0 < value < 10**9 else None
