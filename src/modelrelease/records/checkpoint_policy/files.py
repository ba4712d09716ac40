"""A file as the policy sees it: a name, a size, and a way to its bytes, wherever they lie."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from modelrelease.records.pickles import HEAD


@dataclass(frozen=True)
class Content:
    """One file. ``path``: relative to what is published, with `/`; ``shown``: how findings name it; ``size``: bytes.

    ``open`` returns a stream of the file's bytes that can seek.
    """

    path: str
    shown: str
    size: int
    open: Callable[[], BinaryIO]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    def head(self) -> bytes:
        """Return the first ``HEAD`` bytes, or all there are."""
        with self.open() as stream:
            return stream.read(HEAD)

    def read(self) -> bytes:
        """Return all of the file: for what the policy bounds in size."""
        with self.open() as stream:
            return stream.read(self.size)


def content_of_file(path: Path, name: str, shown: str | Path | None = None) -> Content:
    """Return a file on disk as the policy sees it."""
    return Content(name, str(shown or path), path.stat().st_size, lambda: path.open("rb"))


def content_of_bytes(data: bytes, name: str, shown: str | None = None) -> Content:
    """Return bytes, as git or a server gave them, as the policy sees a file."""
    return Content(name, shown or name, len(data), lambda: io.BytesIO(data))
