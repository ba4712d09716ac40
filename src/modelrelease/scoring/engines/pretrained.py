"""What transformers reads of a checkpoint: config, tokenizer, weights. Local, safe, complete."""

from __future__ import annotations

import json
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, ModelreleaseError, Refused, invalid, shorten
from modelrelease.records.checkpoints import Checkpoint
from modelrelease.records.files import read_bytes
from modelrelease.records.strict_json import MAX_DOCUMENT


def refuse_adapter(checkpoint: Checkpoint) -> None:
    """Raise InvalidInput (MR401) where there is an adapter.

    transformers applies an adapter where peft is installed and leaves it out, without a word, where it is not.
    """
    if any(file.path == "adapter_config.json" for file in checkpoint.files):
        todo = "merge it into its model (`merge_and_unload`) and save that"
        raise invalid(checkpoint.source, Code.CHECKPOINT, "holds an adapter", todo)


def refuse_foreign_shards(checkpoint: Checkpoint) -> None:
    """Raise InvalidInput (MR405) where an index names weights that are no file of the checkpoint.

    transformers follows it out of the folder, to files that no digest covers.
    """
    own = {file.path for file in checkpoint.files}
    for path in sorted(name for name in own if name.endswith(".index.json")):
        try:
            named = set(json.loads(read_bytes(checkpoint.folder / path, limit=MAX_DOCUMENT))["weight_map"].values())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            message = f"{path} is no index of weights"
            raise invalid(checkpoint.source, Code.MALFORMED_WEIGHTS, message, "save the model again") from error
        if foreign := sorted(str(name) for name in named if name not in own):
            message = f"{path} names {shorten(repr(foreign[0]), 80)}, which the checkpoint does not hold"
            raise invalid(checkpoint.source, Code.MALFORMED_WEIGHTS, message, "add it, or save the model again")


def read_config(checkpoint: Checkpoint) -> Any:
    """Return the checkpoint's config; InvalidInput (MR401) where transformers cannot read it."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # what a hostile file makes transformers raise is not foreseeable
        raise _unreadable(checkpoint, Code.CHECKPOINT, "config.json", error, "save the checkpoint again") from error
    # A config can name kernels of the Hub in these, which would be fetched and run.
    config._attn_implementation = config._experts_implementation = None
    return config


def refuse_endless(checkpoint: Checkpoint, config: Any) -> None:
    """Raise InvalidInput (MR405) where a config has more layers than the weights have tensors.

    transformers would build them all, for minutes, before it missed their weights.
    """
    layers = getattr(config.get_text_config(), "num_hidden_layers", None)
    if checkpoint.tensors is not None and isinstance(layers, int) and layers > checkpoint.tensors:
        message = f"config.json has {layers} layers and the weights have {checkpoint.tensors} tensors"
        raise invalid(checkpoint.source, Code.MALFORMED_WEIGHTS, message, "save the whole model again")


def read_tokenizer(checkpoint: Checkpoint) -> Any:
    """Return the checkpoint's tokenizer; InvalidInput (MR402) where transformers cannot read it."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # as above
        todo = "save it again with tokenizer.save_pretrained(folder)"
        raise _unreadable(checkpoint, Code.TOKENIZER, "the tokenizer", error, todo) from error


def read_model(checkpoint: Checkpoint, config: Any, dtype: Any, attention: str) -> Any:
    """Return the model with all of its weights, on the CPU.

    ``attention``: "sdpa" becomes "eager" where the architecture does not have it. Raises InvalidInput (MR401, MR405,
    MR406) and Refused (MR404) as :func:`loading.load_model` does.
    """
    from transformers import AutoModelForCausalLM

    auto: Any = AutoModelForCausalLM  # its own types leave the loading info out
    try:
        model, info = auto.from_pretrained(
            checkpoint.folder,
            config=config,
            dtype=dtype,
            attn_implementation=attention,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            use_safetensors=None if _pickled(checkpoint) else True,
        )
    except Exception as error:  # as above
        if attention == "sdpa" and "scaled_dot_product_attention" in str(error):  # soft caps, ALiBi, no attention
            return read_model(checkpoint, config, dtype, "eager")
        todo = "save it again with model.save_pretrained(folder)"
        raise _unreadable(checkpoint, Code.CHECKPOINT, "the model", error, todo) from error
    # transformers fills what is missing, or has another shape, with random numbers and only warns.
    mismatched = [name for name, *_ in info.get("mismatched_keys", ())]
    lacking = sorted(map(str, [*info.get("missing_keys", ()), *mismatched]))
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
    if "Weights only load failed" in str(error):  # torch.load's refusal
        message = "the weights are a pickle that is damaged or holds more than tensors; it was not run"
        todo = "save the model again with model.save_pretrained(folder)"
        return Refused(Finding(checkpoint.source, Code.UNSAFE_WEIGHTS, message, todo))
    return invalid(checkpoint.source, code, f"transformers cannot read {what}: {first_lines(error)}", todo)


def first_lines(error: Exception) -> str:
    """Return what an error says, in two lines: transformers' validators put what is wrong on the second."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return shorten(" ".join(lines[:2]) or type(error).__name__, 200)
