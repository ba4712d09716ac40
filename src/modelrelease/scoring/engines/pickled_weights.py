"""Pickled weights read as tensors and nothing else, and written as safetensors."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, Unavailable, invalid, shorten
from modelrelease.scoring.engines.pretrained import first_lines

_SAFE_TORCH = (2, 6)
"""Before it, `weights_only=True` could be made to run code: CVE-2025-32434."""


def refuse_old_torch(torch: Any) -> None:
    """Raise Unavailable (MR602) where torch is too old to read a pickle safely."""
    version = tuple(int(part) for part in re.findall(r"\d+", str(torch.__version__))[:2])
    if version < _SAFE_TORCH:
        message = f"torch {torch.__version__} can be made to run code by pickled weights (CVE-2025-32434)"
        raise Unavailable(Finding("torch", Code.MISSING_EXTRA, message, 'pip install "torch>=2.6"'))


def read_pickled(torch: Any, path: Path, shown: str) -> dict[str, Any]:
    """Return a pickled state dict, tensors by name; ``torch``: the module, as ``import_torch`` returns it.

    Read with ``weights_only=True``, so that nothing in it is run. Raises Refused (MR404) where it holds more than
    tensors, InvalidInput where torch cannot read it (MR405) or it is no flat mapping of names to tensors (MR419).
    """
    with path.open("rb") as stream:
        zipped = stream.read(4) == b"PK\x03\x04"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except Exception as error:  # what a hostile file makes torch raise is not foreseeable
        if "Weights only load failed" in str(error):
            message = "is a pickle that is damaged or holds more than tensors; it was not run"
            todo = "save the model again with model.save_pretrained(folder)"
            raise Refused(Finding(shown, Code.UNSAFE_WEIGHTS, message, todo)) from error
        message = f"torch cannot read it: {first_lines(error)}"
        raise invalid(shown, Code.MALFORMED_WEIGHTS, message, "save or fetch it again") from error
    if not isinstance(state, dict) or not state:
        raise _unfit(shown, "is no mapping of names to tensors")
    for name, value in state.items():
        if not isinstance(name, str):
            raise _unfit(shown, f"has a key that is no name: {shorten(repr(name), 80)}")
        if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_meta or value.is_quantized:
            raise _unfit(shown, f"holds {shorten(repr(name), 80)}, which is no plain tensor")
    return {name: value.detach() for name, value in state.items()}


def tied_names(folder: Path) -> Callable[[str], bool]:
    """Return which names the checkpoint's architecture ties to others when it is loaded, by its own configuration.

    Source: `_tied_weights_keys` of transformers' models, by which `save_pretrained` leaves them out too.
    """
    import transformers

    try:
        config: Any = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        names = list(config.architectures or ())
        ties = bool(getattr(config.get_text_config(), "tie_word_embeddings", False))
    except Exception:  # what cannot be read ties nothing: every tensor is then written in full
        return lambda name: False
    found = [getattr(transformers, str(name), None) for name in names]
    keys = [str(key) for model in found for key in getattr(model, "_tied_weights_keys", None) or ()]
    return lambda name: ties and any(re.search(key, name) for key in keys)


def untie(tensors: dict[str, Any], is_tied: Callable[[str], bool]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the tensors, each with memory of its own, and what was left out: name → the name that it is tied to.

    Left out is only what is one tensor with another one and what the architecture ties again; whatever else shares
    memory is written twice, since nothing would bring it back. Source: safetensors' page on shared tensors, and
    `remove_tied_weights_from_state_dict` of transformers.
    """
    views: dict[tuple[Any, ...], list[str]] = {}
    for name, tensor in tensors.items():
        view = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        views.setdefault(view if tensor.numel() else (name,), []).append(name)
    left_out: dict[str, str] = {}
    for names in views.values():
        kept = [name for name in names if not is_tied(name)]
        if kept:
            left_out |= {name: kept[0] for name in names if is_tied(name)}
    kept_ones = {name: tensor for name, tensor in tensors.items() if name not in left_out}
    shares = Counter(tensor.untyped_storage().data_ptr() for tensor in kept_ones.values())
    own = {
        name: tensor.clone() if shares[tensor.untyped_storage().data_ptr()] > 1 else tensor
        for name, tensor in kept_ones.items()
    }
    return {name: tensor.contiguous() for name, tensor in own.items()}, left_out


def write_safetensors(torch: Any, tensors: dict[str, Any], path: Path, metadata: dict[str, str], shown: str) -> None:
    """Write tensors to a safetensors file and read them back: every byte has to be the same.

    Raises InvalidInput (MR419) where safetensors does not have one of their types.
    """
    from safetensors import safe_open
    from safetensors.torch import save_file

    try:
        save_file(tensors, path, metadata=metadata)
        _sort_metadata(path)
    except (KeyError, ValueError, RuntimeError, TypeError) as error:
        raise _unfit(shown, f"cannot be written as safetensors: {first_lines(error)}") from error
    opened: Any = safe_open
    with opened(path, framework="pt") as file:
        for name, tensor in tensors.items():
            if not _same(torch, file.get_tensor(name), tensor):
                message = f"tensor {shorten(repr(name), 80)} was not written as it is"
                raise Unavailable(Finding(str(path), Code.ENGINE, message, "check the disk, and start again"))


def _sort_metadata(path: Path) -> None:
    """Put the file's own metadata in order: the library's is another one each time, and digests would differ."""
    with path.open("r+b") as stream:
        length = int.from_bytes(stream.read(8), "little")
        text = stream.read(length)
        header = json.loads(text)
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        ordered = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        if len(ordered) > length:
            raise ValueError("its header cannot be put in order")
        stream.seek(8)
        stream.write(ordered.ljust(length))  # blanks at its end are the format's own way to fill up


def _same(torch: Any, one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bool(torch.equal(one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8)))


def _unfit(shown: str, what: str) -> InvalidInput:
    return invalid(shown, Code.NOT_CONVERTED, what, "save the model with model.save_pretrained(folder)")
