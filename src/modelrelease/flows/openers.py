"""Opening the files at an address: on a disk, through fsspec, on the Hub. What fails outside is exit 3, in words."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from modelrelease.codes import Code
from modelrelease.errors import Finding, ModelreleaseError, Unavailable, shorten
from modelrelease.records.addresses import Address

_DENIED, _MISSING = (401, 403), 404
_SHOWN = 200


class Stream:
    """The bytes of one file; what its client raises is told as Unavailable."""

    def __init__(self, stream: Any, where: str) -> None:
        self._stream = stream
        self._where = where

    def read(self, count: int) -> bytes:
        """Return up to ``count`` bytes, none at the end."""
        with told(self._where):
            return bytes(self._stream.read(count))


Opener = Callable[[str], AbstractContextManager[Stream]]
"""From a path below an address to its bytes."""


@dataclass(frozen=True)
class Hub:
    """How the Hub is reached: its address (None: the client's own), and whether it may be."""

    endpoint: str | None = None
    offline: bool = False


@contextmanager
def opened(address: Address, hub: Hub) -> Iterator[Opener]:
    """Give an opener for the files below ``address``, for as long as it is needed.

    It and its streams raise Unavailable (exit 3): a library that is not installed (MR602), or what is outside does
    not answer or does not let us in (MR603).
    """
    if address.kind == "hub":
        with reachable(hub) as client:
            # Without blocks a file is one stream, whose length nobody has to ask for.
            system = client.HfFileSystem(endpoint=hub.endpoint, skip_instance_cache=True)
            place = f"{address.repository}@{address.revision}"
            yield _opener(address, lambda path: system.open(f"{place}/{path}", "rb", block_size=0))
    elif address.kind == "file":
        yield _opener(address, lambda path: _open_file(address.path / path))
    else:
        with told(address.text):
            open_file = _by_fsspec(address.text)
        yield _opener(address, open_file)


def _opener(address: Address, open_file: Callable[[str], Any]) -> Opener:
    @contextmanager
    def opener(path: str) -> Iterator[Stream]:
        with told(f"{address.text}/{path}"):
            stream = open_file(path)
        try:
            yield Stream(stream, f"{address.text}/{path}")
        finally:
            with suppress(Exception):  # everything that counts was read
                stream.close()

    return opener


@contextmanager
def reachable(hub: Hub) -> Iterator[Any]:
    """Give huggingface_hub, allowed to use the network until the end, whatever scoring has forbidden it before."""
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError as error:
        todo = 'pip install "modelrelease[hub]"'
        message = "models on the Hub need huggingface_hub"
        raise Unavailable(Finding("modelrelease", Code.MISSING_EXTRA, message, todo)) from error
    if hub.offline:
        raise Unavailable(Finding("HF_HUB_OFFLINE", Code.UNAVAILABLE, "forbids the Hub", "unset it, and run again"))
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield huggingface_hub
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn what a client raises, which can be anything, into one line about ``where``."""
    try:
        yield
    except ModelreleaseError:
        raise
    except ImportError as error:
        todo = f"install what it names, or `pip install {error.name}`" if error.name else "install what it names"
        raise Unavailable(Finding(where, Code.MISSING_EXTRA, _first_line(error), todo)) from error
    except Exception as error:
        raise _unavailable(where, error) from error


def _unavailable(where: str, error: Exception) -> Unavailable:
    status = getattr(getattr(error, "response", None), "status_code", None)
    chain = [error, error.__cause__, error.__context__]
    if status in _DENIED or isinstance(error, PermissionError) or any(map(_is_private, chain)):
        todo = "see that it exists, and give this job what may read it (on the Hub: HF_TOKEN)"
        return Unavailable(Finding(where, Code.UNAVAILABLE, f"does not let us in: {_first_line(error)}", todo))
    if isinstance(error, FileNotFoundError) or status == _MISSING:
        todo = "see that the address is right, and that the file still lies there"
        return Unavailable(Finding(where, Code.UNAVAILABLE, f"is not there: {_first_line(error)}", todo))
    message = f"could not be read: {type(error).__name__}: {_first_line(error)}"
    return Unavailable(Finding(where, Code.UNAVAILABLE, message, "see that it can be reached from here, and run again"))


def _is_private(error: BaseException | None) -> bool:
    return type(error).__name__ in {"RepositoryNotFoundError", "GatedRepoError"}


def _first_line(error: Exception) -> str:
    return shorten((str(error).strip().splitlines() or [type(error).__name__])[0], _SHOWN)


def _open_file(path: Path) -> BinaryIO:
    # A pull request may have named a pipe: opening it must not wait for whoever writes into it.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileNotFoundError("no regular file")
    return os.fdopen(handle, "rb")


def _by_fsspec(address: str) -> Callable[[str], Any]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        message = f"addresses such as {address.partition('://')[0]}:// need fsspec"
        raise Unavailable(Finding("modelrelease", Code.MISSING_EXTRA, message, "pip install fsspec")) from error
    system, root = url_to_fs(address)
    return lambda path: system.open(f"{root}/{path}", "rb")
