"""How far a log-likelihood may move between two honest runs. Pure."""

from __future__ import annotations

import math

from modelrelease.records.evaluation import Engine
from modelrelease.records.reproduction import NoiseFloor

TOLERANCES = {"float64": 1e-3, "float32": 1e-3, "float16": 0.125, "bfloat16": 1.0}
"""Nats by which a log-likelihood of up to 50 nats may move.

Measured with SmolLM2-135M on a CPU, 100 TruthfulQA items and texts of GSM8K: in float32 another batch plan moved sums
by 3e-5 nats at most, other attention by 2e-5 (2e-4 on texts of 2,400 nats); packed choices against
lm-evaluation-harness 6e-5; 1e-3 is also what the probe at load demands. In bfloat16 another batch plan moved sums by
0.43, bfloat16 against float32 by 0.44 (1.8 on texts of 275 nats). float16 has three more bits of mantissa: an eighth.
"""
MOST = 10.0
"""A recorded tolerance counts up to this many times its dtype's: a record does not say itself what passes for it."""
NOISE_FACTOR = 2.0
"""What is measured is how far other plans are from one of them; any two of them are at most twice as far apart."""

_UNIT = 50.0


def tolerance_in_use(recorded: Engine, found: Engine, noise: NoiseFloor | None, asked: float | None) -> float:
    """Return the tolerance in nats: ``asked``, else the recorded one, else that of the coarser of the two dtypes.

    A recorded tolerance is of its own dtype and says nothing of another, and counts up to ``MOST`` times that of the
    dtype. A machine whose measured ``noise`` is larger than that is granted its noise.
    """
    if asked is not None:
        return asked
    by_dtype = max(default_tolerance(recorded.dtype), default_tolerance(found.dtype))
    same = recorded.dtype == found.dtype
    usual = min(recorded.tolerance, MOST * by_dtype) if recorded.tolerance is not None and same else by_dtype
    return max(usual, tolerance_of(noise)) if noise is not None else usual


def default_tolerance(dtype: str) -> float:
    """Return a dtype's tolerance in nats; for one that is not known that of the coarsest."""
    return TOLERANCES.get(dtype, max(TOLERANCES.values()))


def tolerance_of(noise: NoiseFloor) -> float:
    """Return the tolerance that a measured noise floor asks for, in nats."""
    return NOISE_FACTOR * noise.max_abs_difference


def allowed(tolerance: float, loglikelihood: float) -> float:
    """Return how far one log-likelihood may move, in nats.

    Errors of single tokens add up like a random walk, with the root of their number. Samples do not say how many
    tokens there were, so the log-likelihood stands for them: at 50 nats, some 25 tokens, more is allowed.
    """
    return tolerance * max(1.0, math.sqrt(abs(loglikelihood) / _UNIT))
