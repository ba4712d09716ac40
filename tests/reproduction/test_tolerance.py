from __future__ import annotations

import pytest

from modelrelease.records.evaluation import Engine
from modelrelease.records.reproduction import NoiseFloor
from modelrelease.reproduction.tolerance import allowed, default_tolerance, tolerance_in_use


def engine(dtype: str, tolerance: float | None = None) -> Engine:
    return Engine(
        name="transformers",
        dtype=dtype,
        device="cpu",
        attention="sdpa",
        batch_tokens=1,
        batch_plan_digest="0" * 64,
        deterministic=True,
        seed=0,
        allow_truncation=False,
        tolerance=tolerance,
        max_length=None,
    )


NOISE = NoiseFloor(plans=3, max_abs_difference=0.01)


@pytest.mark.parametrize(
    ("recorded", "found", "noise", "asked", "expected"),
    [
        (engine("float32"), engine("float32"), None, None, 1e-3),
        (engine("float32"), engine("bfloat16"), None, None, 1.0),
        (engine("bfloat16"), engine("float16"), None, None, 1.0),
        (engine("float32", 4e-5), engine("float32"), None, None, 4e-5),
        (engine("float32", 0.0), engine("float32"), None, None, 0.0),
        (engine("float32", 4e-5), engine("float16"), None, None, 0.125),
        (engine("float32"), engine("float32"), NOISE, None, 0.02),
        (engine("bfloat16"), engine("bfloat16"), NOISE, None, 1.0),
        (engine("float32", 4e-5), engine("bfloat16"), NOISE, 0.0, 0.0),
        (engine("float8_e4m3fn"), engine("float32"), None, None, 1.0),
    ],
)
def test_which_tolerance_is_in_use(
    recorded: Engine, found: Engine, noise: NoiseFloor | None, asked: float | None, expected: float
) -> None:
    assert tolerance_in_use(recorded, found, noise, asked) == expected


def test_coarser_types_may_move_more() -> None:
    values = [default_tolerance(dtype) for dtype in ("float32", "float16", "bfloat16")]
    assert values == sorted(values)


@pytest.mark.parametrize(("loglikelihood", "factor"), [(0.0, 1.0), (-50.0, 1.0), (-200.0, 2.0), (-5000.0, 10.0)])
def test_long_texts_may_move_more(loglikelihood: float, factor: float) -> None:
    assert allowed(0.5, loglikelihood) == pytest.approx(0.5 * factor)
