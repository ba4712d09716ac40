"""How huggingface_hub talks: never without end, and never trying again behind our back what may have been done.

Its client waits for ever by default, and tries some requests again after as long as a server asks for. Requests to the
Hub's API fail here at the first error instead, and whoever asked decides; transfers of files it may try again itself.
"""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 60.0
"""Seconds without a byte before the connection counts as lost."""
TRANSFER_TIMEOUT = 300.0
MAX_RETRY_AFTER = 30
MAX_ANSWER = 64 << 20
"""Bytes of one answer of the API; the longest is a page of a file list, a few hundred bytes a file."""
MAX_REQUESTS = 1000
"""Requests for one thing that is asked: a list that comes in more pages has no end."""
_PATIENT = 10
_API = "/api/"

_LOCK = threading.Lock()
_in_force: float | None = None
_trusted: set[tuple[str, str | None, int | None]] = set()
_left: ContextVar[int] = ContextVar("_left", default=MAX_REQUESTS)


class Lost(Exception):
    """The connection failed, or nothing came in time."""


class Strange(ValueError):
    """An answer, or an address in one, that the Hub does not give."""


def trust(*addresses: str) -> None:
    """Let credentials go to these servers; an answer may name others, and those get none."""
    _trusted.update(_origin(address) for address in addresses)


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


@contextlib.contextmanager
def bounded(requests: int | None = None) -> Iterator[None]:
    """Let no more than so many requests be made inside, ``MAX_REQUESTS`` unless said."""
    token = _left.set(requests if requests is not None else MAX_REQUESTS)
    try:
        yield
    finally:
        _left.reset(token)


def set_up(timeout: float = TIMEOUT) -> None:
    """Let every request of huggingface_hub in this process go by these rules; no bars, no warnings of its own.

    Once for a timeout: a change closes the connections that other threads may be using.
    """
    global _in_force  # noqa: PLW0603  as global as what it is about
    with _LOCK:
        if _in_force != timeout:
            _install(timeout)
            _in_force = timeout


def _install(timeout: float) -> None:
    import huggingface_hub
    from huggingface_hub.utils import _http

    utils: Any = huggingface_hub.utils

    def client() -> Any:
        made: Any = _http.default_client_factory()
        # One of its hooks refuses everything when HF_HUB_OFFLINE is set, as scoring does; publishing was asked for.
        made.event_hooks = {"request": [], "response": []}
        made.send = _guarded(made.send, timeout)
        return made

    huggingface_hub.set_client_factory(client)
    huggingface_hub.get_session()  # made here, since older versions make one for each thread that comes first
    utils.disable_progress_bars()
    # Its own lines hold addresses that are as good as tokens.
    utils.logging.set_verbosity(utils.logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"huggingface_hub\.")
    warnings.filterwarnings("ignore", message="Use 'content=", category=DeprecationWarning)  # how it calls httpx


def _guarded(send: Any, timeout: float) -> Any:
    import huggingface_hub

    utils: Any = huggingface_hub.utils

    def guarded(request: Any, **options: Any) -> Any:
        _refuse_strange(request)
        api = request.url.path.startswith(_API)
        longest = timeout if api else max(timeout, TRANSFER_TIMEOUT)
        limits = request.extensions.get("timeout", {})
        known = {name: limits.get(name) or longest for name in ("connect", "read", "write", "pool")}
        request.extensions["timeout"] = {**known, "connect": min(known["connect"], 20.0, timeout)}
        whole = api and not options.get("stream")
        try:
            answer = send(request, **{**options, "stream": True} if whole else options)
            if whole:
                _read(answer, time.monotonic() + _PATIENT * longest)
        except Exception as error:
            if api and is_transport_error(error):
                raise Lost(type(error).__name__) from None
            raise
        if _ours(answer, api):
            answer.read()
            utils.hf_raise_for_status(answer)
        return answer

    return guarded


def _refuse_strange(request: Any) -> None:
    _left.set(_left.get() - 1)
    if _left.get() < 0:
        raise Strange("the answer has no end")
    if "authorization" in request.headers and _origin(str(request.url)) not in _trusted:
        raise Strange("the answer names another server")


def _read(answer: Any, deadline: float) -> None:
    """Read an answer, as its own ``read`` does, but neither without end nor for ever; what is too long is closed."""
    pieces: list[bytes] = []
    left = MAX_ANSWER
    try:
        for piece in answer.iter_bytes():
            left -= len(piece)
            if left < 0 or time.monotonic() > deadline:
                raise Strange("the answer has no end")
            pieces.append(piece)
    finally:
        answer.close()
    answer._content = b"".join(pieces)


def _ours(answer: Any, api: bool) -> bool:
    """Say whether a failure is ours to judge: all of the API's, and waits that are too long to sit out elsewhere."""
    if not (answer.status_code in {408, 429} or answer.status_code >= 500):
        return False
    after = answer.headers.get("retry-after", "0")
    return api or not (after.isdigit() and len(after) < 6 and int(after) <= MAX_RETRY_AFTER)


def is_transport_error(error: BaseException) -> bool:
    """Say whether an error is the HTTP library's for a connection that failed: httpx before 2.0, httpx2 since."""
    return any(
        kind.__name__ in {"TransportError", "StreamError"} and kind.__module__.startswith("httpx")
        for kind in type(error).__mro__
    )
