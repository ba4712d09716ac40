"""A checkpoint into memory by transformers: local, safe, complete, in evaluation mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Unavailable, invalid, shorten
from modelrelease.records.checkpoints import Checkpoint
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
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return torch


def load_model(checkpoint: Checkpoint, numerics: Numerics) -> LoadedModel:
    """Load a checkpoint that was looked through. Float32 on CPU, the checkpoint's own type on CUDA.

    Raises InvalidInput where transformers cannot read it (MR401), its tokenizer (MR402), where tensors are missing
    from the weights (MR405) or code of its own would be needed (MR406); Unavailable where the device is.
    """
    torch = import_torch()
    device = _device(torch, numerics.device)
    if numerics.threads is not None:
        torch.set_num_threads(numerics.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    dtype = _dtype(torch, numerics.dtype, device)
    tokenizer = _tokenizer(checkpoint)
    model = _model(checkpoint, dtype, numerics.attention)
    _greedy_by_default(model, tokenizer)
    try:
        model = model.to(device).eval()
    except RuntimeError as error:  # torch's own out-of-memory errors are RuntimeErrors
        todo = "free the device, or choose another with --device"
        raise Unavailable(Finding(str(device), Code.ENGINE, _first_line(error), todo)) from error
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=str(model.dtype).removeprefix("torch."),
        attention=str(getattr(model.config, "_attn_implementation", None) or numerics.attention),
        deterministic=torch.are_deterministic_algorithms_enabled(),
        max_length=_max_length(model.config, tokenizer),
        vocabulary=int(model.get_input_embeddings().weight.shape[0]),
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


def _tokenizer(checkpoint: Checkpoint) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # what a hostile file makes transformers raise is not foreseeable
        todo = "save it again with tokenizer.save_pretrained(folder)"
        raise _unreadable(checkpoint, Code.TOKENIZER, "the tokenizer", error, todo) from error


def _model(checkpoint: Checkpoint, dtype: Any, attention: str) -> Any:
    from transformers import AutoModelForCausalLM

    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            checkpoint.folder,
            dtype=dtype,
            attn_implementation=attention,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            use_safetensors=None if _pickled(checkpoint) else True,
        )
    except Exception as error:  # as above
        todo = "save it again with model.save_pretrained(folder)"
        raise _unreadable(checkpoint, Code.CHECKPOINT, "the model", error, todo) from error
    # transformers fills what is missing with random numbers and only warns.
    lacking = sorted(map(str, [*info.get("missing_keys", ()), *info.get("mismatched_keys", ())]))
    if lacking:
        message = f"the weights lack {len(lacking)} of the model's tensors ({', '.join(lacking[:3])})"
        raise invalid(checkpoint.source, Code.MALFORMED_WEIGHTS, message, "save the whole model again")
    return model


def _pickled(checkpoint: Checkpoint) -> bool:
    """torch.load is called with ``weights_only=True`` by transformers; only then are ``.bin`` weights read."""
    return not any(file.path.endswith((".safetensors", ".gguf")) for file in checkpoint.files)


def _unreadable(checkpoint: Checkpoint, code: Code, what: str, error: Exception, todo: str) -> ModelreleaseError:
    if "trust_remote_code" in str(error):
        todo = "use an architecture that transformers has; code from a checkpoint is never run"
        return invalid(checkpoint.source, Code.REMOTE_CODE, f"{what} asks for code of its own", todo)
    message = f"transformers cannot read {what}: {_first_line(error)}"
    return InvalidInput(Finding(checkpoint.source, code, message, todo))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return shorten(lines[0] if lines else type(error).__name__, 200)


def _greedy_by_default(model: Any, tokenizer: Any) -> None:
    """Replace the checkpoint's generation settings (temperature, penalties …) by none but its end tokens."""
    from transformers import GenerationConfig

    own = getattr(model, "generation_config", None)
    ends = getattr(own, "eos_token_id", None)
    ends = tokenizer.eos_token_id if ends is None else ends
    pad = tokenizer.pad_token_id
    if pad is None:
        pad = (ends[0] if isinstance(ends, list) else ends) if ends is not None else 0
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=pad, do_sample=False)


def _max_length(config: Any, tokenizer: Any) -> int | None:
    text = config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length"):
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    value = getattr(tokenizer, "model_max_length", None)
    return int(value) if value is not None and value < 10**9 else None
