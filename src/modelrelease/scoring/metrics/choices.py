"""Multiple choice: which choice the model finds most likely.

Source: lm-evaluation-harness' ``multiple_choice``: ``acc`` takes the largest log-likelihood, ``acc_norm`` the
largest log-likelihood per character of the choice without its delimiter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pick:
    """The chosen index, and whether another choice had exactly the same value."""

    index: int
    tie: bool


def pick_choice(metric: str, loglikelihoods: Sequence[float], choices: Sequence[str]) -> Pick:
    """Return what ``metric`` (``acc`` or ``acc_norm``) picks; the first index on ties.

    ``loglikelihoods``: one sum a choice, in nats; ``choices``: their texts, none of them empty.
    """
    values = list(loglikelihoods)
    if metric == "acc_norm":
        values = [value / len(choice) for value, choice in zip(values, choices, strict=True)]
    best = max(values)
    return Pick(values.index(best), values.count(best) > 1)
