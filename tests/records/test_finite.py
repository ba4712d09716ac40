"""NaN and infinity in weights: found in every float type, where torch finds them, and nowhere else."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.finite import find_not_finite, first_not_finite
from modelrelease.records.safetensors_header import BITS, Tensor, read_header

torch = pytest.importorskip("torch")
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "C64": torch.complex64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E8M0": torch.float8_e8m0fnu,
}


def expected(data: bytes, dtype: str) -> int | None:
    """The place of the first element that torch calls neither finite."""
    tensor: Any = torch.frombuffer(bytearray(data), dtype=TYPES[dtype])
    wide = tensor if tensor.is_complex() else tensor.to(torch.float64)
    places = (~torch.isfinite(wide)).nonzero().flatten().tolist()
    return places[0] if places else None


def found(data: bytes, dtype: str, before: bytes = b"header") -> int | None:
    tensor = Tensor("w", dtype, (), len(before), len(before) + len(data))
    return first_not_finite(io.BytesIO(before + data + b"\xff" * 16), tensor)


@pytest.mark.parametrize("dtype", TYPES)
def test_every_pattern_of_the_deciding_bytes_is_judged_as_torch_does(dtype: str) -> None:
    """All patterns of one or two bytes; of wider numbers all of their upper two bytes, with nothing and all below."""
    width = BITS[dtype] // 8 if dtype != "C64" else 4
    upper = min(width, 2)
    for low in (b"\x00", b"\xff"):
        for number in range(256**upper):
            data = low * (width - upper) + number.to_bytes(upper, "little")
            if number % 251 == 0 or (number >> 8 * (upper - 1)) & 0x7C in (0x7C, 0):
                data *= 2 if dtype == "C64" else 1
                assert found(data, dtype) == expected(data, dtype), data.hex()


@given(st.sampled_from(sorted(TYPES)), st.data())
def test_random_bytes_are_judged_as_torch_does(dtype: str, data: st.DataObject) -> None:
    width = BITS[dtype] // 8
    special = [0x7F, 0xFF, 0x80, 0xF0, 0x7C, 0xFC, 0x7B, 0x00]
    numbers = st.one_of(st.sampled_from(special), st.integers(0, 255))
    count = data.draw(st.integers(1, 12))
    content = bytes(data.draw(st.lists(numbers, min_size=count * width, max_size=count * width)))
    assert found(content, dtype) == expected(content, dtype)


@pytest.mark.parametrize("dtype", ["BOOL", "U8", "I8", "I16", "I32", "U64", "F4", "F6_E2M3"])
def test_what_cannot_be_infinite_is_not_read(dtype: str) -> None:
    assert found(b"\xff" * 48, dtype) is None


@pytest.mark.parametrize("place", [0, 1, (1 << 18) - 1, 1 << 18, 700_001])
def test_the_place_is_right_across_pieces(place: int) -> None:
    """Pieces are a megabyte, 2^18 numbers. Around it stand numbers whose deciding byte alone says too little."""
    weights = torch.full((700_002,), 3e38)
    weights[place] = float("nan")
    assert found(weights.numpy().tobytes(), "F32") == place


def test_each_tensor_is_named_in_one_line(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    bad = torch.ones(4, 5)
    bad[2, 3] = float("-inf")
    tensors = {"a": torch.ones(3), "b\n": bad, "c": torch.tensor([float("nan")], dtype=torch.bfloat16), "d": bad.int()}
    save_file(tensors, path)
    with path.open("rb") as stream:
        header = read_header(stream, path.stat().st_size, path)
    assert [str(finding) for finding in find_not_finite(path, header, "m/w.safetensors")] == [
        "m/w.safetensors: MR415 tensor 'b\\n' is not finite at element 13; "
        "train on from a checkpoint before that, or save the model again",
        "m/w.safetensors: MR415 tensor 'c' is not finite at element 0; "
        "train on from a checkpoint before that, or save the model again",
    ]


def test_large_weights_take_no_more_memory_than_small_ones(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "w"
    path.write_bytes(random.Random(1).randbytes(1 << 16).replace(b"\x7f", b"\x00").replace(b"\xff", b"\x00") * 512)
    tracemalloc.start()
    with path.open("rb") as stream:
        assert first_not_finite(stream, Tensor("w", "F32", (), 0, 32 << 20)) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
