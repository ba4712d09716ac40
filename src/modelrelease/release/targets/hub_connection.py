"""The client of huggingface_hub that all requests go through."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, invalid
from modelrelease.records.faults import quoted
from modelrelease.release.targets import hub_session
from modelrelease.release.targets.hub_failures import identify


def connect(endpoint: str | None, token: str | None, timeout: float, identity: str | None = None) -> Any:
    """Return huggingface_hub's HfApi, with its connections set up and known to have a token where one can be found.

    ``identity`` is the server that huggingface_hub asks who this job is, where it publishes by that.

    Raises InvalidInput (MR601) for settings that cannot be, Unavailable (MR602) where huggingface_hub is not installed,
    Failed where trusted publishing is refused.
    """
    from modelrelease import __version__

    _check_settings(endpoint, token)
    try:
        from huggingface_hub import HfApi, constants
    except ImportError as error:
        message = f"publishing to the Hub needs {error.name}"
        todo = 'install it: pip install "modelrelease[hub]"'
        raise Unavailable(Finding("modelrelease", Code.MISSING_EXTRA, message, todo)) from error
    hub_session.set_up(timeout)
    hub_session.trust(endpoint or constants.ENDPOINT, *([identity] if identity is not None else []))
    identify(token)
    return HfApi(endpoint=endpoint, token=token, library_name="modelrelease", library_version=__version__)


def _check_settings(endpoint: str | None, token: str | None) -> None:
    """Raise InvalidInput (MR601) for what no server would ever be asked with."""
    address = urlsplit(endpoint or "https://huggingface.co")
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise invalid(
            "HF_ENDPOINT", Code.USAGE, f"{quoted(str(endpoint))} is no address", "such as https://huggingface.co"
        )
    if token is not None and not re.fullmatch(r"[!-~]+", token):
        todo = "pass the token alone, without a line end"
        raise invalid("HF_TOKEN", Code.USAGE, "holds characters that no token has", todo)
