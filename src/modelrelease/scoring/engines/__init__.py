"""What scores: an engine takes token ids and gives log-likelihoods or text. The others come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from modelrelease.scoring.requests import Request


@dataclass(frozen=True, slots=True)
class TokenScore:
    """The log-likelihood of a request's continuation in nats, and whether greedy decoding would give it.

    Not finite where the model gave NaN: the caller turns that into an item's error.
    """

    loglikelihood: float
    greedy: bool


@dataclass(frozen=True)
class Generation:
    """How to continue: greedily at ``temperature`` 0, else by sampling with one seed a request.

    ``top_k`` 0 and ``top_p`` 1 leave the distribution whole. ``stop``: texts that end an answer, cut off.
    """

    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0


@dataclass(frozen=True)
class EngineFacts:
    """What eval.json says of the engine."""

    name: str
    dtype: str
    device: str
    attention: str
    deterministic: bool
    path_taken: str


class Engine(Protocol):
    """Scores batches of requests. Raises Unavailable (exit 3) when it cannot do its work."""

    facts: EngineFacts

    def loglikelihoods(self, batch: Sequence[Request]) -> list[TokenScore]:
        """Return one score a request, in the batch's order."""

    def generate(self, batch: Sequence[Request], settings: Generation, seeds: Sequence[int]) -> list[str | None]:
        """Return one continuation a request, stop texts cut off; ``seeds`` one a request. None after a NaN."""
