"""The Hub's storage of large files: one file on disk for each content, written as it comes in."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

CHUNK = 1 << 20


class WrongContent(Exception):
    """What came is not what its name says."""


class Storage:
    """Objects by their sha256 below ``folder``, and the parts of those that come in several."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, oid: str) -> Path:
        """Return where an object lies, or would."""
        return self._folder / oid

    def size(self, oid: str) -> int | None:
        """Return an object's size, None where it is not there."""
        path = self.path(oid)
        return path.stat().st_size if path.exists() else None

    def put(self, oid: str, chunks: Iterable[bytes]) -> None:
        """Keep an object; WrongContent where its bytes do not have its digest."""
        digest = hashlib.sha256()
        temporary = self._folder / f"{uuid.uuid4().hex}.tmp"
        try:
            with temporary.open("wb") as stream:
                for chunk in chunks:
                    digest.update(chunk)
                    stream.write(chunk)
            if digest.hexdigest() != oid:
                raise WrongContent(oid)
            temporary.replace(self.path(oid))
        finally:
            temporary.unlink(missing_ok=True)

    def put_part(self, oid: str, number: int, chunks: Iterable[bytes]) -> str:
        """Keep one part of an object and return its etag."""
        digest = hashlib.md5(usedforsecurity=False)
        with self._part(oid, number).open("wb") as stream:
            for chunk in chunks:
                digest.update(chunk)
                stream.write(chunk)
        return digest.hexdigest()

    def join(self, oid: str, numbers: Iterable[int]) -> None:
        """Make an object of its parts."""
        parts = [self._part(oid, number) for number in numbers]
        self.put(oid, (chunk for part in parts for chunk in read(part)))
        for part in parts:
            part.unlink()

    def _part(self, oid: str, number: int) -> Path:
        return self._folder / f"{oid}.part{number:05d}"


def read(path: Path, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of a file from ``start`` up to ``stop``, in pieces."""
    with path.open("rb") as stream:
        stream.seek(start)
        left = (os.fstat(stream.fileno()).st_size if stop is None else stop) - start
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
