"""The default engine: a transformers model in this process, on CPU or CUDA.

Sequences are padded on the right for scoring, where causal attention never sees the padding and positions are
right for every architecture; on the left for generation, as transformers wants it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, shorten
from modelrelease.scoring.engines import EngineFacts, Generation, TokenScore
from modelrelease.scoring.engines.decoding import RowSampler, StopTexts, cut_at_stop
from modelrelease.scoring.engines.loading import LoadedModel, import_torch
from modelrelease.scoring.requests import Request


class TransformersEngine:
    """Scores and generates with a loaded model."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._torch = import_torch()
        self._loaded = loaded
        self._head = loaded.model.get_output_embeddings()
        self.facts = EngineFacts(
            name="transformers",
            dtype=loaded.dtype,
            device=loaded.device,
            attention=loaded.attention,
            deterministic=loaded.deterministic,
            path_taken="scored_rows" if self._head is not None else "whole_context",
        )

    def loglikelihoods(self, batch: Sequence[Request]) -> list[TokenScore]:
        """Return the log-likelihood of each request's continuation: log-softmax in float32, sums in float64."""
        torch = self._torch
        ids, mask = self._padded([request.tokens[:-1] for request in batch], left=False)
        rows, columns, targets = _scored_positions(batch)
        with torch.inference_mode(), self._failures():
            logits = self._scored_logits(ids, mask, rows, columns).float()
            wanted = torch.tensor(targets, device=logits.device)
            chosen = logits.gather(1, wanted[:, None])[:, 0]
            values = (chosen - logits.logsumexp(dim=1)).tolist()
            greedy = (logits.argmax(dim=1) == wanted).tolist()
        return _per_request(batch, values, greedy)

    def generate(self, batch: Sequence[Request], settings: Generation, seeds: Sequence[int]) -> list[str]:
        """Return each request's continuation as text, without special tokens and stop texts."""
        torch, tokenizer = self._torch, self._loaded.tokenizer
        from transformers import LogitsProcessorList, StoppingCriteriaList

        ids, mask = self._padded([request.tokens for request in batch], left=True)
        width = ids.shape[1]
        stops = [StopTexts(torch, tokenizer, settings.stop, width)] if settings.stop else []
        sampler = [RowSampler(torch, settings, seeds)] if settings.temperature > 0 else []
        with torch.inference_mode(), self._failures():
            output = self._loaded.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=batch[0].max_new_tokens,
                do_sample=False,
                logits_processor=LogitsProcessorList(sampler),
                stopping_criteria=StoppingCriteriaList(stops),
            )
        return [cut_at_stop(self._text(row), settings.stop) for row in output[:, width:].tolist()]

    def _text(self, ids: list[int]) -> str:
        ends = self._loaded.model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        length = next((place for place, token in enumerate(ids) if token in ends), len(ids))
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return str(self._loaded.tokenizer.decode(ids[:length], **options))

    def _padded(self, sequences: Sequence[Sequence[int]], *, left: bool) -> tuple[Any, Any]:
        torch = self._torch
        width = max(len(tokens) for tokens in sequences)
        pad = self._loaded.model.generation_config.pad_token_id
        ids = torch.full((len(sequences), width), pad, dtype=torch.long)
        mask = torch.zeros((len(sequences), width), dtype=torch.long)
        for row, tokens in enumerate(sequences):
            begin = width - len(tokens) if left else 0
            ids[row, begin : begin + len(tokens)] = torch.tensor(tokens, dtype=torch.long)
            mask[row, begin : begin + len(tokens)] = 1
        return ids.to(self._loaded.device), mask.to(self._loaded.device)

    def _scored_logits(self, ids: Any, mask: Any, rows: list[int], columns: list[int]) -> Any:
        """Return logits [scored positions, vocabulary]; only those positions are projected.

        A hook in front of the output projection keeps the scored hidden states alone, so whatever the
        architecture does to logits afterwards (soft caps, scaling) still happens, and in one place: the model's.
        """
        model = self._loaded.model
        if self._head is None:
            return model(input_ids=ids, attention_mask=mask, use_cache=False).logits[rows, columns]
        hook = self._head.register_forward_pre_hook(lambda _, inputs: (inputs[0][rows, columns],))
        try:
            logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        finally:
            hook.remove()
        return logits.reshape(len(rows), -1)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # torch's out-of-memory and device errors
            lines = str(error).splitlines() or ["no message"]
            todo = "use a smaller --batch-tokens, or another device"
            message = f"the model failed: {shorten(lines[0], 200)}"
            raise Unavailable(Finding("engine", Code.ENGINE, message, todo)) from error


def _scored_positions(batch: Sequence[Request]) -> tuple[list[int], list[int], list[int]]:
    """Return row, column and target id of every scored token: position t predicts token t + 1."""
    rows, columns, targets = [], [], []
    for row, request in enumerate(batch):
        for place in range(request.start, len(request.tokens)):
            rows.append(row)
            columns.append(place - 1)
            targets.append(request.tokens[place])
    return rows, columns, targets


def _per_request(batch: Sequence[Request], values: list[float], greedy: list[bool]) -> list[TokenScore]:
    scores, begin = [], 0
    for request in batch:
        end = begin + len(request.tokens) - request.start
        scores.append(TokenScore(math.fsum(values[begin:end]), all(greedy[begin:end])))
        begin = end
    return scores
