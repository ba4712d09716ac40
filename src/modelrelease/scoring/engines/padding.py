"""Whether prompts of different lengths can be continued together: tried on the model itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelrelease.scoring.engines.loading import LoadedModel
from modelrelease.scoring.engines.logits import agree, some_tokens

_STEPS = 3


class _Forced:
    """Makes every row go on with the same tokens, so that only logits can differ."""

    def __init__(self, torch: Any, tokens: Sequence[int], width: int) -> None:
        self._torch = torch
        self._tokens = tokens
        self._width = width

    def __call__(self, ids: Any, scores: Any) -> Any:
        only = self._torch.full_like(scores, float("-inf"))
        only[:, self._tokens[ids.shape[1] - self._width]] = 0.0
        return only


def padding_is_harmless(torch: Any, loaded: LoadedModel) -> bool:
    """Say whether a short prompt, padded on the left beside a longer one, has the logits that it has alone.

    It has not where a model reads padding as text (recurrent ones may) or counts positions from the first column.
    """
    ends = loaded.model.generation_config.eos_token_id or ()
    tokens = [token for token in some_tokens(loaded.vocabulary, 12) if token not in ends]
    long, short, forced = tokens[:5], tokens[5:7], [*tokens, 0, 0, 0][:_STEPS]
    if not short:
        return False
    pad = loaded.model.generation_config.pad_token_id
    hidden = len(long) - len(short)
    with torch.inference_mode():
        both = _logits(torch, loaded, [long, [pad] * hidden + short], [0, hidden], forced)
        alone = [_logits(torch, loaded, [prompt], [0], forced) for prompt in (long, short)]
    pairs = [(step[row], own[0]) for row in (0, 1) for step, own in zip(both, alone[row], strict=True)]
    return all(agree(torch, one, other, loaded.dtype) for one, other in pairs)


def _logits(torch: Any, loaded: LoadedModel, rows: list[list[int]], hidden: list[int], forced: Sequence[int]) -> Any:
    """Return the logits of each step, [rows, vocabulary]; the first ``hidden`` columns of a row are padding."""
    from transformers import LogitsProcessorList

    ids = torch.tensor(rows, device=loaded.device)
    mask = torch.ones_like(ids)
    for row, columns in enumerate(hidden):
        mask[row, :columns] = 0
    output = loaded.model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=_STEPS,
        do_sample=False,
        logits_processor=LogitsProcessorList([_Forced(torch, forced, ids.shape[1])]),
        return_dict_in_generate=True,
        output_logits=True,
    )
    return output.logits
