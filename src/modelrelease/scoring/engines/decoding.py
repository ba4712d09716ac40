"""What steers generation row by row: stop texts, and sampling with one seed an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelrelease.scoring.engines import Generation

_EXTRA_TOKENS = 8


def cut_at_stop(text: str, stops: Sequence[str]) -> str:
    """Return ``text`` up to the first of ``stops`` in it."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else text


class NotANumber:
    """Notes the rows whose logits were NaN, which an argmax would turn into a token like any other."""

    def __init__(self, torch: Any, rows: int) -> None:
        self._torch = torch
        self.rows = [False] * rows

    def __call__(self, ids: Any, scores: Any) -> Any:
        found = self._torch.isnan(scores).any(dim=-1).tolist()
        self.rows = [before or now for before, now in zip(self.rows, found, strict=True)]
        return scores


class StopTexts:
    """Ends a row when its text holds a stop text; the others of the batch go on.

    ``widths`` are the rows' tokens up to there, prompt included; None where no stop text has come.
    """

    def __init__(self, torch: Any, tokenizer: Any, stops: Sequence[str], prompt_width: int, rows: int) -> None:
        self._torch = torch
        self._tokenizer = tokenizer
        self._stops = tuple(stops)
        self._width = prompt_width
        self.widths: list[int | None] = [None] * rows
        # A token stands for at least a byte, so a stop text is never longer in tokens than in bytes.
        self._tail = max(len(stop.encode("utf-8")) for stop in stops) + _EXTRA_TOKENS

    def __call__(self, ids: Any, scores: Any, **kwargs: Any) -> Any:
        begin = max(self._width, ids.shape[1] - self._tail)
        tails = self._tokenizer.batch_decode(ids[:, begin:], clean_up_tokenization_spaces=False)
        for row, tail in enumerate(tails):
            if self.widths[row] is None and any(stop in tail for stop in self._stops):
                self.widths[row] = ids.shape[1]
        done = [width is not None for width in self.widths]
        return self._torch.tensor(done, device=ids.device, dtype=self._torch.bool)


class RowSampler:
    """Samples each row with a generator of its own and leaves only the sampled token possible.

    So a row's draw depends on its own seed and logits, never on what it is batched with.
    """

    def __init__(self, torch: Any, settings: Generation, seeds: Sequence[int]) -> None:
        self._torch = torch
        self._settings = settings
        self._generators = [torch.Generator(device="cpu").manual_seed(seed) for seed in seeds]

    def __call__(self, ids: Any, scores: Any) -> Any:
        torch = self._torch
        chosen = [self._draw(row, generator) for row, generator in zip(scores, self._generators, strict=True)]
        only = torch.full_like(scores, float("-inf"))
        only[torch.arange(len(chosen)), torch.tensor(chosen, device=scores.device)] = 0.0
        return only

    def _draw(self, logits: Any, generator: Any) -> int:
        """Draw one id by inverting the distribution's cumulative sum, in float64 on the CPU."""
        torch = self._torch
        logits = logits.double().cpu()
        # From the largest down: divided by a temperature near 0, the others leave the floats and it does not.
        probabilities = torch.softmax((logits - logits.max()) / self._settings.temperature, dim=-1)
        values, order = torch.sort(probabilities, descending=True, stable=True)
        if self._settings.top_k:
            values = values[: self._settings.top_k]
        # Nucleus sampling (Holtzman et al. 2020): the fewest tokens whose mass reaches top_p.
        kept = values[: int((values.cumsum(0) < self._settings.top_p * values.sum()).sum()) + 1]
        draw = torch.rand((), generator=generator, dtype=torch.float64) * kept.sum()
        place = int((kept.cumsum(0) <= draw).sum())
        return int(order[min(place, len(kept) - 1)])
