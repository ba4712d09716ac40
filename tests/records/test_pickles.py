"""Pickles by content: every protocol, cut and broken, compressed and archived; and what only looks like one."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import pickletools
import random
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelrelease.records.pickled import find_pickle, pickle_kind
from modelrelease.records.pickles import _OPCODES, HEAD, is_pickle

CANARY = Path("/nonexistent/it-ran")


class Hostile:
    """Unpickled, it would touch a file; touching one in a folder that is not there fails loudly."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (CANARY,)


def archive(name: str, data: bytes, method: int = zipfile.ZIP_STORED, before: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as out:
        for number in range(before):
            out.writestr(f"data/{number}", b"weights " * 20)
        out.writestr(name, data)
    return buffer.getvalue()


def streamed(data: bytes) -> bytes:
    """A zip written to a pipe: its entries' sizes stand behind them."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("first.txt", b"nothing " * 9)
        out.writestr("second", data)
    return pipe.getvalue()


def tar(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        for entry, content in (("sys_info", b"{}"), (name, data)):
            info = tarfile.TarInfo(entry)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def numpy_of(data: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'shape': (1,), }".ljust(117) + b"\n" + data


EVIL = pickle.dumps({"w": Hostile()}, protocol=4)
CALL = b"cposix\nsystem\n(S'touch /nonexistent/it-ran'\ntR"
PICKLES: dict[str, bytes] = {
    **{f"protocol {number}": pickle.dumps({"w": Hostile()}, number) for number in range(6)},
    **{f"data of protocol {number}": pickle.dumps({"w": [1.5, "a", None]}, number) for number in range(6)},
    "broken behind the call": CALL + b"\xff\xff\xff",
    "cut behind the call": CALL,
    "a mark that is popped first": b"(0" + CALL + b".",
    "an instance": b"(S'touch'\niposix\nsystem\n.",
    "a state": b"ccollections\nOrderedDict\n)\x81}b.",
    "names on the stack": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    "torch's magic number": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2),
    "more than is looked at": pickle.dumps([OrderedDict(a=number) for number in range(9000)], 4),
    "numbers, more than is looked at": pickle.dumps(list(range(90_000)), 2),
    "gzip": gzip.compress(EVIL),
    "zlib": zlib.compress(EVIL),
    "bzip2": bz2.compress(EVIL),
    "xz": lzma.compress(EVIL),
    "lzma": lzma.compress(EVIL, format=lzma.FORMAT_ALONE),
    "torch's zip": archive("archive/data.pkl", EVIL),
    "a zip, under another name": archive("weights", EVIL),
    "a zip, behind others": archive("weights", EVIL, before=30),
    "a deflated zip": archive("data.pkl", EVIL, zipfile.ZIP_DEFLATED, before=5),
    "a zip through a pipe": streamed(EVIL),
    "a zip in gzip": gzip.compress(archive("data.pkl", EVIL, zipfile.ZIP_DEFLATED)),
    "gzip in a zip in gzip": gzip.compress(archive("x", gzip.compress(EVIL))),
    "tar": tar("pickle", EVIL),
    "tar in gzip": gzip.compress(tar("pickle", EVIL)),
    "numpy": numpy_of(EVIL),
    "numpy in a zip": archive("w.npy", numpy_of(EVIL)),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_known_under_any_name_and_in_any_wrapping(name: str) -> None:
    finding = find_pickle(PICKLES[name][:HEAD], "model.safetensors")
    assert finding is not None
    assert str(finding).startswith("model.safetensors: MR404 is a")
    assert "which can run code when it is read; save the weights as safetensors" in str(finding)


def test_what_torch_and_numpy_and_joblib_write_is_known(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    numpy = pytest.importorskip("numpy")
    path = tmp_path / "w"
    kinds = []
    for legacy in (False, True):
        torch.save({"w": torch.ones(3)}, path, _use_new_zipfile_serialization=not legacy)
        kinds.append(pickle_kind(path.read_bytes()[:HEAD]))
    numpy.savez(tmp_path / "z.npz", w=numpy.array([{}], dtype=object))
    kinds.append(pickle_kind((tmp_path / "z.npz").read_bytes()))
    assert kinds[0] == kinds[2] == "an archive of pickled weights, as torch.save writes them"
    assert kinds[1] == "a pickle"
    numpy.savez_compressed(tmp_path / "z.npz", w=numpy.ones(3))
    assert pickle_kind((tmp_path / "z.npz").read_bytes()) is None


HARMLESS: dict[str, bytes] = {
    "empty": b"",
    "text that begins like an import": b"collections\nare listed here\n",
    "text that goes on like a call": b"cats\ndogs\nRabbits\nbirds\n",
    "python": b"import collections\nc = 1\n",
    "a dot": b".",
    "none, and a dot": b"N.",
    "a number and a dot": b"I1\n.",
    "utf-16": b"\xff\xfea\x00",
    "words behind a protocol": b"\x80\x02 is how a pickle begins",
    "a protocol that is none": b"\x80\x06]K\x01a.",
    "an argument beyond the end": b"\x80\x04\x8e" + b"\xff" * 8,
    "the same letter": b"N" * HEAD,
    "zeros": bytes(HEAD),
    "a genome": b"NNNNACGT" * 9000,
    "a zip of texts": archive("a.txt", b"collections\n" * 9, zipfile.ZIP_DEFLATED, before=3),
    "a zip that is cut": b"PK\x03\x04" + bytes(40),
    "gzip of text": gzip.compress(b"words " * 99),
    "gzip that is broken": b"\x1f\x8b\x08" + bytes(40),
    "tar of texts": tar("a.txt", b"words"),
    "tar with a size that is no number": tar("a", b"b").replace(b"00000000001\0", b"9999999999x\0"),
    "safetensors": (16).to_bytes(8, "little") + b"{}              ",
    "numpy": numpy_of(b"\0" * 80).replace(b"|O", b"<f"),
    "a sentencepiece vocabulary": b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02" * 9,
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_only_looks_like_a_pickle_passes(name: str) -> None:
    assert find_pickle(HARMLESS[name][:HEAD], "x") is None


def test_every_file_of_this_repository_passes() -> None:
    """Hundreds of real texts, and not one finding."""
    root = Path(__file__).resolve().parents[2]
    files = [path for folder in ("src", "tests", "docs") for path in (root / folder).rglob("*") if path.is_file()]
    texts = [path for path in files if "__pycache__" not in path.parts]
    assert len(texts) > 300
    assert [path for path in texts if find_pickle(path.read_bytes()[:HEAD], "x")] == []


def test_bombs_are_looked_at_in_small_pieces() -> None:
    import tracemalloc

    bomb = gzip.compress(gzip.compress(bytes(1 << 28)))
    many = b"".join(archive(str(number), b"x") for number in range(2000))[:HEAD]
    huge_window = b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F" + bytes(60)
    tracemalloc.start()
    assert [find_pickle(data[:HEAD], "x") for data in (bomb, many, huge_window)] == [None] * 3
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_the_table_is_that_of_pickletools() -> None:
    assert set(_OPCODES) == {opcode.code for opcode in pickletools.opcodes}
    widths = {-1: "n", -2: "+1", -3: "+4", -4: "+4", -5: "+8"}
    appending = {"e", "u", "\x90"}  # they leave the list, the dict or the set below the mark where it is
    peeking = {"p", "q", "r"}  # they remember what is on top, so there has to be something
    for opcode in pickletools.opcodes:
        before, after = ([item.name for item in stack] for stack in (opcode.stack_before, opcode.stack_after))
        width = 0 if opcode.arg is None else opcode.arg.n
        pair = opcode.arg is not None and "pair" in opcode.arg.name
        takes = "m" if "mark" in before else str(len(before))
        puts = "(" if after == ["mark"] else str(0 if opcode.code in appending else len(after))
        expected = ("nn" if pair else widths.get(width, str(width)), takes, puts)
        if opcode.code in peeking:
            expected = (expected[0], "1", "1")
        assert _OPCODES[opcode.code] == expected, opcode.name


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary()),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.text(), inner), st.tuples(inner, inner), st.frozensets(st.integers())
    ),
)


@given(VALUES, st.integers(2, 5))
def test_whatever_python_pickles_is_one(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assert is_pickle(data[:HEAD], whole=len(data) < HEAD)
    assert is_pickle(pickle.dumps([value, Hostile()], protocol=protocol - 2), whole=True)


def _mutated(seed: int) -> bytes:
    rng = random.Random(seed)
    data = bytearray(rng.choice(list(PICKLES.values()))[:HEAD])
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


@given(st.one_of(st.binary(max_size=300), st.builds(_mutated, st.integers(0, 1 << 30))))
def test_no_bytes_raise_anything(data: bytes) -> None:
    kind = pickle_kind(data)
    assert kind is None or kind.startswith("a")
