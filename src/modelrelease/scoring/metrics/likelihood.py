"""How surprised a model is by a text."""

from __future__ import annotations

import math


def likelihood_score(metric: str, loglikelihood: float, tokens: int, text: str) -> float:
    """Return ``nll``, ``perplexity`` or ``bits_per_byte`` of one text.

    ``loglikelihood``: the sum over the text's ``tokens``, in nats. ``nll`` is nats per token;
    ``perplexity`` its exponential (a task's value is the mean over texts, as in Hugging Face's ``evaluate``);
    ``bits_per_byte`` is bits per UTF-8 byte (Gao et al., The Pile, arXiv 2101.00027), which does not depend on the
    tokenizer. Raises OverflowError where the exponential has no float.
    """
    nll = -loglikelihood / tokens
    if metric == "nll":
        return nll
    if metric == "perplexity":
        return math.exp(nll)
    return -loglikelihood / math.log(2) / len(text.encode("utf-8"))
