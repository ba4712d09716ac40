"""Where weights may lie outside of their version folder, as text: what model.json's ``source`` may say. Pure.

A model.json comes with a pull request, so an address says what to read and nothing else: no password, no wrapper that
opens another address, unpacks or renders something, and on the Hub a commit, since a branch moves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

HUB = "hf://"
MAX_LENGTH = 2000
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
_REPOSITORY = re.compile(rf"{_NAME}/{_NAME}")
_OTHER_KINDS = ("buckets/", "datasets/", "kernels/", "models/", "spaces/")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]{0,199}")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30})://")
# fsspec's file systems that open another address, an archive, or a description of more addresses; what a source names
# is read, never interpreted. Source: fsspec.registry.known_implementations.
_WRAPPERS = frozenset(
    {
        "asynclocal", "async_wrapper", "blockcache", "cached", "data", "dask", "dir", "filecache", "generic", "git",
        "jupyter", "jlab", "libarchive", "local", "reference", "root", "simplecache", "tar", "zip",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Address:
    """A folder of checkpoint files: on the Hub (``repository``, ``revision``), on a disk (``path``), or by fsspec."""

    kind: Literal["hub", "file", "fsspec"]
    text: str
    repository: str = ""
    revision: str = ""
    path: Path = Path()

    @property
    def is_pinned(self) -> bool:
        """Whether it names one commit for good; other kinds are held against the digests alone."""
        return self.kind != "hub" or _COMMIT.fullmatch(self.revision) is not None


def parse_source(text: str) -> Address:
    """Return what model.json's ``source`` names; ValueError "what is wrong; what to do" where it may not be used."""
    address = parse_hub(text) if text.startswith(HUB) else _parse_other(text)
    if not address.is_pinned:
        raise ValueError("names a branch or a tag, which can move; write the commit: hf://org/name@<40 digits>")
    return address


def parse_hub(text: str) -> Address:
    """Return what ``hf://org/name[@revision]`` names, at ``main`` unless said; ValueError as above."""
    name, _, revision = text.removeprefix(HUB).partition("@")
    if not _REPOSITORY.fullmatch(name) or f"{name}/".startswith(_OTHER_KINDS):
        raise ValueError("is no model on the Hub; write it as hf://org/name@revision")
    revision = revision or "main"
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise ValueError("names no revision; write a commit, a tag or a branch after the `@`")
    return Address("hub", text, repository=name, revision=revision)


def _parse_other(text: str) -> Address:
    scheme = _SCHEME.match(text.rpartition("::")[2])
    if scheme is None or len(text) > MAX_LENGTH or not text.isprintable():
        raise ValueError("is no address; write hf://org/name@commit, file:///folder, or one that fsspec reads")
    if scheme[1] == "file":
        return _parse_file(text)
    if "::" in text or scheme[1] in _WRAPPERS:
        raise ValueError("wraps another address; name the place where the files themselves lie")
    parts = _split(text)
    if parts.password is not None:
        raise ValueError("holds a password, which everybody with the repository can read; give it to the job instead")
    if parts.query or parts.fragment:  # a signed address is a password that runs out
        raise ValueError("has a query after the folder's name; name the folder alone, and give credentials to the job")
    return Address("fsspec", text.rstrip("/"))


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:  # a bracket that stays open
        raise ValueError("is no address; write it as the server's own pages do") from error


def _parse_file(text: str) -> Address:
    path = unquote(text.removeprefix("file://"))
    if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise ValueError("is not the address of a folder; write file:/// and its path from the root")
    return Address("file", text, path=Path(path))


def is_plain_path(path: str) -> bool:
    """Say whether ``path`` names a file below a checkpoint folder in the one way that there is to write it."""
    pure = PurePosixPath(path)
    return (
        path not in {"", "."}
        and not pure.is_absolute()
        and ".." not in pure.parts
        and pure.as_posix() == path
        and "\\" not in path
        and ":" not in path
        and path.isprintable()
    )
