"""Logits of the scored positions alone, by a way that was tried when the model was loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Unavailable
from modelrelease.scoring.engines.loading import LoadedModel
from modelrelease.scoring.engines.pretrained import first_lines

SCORED_ROWS = "scored_rows"
WHOLE_CONTEXT = "whole_context"

_TOLERANCE = {"float32": 1e-3, "float64": 1e-3}
_ROUGH = 5e-2
"""Agreement of two ways to the same logits, relative to the largest; what is wrong is wrong by much more."""

# What transformers' model code raises on inputs it does not take, whatever the architecture.
_MODEL_ERRORS = (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, NotImplementedError)


def logits_at(
    model: Any, ids: Any, mask: Any, rows: Sequence[int], columns: Sequence[int], path: str = SCORED_ROWS
) -> Any:
    """Return the logits [positions, vocabulary] at ``rows`` and ``columns`` of ``ids`` [batch, length].

    On the path ``scored_rows`` only those positions are projected onto the vocabulary. A hook in front of the
    output projection keeps their hidden states alone, so whatever the architecture does to logits afterwards
    (soft caps, scaling) still happens, and in one place: the model's. ``whole_context`` projects everything.
    """
    where = list(rows), list(columns)
    if path == WHOLE_CONTEXT:
        return model(input_ids=ids, attention_mask=mask, use_cache=False).logits[where]
    head = model.get_output_embeddings()
    hook = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][where][None], *inputs[1:]))
    try:
        return model(input_ids=ids, attention_mask=mask, use_cache=False).logits[0]
    finally:
        hook.remove()


def find_path(torch: Any, loaded: LoadedModel) -> str:
    """Return the path to take with a model: ``scored_rows`` where it gives what the whole context gives.

    Raises InvalidInput (MR401) where a token's logits depend on what comes after it: then padding and the
    answer itself would leak into every score. Unavailable (MR409) where the model cannot be run on tokens alone.
    """
    tokens = some_tokens(loaded.vocabulary, 6)
    first = torch.tensor([tokens[:5]], device=loaded.device)
    other = torch.tensor([[*tokens[:4], tokens[5]]], device=loaded.device)
    places = [0] * 4, [0, 1, 2, 3]
    with torch.inference_mode():
        try:
            plain = logits_at(loaded.model, first, torch.ones_like(first), *places, WHOLE_CONTEXT)
            changed = logits_at(loaded.model, other, torch.ones_like(other), *places, WHOLE_CONTEXT)
        except _MODEL_ERRORS as error:
            message = f"the model cannot be run on tokens alone: {first_lines(error)}"
            raise Unavailable(Finding("engine", Code.ENGINE, message, "use a causal language model")) from error
        if not agree(torch, plain, changed, loaded.dtype):
            message = "a token's probability depends on what comes after it: this is no causal language model"
            todo = "score a causal language model; for BERT-like ones that means `is_decoder: true` in config.json"
            raise InvalidInput(Finding("engine", Code.CHECKPOINT, message, todo))
        try:
            fast = logits_at(loaded.model, first, torch.ones_like(first), *places)
        except _MODEL_ERRORS:  # a projection that is missing, or takes another shape
            return WHOLE_CONTEXT
    return SCORED_ROWS if agree(torch, plain, fast, loaded.dtype) else WHOLE_CONTEXT


def some_tokens(vocabulary: int, count: int) -> list[int]:
    """Return ids from all over the vocabulary, different ones where it is large enough."""
    step = max(1, vocabulary // (count + 1))
    return [(place + 1) * step % vocabulary for place in range(count)]


def agree(torch: Any, one: Any, other: Any, dtype: str) -> bool:
    """Say whether two ways to the same logits agree. NaN does with NaN: broken weights are said item by item."""
    if one.shape != other.shape:
        return False
    scale = max(1.0, float(one.float().abs().nan_to_num().max()))
    tolerance = _TOLERANCE.get(dtype, _ROUGH) * scale
    return bool(torch.allclose(one.float(), other.float(), rtol=0.0, atol=tolerance, equal_nan=True))
