"""How huggingface_hub talks: never without end, and never trying again behind our back what may have been done.

Its client waits for ever by default, and tries some requests again after as long as a server asks for. Requests to the
Hub's API fail here at the first error instead, and whoever asked decides; transfers of files it may try again itself.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

TIMEOUT = 60.0
"""Seconds without a byte before the connection counts as lost."""
TRANSFER_TIMEOUT = 300.0
MAX_RETRY_AFTER = 30
_API = "/api/"


_LOCK = threading.Lock()
_in_force: float | None = None


class Lost(Exception):
    """The connection failed, or nothing came in time."""


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
        api = request.url.path.startswith(_API)
        longest = timeout if api else max(timeout, TRANSFER_TIMEOUT)
        limits = request.extensions.get("timeout", {})
        known = {name: limits.get(name) or longest for name in ("connect", "read", "write", "pool")}
        request.extensions["timeout"] = {**known, "connect": min(known["connect"], 20.0, timeout)}
        try:
            answer = send(request, **options)
        except Exception as error:
            if api and is_transport_error(error):
                raise Lost(type(error).__name__) from None
            raise
        if _ours(answer, api):
            answer.read()
            utils.hf_raise_for_status(answer)
        return answer

    return guarded


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
