"""The safetensors reader against the format's description, hostile headers, and the safetensors library itself."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelrelease.errors import InvalidInput
from modelrelease.records.safetensors_header import BITS, MAX_HEADER, Header, Tensor, check_header, read_header


def framed(text: bytes, data: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8), **more: object) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def file(data: int = 8, **entries: object) -> bytes:
    return framed(json.dumps(entries).encode(), bytes(data))


def read(content: bytes) -> Header:
    return read_header(io.BytesIO(content), len(content), "w.safetensors")


ONE = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
TWICE = ONE + b',"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
ESCAPED_TWICE = ONE + b',"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
KEY_TWICE = b'{"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]}}'
DAMAGED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is shorter than the length of a header"),
    "two bytes": (b"\x02\x00", "it is shorter than the length of a header"),
    "a length of 2^40": ((1 << 40).to_bytes(8, "little") + b"{}", "its header is longer than the file"),
    "a length of 2^64-1": (b"\xff" * 8 + b"{}", "its header is longer than the file"),
    "no header": (bytes(8), "its header does not begin with `{`"),
    "a blank before the brace": (framed(b" {}"), "its header does not begin with `{`"),
    "a list": (framed(b"[]"), "its header does not begin with `{`"),
    "no JSON": (framed(b"{x"), "its header is not valid JSON ("),
    "more after the JSON": (framed(b"{}\0\0"), "its header is not valid JSON ("),
    "UTF-16": (framed("{}".encode("utf-16-le")), "its header is not valid JSON ("),
    "no UTF-8": (framed(b'{"\xff":1}'), "its header is not valid JSON ("),
    "deep nesting": (framed(b'{"a":' + b"[" * 200_000), "its header is not valid JSON ("),
    "a tensor twice": (framed(TWICE, bytes(8)), "'a' stands twice in its header"),
    "a tensor twice, once escaped": (framed(ESCAPED_TWICE, bytes(8)), "'a' stands twice in its header"),
    "a key twice": (framed(KEY_TWICE, bytes(8)), "'shape' stands twice in its header"),
    "half a surrogate pair": (framed(b'{"\\ud800":{}}'), "a tensor's name holds half of a surrogate pair"),
    "no object": (file(a=3), "tensor 'a' has something else than dtype, shape and data_offsets"),
    "a key too many": (file(a=entry(x=1)), "tensor 'a' has something else than dtype, shape and data_offsets"),
    "a key too few": (file(a={"dtype": "F32"}), "tensor 'a' has something else than dtype, shape and data_offsets"),
    "another type": (file(a=entry("F33")), "tensor 'a' has the unknown type 'F33'"),
    "no type": (file(a=entry(["F32"])), "tensor 'a' has the unknown type ['F32']"),
    "no shape": (file(a=entry(shape="ab")), "tensor 'a' has no valid shape and offsets"),
    "a true extent": (file(a=entry(shape=[True, 2])), "tensor 'a' has no valid shape and offsets"),
    "a nested extent": (file(a=entry(shape=[[2]])), "tensor 'a' has no valid shape and offsets"),
    "a null extent": (file(a=entry(shape=[None])), "tensor 'a' has no valid shape and offsets"),
    "a broken extent": (file(a=entry(shape=[2.0])), "its header holds 2.0, which is no whole number"),
    "an infinite extent": (file(a=entry(shape=[float("inf")])), "its header holds Infinity, which is no whole number"),
    "a negative extent": (file(a=entry(shape=[-2])), "its header holds -2, which is no extent and no offset"),
    "a negative zero": (framed(b'{"a":{"shape":[-0]}}'), "its header holds -0, which is no extent and no offset"),
    "negative offsets": (file(a=entry(offsets=[-8, 0])), "its header holds -8, which is no extent and no offset"),
    "one offset": (file(a=entry(offsets=[8])), "tensor 'a' has no valid shape and offsets"),
    "offsets turned round": (file(a=entry(offsets=[8, 0])), "tensor 'a' does not have the bytes that its shape needs"),
    "offsets of 2^63": (file(a=entry(offsets=[0, 1 << 63])), "tensor 'a' has no valid shape and offsets"),
    "offsets of 2^200": (file(a=entry(offsets=[0, 1 << 200])), "which is no extent and no offset"),
    "too few bytes": (file(a=entry(offsets=[0, 4])), "tensor 'a' does not have the bytes that its shape needs"),
    "half a byte": (file(2, a=entry("F4", [3], [0, 2])), "tensor 'a' does not have the bytes that its shape needs"),
    "an overflowing shape": (
        file(a=entry(shape=[1 << 62, 1 << 62, 2])),
        "tensor 'a' has a shape that no machine can count",
    ),
    "an overflow behind a zero": (
        file(0, a=entry(shape=[1 << 62, 1 << 62, 0], offsets=[0, 0])),
        "tensor 'a' has a shape that no machine can count",
    ),
    "a million dimensions": (file(4, a=entry(shape=[1] * 1_000_000, offsets=[0, 4])), "has no valid shape and offsets"),
    "an overlap": (
        file(12, a=entry(), b=entry(offsets=[4, 12])),
        "tensor 'b' overlaps the one before it",
    ),
    "a hole": (file(20, a=entry(), b=entry(offsets=[12, 20])), "before tensor 'b' is a hole of 4 bytes"),
    "a hole at the beginning": (file(12, a=entry(offsets=[4, 12])), "before tensor 'a' is a hole of 4 bytes"),
    "truncated": (file(7, a=entry()), "it is truncated: its tensors take 8 bytes and the file has 7"),
    "bytes at the end": (file(9, a=entry()), "1 bytes follow its last tensor"),
    "bytes and no tensor": (framed(b"{}", b"x"), "1 bytes follow its last tensor"),
    "metadata with a number": (file(a=entry(), __metadata__={"a": 1}), "`__metadata__` is no mapping of texts"),
    "metadata that is null": (file(a=entry(), __metadata__=None), "`__metadata__` is no mapping of texts"),
    "metadata that is a text": (file(a=entry(), __metadata__="pt"), "`__metadata__` is no mapping of texts"),
    "metadata with half a pair": (file(a=entry(), __metadata__={"a": "\ud800"}), "`__metadata__` is no mapping of"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_named_with_what_is_wrong(name: str) -> None:
    content, problem = DAMAGED[name]
    with pytest.raises(InvalidInput) as caught:
        read(content)
    (line,) = caught.value.lines()
    assert line.startswith("w.safetensors: MR405 is no sound safetensors file: ")
    assert problem in line
    assert line.endswith("; save or fetch it again")
    assert len(line) < 400


def test_a_file_cut_anywhere_is_damaged() -> None:
    content = file(8, a=entry(), __metadata__={"format": "pt"})
    for stop in range(len(content)):
        with pytest.raises(InvalidInput, match="MR405"):
            read(content[:stop])


def test_a_sound_header_says_where_everything_is() -> None:
    content = file(9, b=entry(offsets=[0, 8]), a=entry("U8", [], [8, 9]), z=entry("F32", [0, 3], [8, 8]))
    begin = len(content) - 9
    assert read(content) == Header(
        (
            Tensor("b", "F32", (2,), begin, begin + 8),
            Tensor("z", "F32", (0, 3), begin + 8, begin + 8),
            Tensor("a", "U8", (), begin + 8, begin + 9),
        ),
        {},
    )
    assert read(file(8, a=entry(), __metadata__={"format": "pt"})).metadata == {"format": "pt"}
    assert read(framed(b"{}  \n")).tensors == ()


def test_a_header_is_never_longer_than_its_bound(tmp_path: Path) -> None:
    """A file of holes: nothing of it may be read, or it would take all memory."""
    path = tmp_path / "w.safetensors"
    with path.open("wb") as stream:
        stream.write((MAX_HEADER + 1).to_bytes(8, "little") + b"{")
        stream.truncate(1 << 40)
    with pytest.raises(InvalidInput, match="its header is longer than 32 MB"):
        check_header(path)


def test_the_worst_header_stays_within_a_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    text = b'{"a":[' + b"[]," * ((MAX_HEADER - 20) // 3) + b"[]]}"
    path.write_bytes(framed(text))
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from modelrelease.errors import InvalidInput\n"
        "from modelrelease.records.safetensors_header import check_header\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({1 << 30}, -1))\n"
        "try: check_header(Path(sys.argv[1]))\n"
        "except InvalidInput as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert "tensor 'a' has something else than dtype" in done.stdout


torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors")


def accepted_by_the_library(content: bytes) -> dict[str, Any] | None:
    """Each tensor's type, shape and bytes as the library reads them; None where it does not."""
    try:
        return {name: (view["dtype"], tuple(view["shape"]), len(view["data"])) for name, view in deserialize(content)}
    except safetensors.SafetensorError:
        return None


def deserialize(content: bytes) -> Any:
    return safetensors.deserialize(content)


@pytest.mark.parametrize("dtype", sorted(BITS))
def test_the_library_and_we_agree_on_the_size_of_every_type(dtype: str) -> None:
    content = file(BITS[dtype], a=entry(dtype, [8], [0, BITS[dtype]]))
    assert accepted_by_the_library(content) == {"a": (dtype, (8,), BITS[dtype])}
    assert [tensor.dtype for tensor in read(content).tensors] == [dtype]


def test_what_the_library_writes_is_sound() -> None:
    from safetensors.torch import save

    tensors = {"a": torch.ones(3, 2), "b": torch.zeros(5).bfloat16(), "c": torch.zeros(0), "ü": torch.ones(())}
    header = read(save(tensors, metadata={"format": "pt"}))
    assert {tensor.name: tensor.shape for tensor in header.tensors} == {"a": (3, 2), "b": (5,), "c": (0,), "ü": ()}


NUMBERS = st.one_of(
    st.integers(0, 16), st.sampled_from([-1, 1 << 31, 1 << 63, 1 << 64, 1 << 70, 2.0, 1e400, True, None, "1"])
)
KEYS = st.one_of(st.sampled_from(["a", "b", "__metadata__", "\ud800"]), st.text(max_size=3))
ENTRIES = st.one_of(
    st.fixed_dictionaries(
        {
            "dtype": st.one_of(st.sampled_from(sorted(BITS)), st.sampled_from(["f32", "", None, 7])),
            "shape": st.lists(NUMBERS, max_size=3),
            "data_offsets": st.lists(NUMBERS, min_size=1, max_size=3),
        }
    ),
    st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "format", "x"]), NUMBERS),
    NUMBERS,
)


@st.composite
def packed(draw: st.DrawFn) -> bytes:
    """A file that may well be sound: tensors laid end to end, in any order of their names, with blanks behind."""
    header: dict[str, object] = {}
    end = 0
    for name in draw(st.lists(st.text(max_size=4), unique=True, max_size=4)):
        dtype = draw(st.sampled_from(sorted(BITS)))
        shape = draw(st.lists(st.integers(0, 4), max_size=3))
        bits = BITS[dtype]
        for extent in shape:
            bits *= extent
        stop = end + draw(st.sampled_from([0, 0, 0, 0, 1, -1])) + bits // 8
        header[name] = entry(dtype, shape, [end, stop])
        end = max(stop, 0)
    if draw(st.booleans()):
        header["__metadata__"] = draw(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2))
    text = json.dumps(header, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return framed(text + b" " * draw(st.integers(0, 8)), bytes(end))


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """A file with anything in its header."""
    text = json.dumps(draw(st.dictionaries(KEYS, ENTRIES, max_size=3))).encode()
    return framed(text, bytes(draw(st.integers(0, 64))))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sound file with some of its bytes changed, inserted or gone."""
    content = bytearray(draw(packed()))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        new = draw(st.one_of(st.binary(max_size=2), st.sampled_from([b"-0", b"1e1", b'"a"', b"[", b"}", b",", b"9"])))
        content[place : place + draw(st.integers(0, 2))] = new
    if draw(st.booleans()) and len(content) >= 8:  # a length that fits again
        size = content.find(b"}}") + 2 - 8
        content[:8] = max(size, 0).to_bytes(8, "little")
    return bytes(content)


@given(st.one_of(packed(), headers(), mutated(), st.binary(max_size=64)))
@example(framed(b'{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}'))
def test_whatever_we_accept_the_library_accepts_and_reads_alike(content: bytes) -> None:
    try:
        ours = read(content)
    except InvalidInput as error:
        assert error.findings[0].code.value == "MR405"  # noqa: PT017 - and nothing else is ever raised
        return
    theirs = accepted_by_the_library(content)
    assert theirs == {tensor.name: (tensor.dtype, tensor.shape, tensor.stop - tensor.start) for tensor in ours.tensors}
