"""Files on their way to and from GitHub: where they may go, and what they are."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, escape_controls, shorten


@dataclass(frozen=True)
class Upload:
    """A file to send: ``size`` bytes from ``source``, under ``name``."""

    name: str
    size: int
    source: Path | bytes
    content_type: str = "application/octet-stream"

    def open(self) -> BinaryIO:
        """Return its bytes from the first on."""
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")


def refuse_strange_address(api_url: str, address: str) -> None:
    """Raise Unavailable (exit 3) where ``address``, which an answer gave, is not of the GitHub at ``api_url``.

    It is where the token goes. GitHub takes files at the API's own host, or at ``uploads.`` where that is ``api.``.
    """
    ours = urlsplit(api_url)
    try:
        theirs = urlsplit(address)
        place = (theirs.scheme, theirs.hostname, theirs.port, theirs.username)
    except ValueError:
        theirs, place = urlsplit(""), ("", None, None, None)
    host = ours.hostname or ""
    hosts = {host, f"uploads.{host.removeprefix('api.')}"} if host.startswith("api.") else {host}
    if place not in {(ours.scheme, name, ours.port, None) for name in hosts}:
        shown = escape_controls(shorten(f"{theirs.scheme}://{theirs.netloc.rpartition('@')[2]}", 100))
        message = f"GitHub's answer sends files to {shown}, which is not of {ours.scheme}://{ours.netloc}"
        todo = "nothing was sent there; see that GITHUB_API_URL is the address of your GitHub"
        raise Unavailable(Finding("GITHUB_API_URL", Code.UNAVAILABLE, message, todo))


def digest_of(pieces: Iterable[bytes], size: int) -> str:
    """Return the sha256 of the bytes in ``pieces``; ValueError where they are more or fewer than ``size``."""
    digest, read = hashlib.sha256(), 0
    for piece in pieces:
        read += len(piece)
        if read > size:
            break
        digest.update(piece)
    if read != size:
        raise ValueError(f"{size} bytes were to come")
    return digest.hexdigest()
