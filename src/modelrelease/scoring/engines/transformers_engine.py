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
from modelrelease.errors import Finding, Unavailable
from modelrelease.scoring.engines import EngineFacts, Generation, TokenScore
from modelrelease.scoring.engines.decoding import NotANumber, RowSampler, StopTexts, cut_at_stop
from modelrelease.scoring.engines.loading import LoadedModel, import_torch
from modelrelease.scoring.engines.logits import find_path, logits_at
from modelrelease.scoring.engines.padding import padding_is_harmless
from modelrelease.scoring.engines.pretrained import first_lines
from modelrelease.scoring.requests import MAX_SCORED, Request


class TransformersEngine:
    """Scores and generates with a loaded model.

    Raises what :func:`logits.find_path` does where the model is not one that can be scored.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._torch = import_torch()
        self._loaded = loaded
        self._path = find_path(self._torch, loaded)
        self._pads: bool | None = None
        self.facts = EngineFacts(
            name="transformers",
            dtype=loaded.dtype,
            device=loaded.device,
            attention=loaded.attention,
            deterministic=loaded.deterministic,
            path_taken=self._path,
        )

    def loglikelihoods(self, batch: Sequence[Request]) -> list[TokenScore]:
        """Return the log-likelihood of each request's continuation: log-softmax in float32, sums in float64."""
        torch = self._torch
        ids, mask = self._padded([request.tokens[:-1] for request in batch], left=False)
        places = _scored_places(batch)
        values: list[float] = []
        greedy: list[bool] = []
        with torch.inference_mode(), self._failures():
            for begin in range(0, len(places), MAX_SCORED):
                rows, columns, targets = zip(*places[begin : begin + MAX_SCORED], strict=True)
                logits = logits_at(self._loaded.model, ids, mask, rows, columns, self._path).float()
                wanted = torch.tensor(targets, device=logits.device)
                chosen = logits.gather(1, wanted[:, None])[:, 0]
                values += (chosen - logits.logsumexp(dim=1)).tolist()
                greedy += (logits.argmax(dim=1) == wanted).tolist()
        return _per_request(batch, values, greedy)

    def generate(self, batch: Sequence[Request], settings: Generation, seeds: Sequence[int]) -> list[str | None]:
        """Return each request's continuation as text, without special tokens and stop texts; None after a NaN."""
        if self._pads is None:
            with self._failures():
                self._pads = padding_is_harmless(self._torch, self._loaded)
        if self._pads:
            return self._generate(batch, settings, seeds)
        rows = zip(batch, seeds, strict=True)
        return [self._generate([request], settings, [seed])[0] for request, seed in rows]

    def _generate(self, batch: Sequence[Request], settings: Generation, seeds: Sequence[int]) -> list[str | None]:
        torch, tokenizer = self._torch, self._loaded.tokenizer
        from transformers import LogitsProcessorList, StoppingCriteriaList

        ids, mask = self._padded([request.tokens for request in batch], left=True)
        width = ids.shape[1]
        bad = NotANumber(torch, len(batch))
        stops = [StopTexts(torch, tokenizer, settings.stop, width, len(batch))] if settings.stop else []
        sampler = [RowSampler(torch, settings, seeds)] if settings.temperature > 0 else []
        with torch.inference_mode(), self._failures():
            output = self._loaded.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=batch[0].max_new_tokens,
                do_sample=False,
                logits_processor=LogitsProcessorList([bad, *sampler]),
                stopping_criteria=StoppingCriteriaList(stops),
            )
        ends = stops[0].widths if stops else [None] * len(batch)
        texts = [self._text(row[width:end]) for row, end in zip(output.tolist(), ends, strict=True)]
        return [
            None if broken else cut_at_stop(text, settings.stop) for text, broken in zip(texts, bad.rows, strict=True)
        ]

    def _text(self, ids: list[int]) -> str:
        ends = self._loaded.model.generation_config.eos_token_id or ()
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

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, ValueError) as error:  # torch's out-of-memory and device errors, transformers' refusals
            todo = "use a smaller --batch-tokens, or another device"
            message = f"the model failed: {first_lines(error)}"
            raise Unavailable(Finding("engine", Code.ENGINE, message, todo)) from error


def _scored_places(batch: Sequence[Request]) -> list[tuple[int, int, int]]:
    """Return row, column and target id of every scored token: position t predicts token t + 1."""
    return [
        (row, place - 1, request.tokens[place])
        for row, request in enumerate(batch)
        for place in range(request.start, len(request.tokens))
    ]


def _per_request(batch: Sequence[Request], values: list[float], greedy: list[bool]) -> list[TokenScore]:
    scores, begin = [], 0
    for request in batch:
        end = begin + len(request.tokens) - request.start
        scores.append(TokenScore(math.fsum(values[begin:end]), all(greedy[begin:end])))
        begin = end
    return scores
