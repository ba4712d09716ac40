from __future__ import annotations

import pytest

from modelrelease.errors import InvalidInput
from modelrelease.records.text import decode, refuse_lfs_pointer


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"a\nb\n", "a\nb\n"),
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"a\rb", "a\nb"),
        (b"a\r\r\nb", "a\n\nb"),
        (b"\xef\xbb\xbfa", "a"),
        (b"\xef\xbb\xbf\xef\xbb\xbfa", "\ufeffa"),
        ("é\u2028\x85".encode(), "é\u2028\x85"),
    ],
)
def test_line_ends_and_a_bom_are_dropped_and_nothing_else(data: bytes, text: str) -> None:
    assert decode(data, "f") == text


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        (b"caf\xe9", "f:1: MR202 byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"a\nb\n\xff", "f:3: MR202 byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"a\r\nb\rc\r\xff", "f:4: MR202 byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"a\n\xed\xa0\x80", "f:2: MR202 byte 0xed is not UTF-8; save the file as UTF-8"),
        (b"a\n\xc3", "f:2: MR202 byte 0xc3 is not UTF-8; save the file as UTF-8"),
        (b"a\n\nb\0", "f:3: MR202 holds a NUL byte, which no text has; remove it"),
    ],
)
def test_the_line_of_the_first_bad_byte_is_named(data: bytes, finding: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(data, "f")
    assert caught.value.lines() == [finding]


def test_an_lfs_pointer_is_named_with_the_command_that_fetches_the_file() -> None:
    with pytest.raises(InvalidInput) as caught:
        refuse_lfs_pointer(b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n", "d/x.jsonl")
    assert caught.value.lines() == ["d/x.jsonl: MR403 is a Git LFS pointer, not the file itself; run `git lfs pull`"]
    refuse_lfs_pointer(b"a text about version https://git-lfs.github.com/spec/v1", "d/x.jsonl")
