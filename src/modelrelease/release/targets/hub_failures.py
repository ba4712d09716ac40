"""What huggingface_hub's errors mean, in our words and without its own: those can hold tokens and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, invalid, shorten
from modelrelease.release.targets.hub_session import Lost, is_transport_error
from modelrelease.release.targets.patience import Failure

T = TypeVar("T")
_MAX_MESSAGE = 200
# Source: https://huggingface.co/docs/hub/security-tokens; whatever looks like one is not shown.
_TOKEN = re.compile(r"hf_\w{8,}|eyJ[\w-]{8,}[\w.-]*")
_TRUSTED = "trusted publishing failed: "
_STATUS = "https://status.huggingface.co"


class Failed(Exception):
    """A request that failed, and how."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__()


class LookAgain(Unavailable):
    """A write that failed, after a wait: it may have been done all the same. Look first."""


class Moved(Exception):
    """A write that was refused because the branch or name is no longer as it was: 409 and 412."""


class NotAllowed(Unavailable):
    """The Hub does not let us in, or not there."""


def attempt(call: Callable[[], T], token: str | None) -> T:
    """Return what a call of huggingface_hub gives; Failed for whatever it raises."""
    from huggingface_hub.errors import HfHubHTTPError, OIDCError

    try:
        return call()
    except HfHubHTTPError as error:
        raise Failed(_answered(error, token)) from None
    except OIDCError as error:
        message = _TRUSTED + _plain(str(error), token)
        raise Failed(Failure(401, message)) from None
    except Exception as error:
        raise Failed(_otherwise(error, token)) from None


def identify(token: str | None) -> None:
    """Find out who we are where no token was given, so that what fails there is not taken for another failure."""
    import huggingface_hub

    if token is not None:
        return
    try:
        attempt(huggingface_hub.get_token, None)
    except Failed as failed:
        failure = failed.failure
    else:
        return
    status = 401 if failure.status in {400, 401, 403, 404} else failure.status
    said = failure.message.removeprefix(_TRUSTED)
    raise Failed(Failure(status, _TRUSTED + said, failure.headers)) from None


def _answered(error: BaseException, token: str | None) -> Failure:
    response = getattr(error, "response", None)
    if response is None:
        return Failure(None, "the connection to the Hub failed")
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    said = headers.get("x-error-message") or headers.get("x-error-code")
    body = getattr(error, "server_message", None)
    message = said or (body if isinstance(body, str) and body else "no reason that can be read")
    return Failure(int(response.status_code), _plain(message, token), headers)


def _otherwise(error: BaseException, token: str | None) -> Failure:
    """Judge an error that is no answer of the Hub; what is no error of a library is raised on."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, ValueError) and str(error).startswith("Invalid metadata in README.md"):
        what = _plain(" ".join(str(error).split("\n")[1:]), token)
        message = f"has a head that the Hub does not take: {what}"
        raise invalid("README.md", Code.RELEASE_FILE, message, "mend the card") from None
    for cause in _chain(error):
        if isinstance(cause, HfHubHTTPError):
            return _answered(cause, token)
        if isinstance(cause, Lost) or is_transport_error(cause):
            return Failure(None, "the connection to the Hub failed, or nothing came in time")
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError) and error.filename:
        raise invalid(error.filename, Code.UNREADABLE, error.strerror or str(error), "put it back") from None
    if isinstance(error, ValueError | KeyError | TypeError | AttributeError | OSError | RuntimeError):
        return Failure(None, f"the Hub's answer is not what it should be ({type(error).__name__})")
    raise error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1


def _plain(text: str, token: str | None) -> str:
    """Return what somebody else said on one line and without a token."""
    hidden = text.replace(token, "***") if token else text
    return shorten(" ".join(_TOKEN.sub("***", hidden).split()), _MAX_MESSAGE)


def given_up(where: str, failure: Failure, reason: str) -> Unavailable:
    """Return the error for a request that is not tried again."""
    kind = NotAllowed if failure.status in {401, 403, 404} else Unavailable
    return kind(finding(where, failure, reason, _todo(where, failure)))


def finding(where: str, failure: Failure, reason: str, todo: str) -> Finding:
    """Return the finding for a failure."""
    message = f"{failure} ({reason})" if reason else str(failure)
    return Finding(where, Code.UNAVAILABLE, message, todo)


def _todo(where: str, failure: Failure) -> str:
    name = where.removeprefix("hf://")
    if failure.message.startswith(_TRUSTED):
        return (
            f"let {name} trust this repository, workflow and branch (Settings, Trusted publishers), give the job"
            f" `id-token: write` and set HF_OIDC_RESOURCE to {name}; or unset it and pass HF_TOKEN"
        )
    todos = {
        401: f"pass a valid token in HF_TOKEN, or set up trusted publishing for {name}",
        403: f"give the token write access to {name}, and see that its storage is not full",
        404: f"create the repository {name}, or give the token access to it",
        400: "report it as a defect of modelrelease",
        413: "publish fewer or smaller files",
        507: "free the Hub's storage",
    }
    return todos.get(failure.status or 0, f"run it again later; see {_STATUS}")
