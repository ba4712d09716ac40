"""GitHub's REST API through PyGithub, which brings authentication, pacing and what its errors mean.

What PyGithub leaves to us: it would send a write again without looking whether the first was done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, invalid, shorten
from modelrelease.github.patience import Failure, Patience
from modelrelease.github.transfer import Upload, digest_of, refuse_strange_address

API_URL = "https://api.github.com"
# A pull request has 2,500 comments at most; an endless list is no list of GitHub's.
MAX_PAGES = 100
_PER_PAGE = 100
_TIMEOUT = 30
_PIECE = 1 << 20
_MAX_MESSAGE = 200
_UNREADABLE = "GitHub's answer is not what it should be"

NO_QUERY: Mapping[str, str] = MappingProxyType({})

T = TypeVar("T")


class LookAgain(Unavailable):
    """A write that failed, after a wait: it may have been done, or somebody else has written since. Look first."""


class NotFound(Unavailable):
    """GitHub has nothing there, or does not show it to this token."""


class Forbidden(Unavailable):
    """GitHub knows the token and does not let it do this."""


class Rejected(Unavailable):
    """GitHub understood the request and does not do it (422): what it asks for may be there already."""


class Api(Protocol):
    """What the rest of this package asks of a client."""

    def get(self, path: str, read: Callable[[Any], T], *, needs: str) -> T:
        """Return what is there."""

    def pages(
        self, path: str, read: Callable[[Any], list[T]], *, needs: str, query: Mapping[str, str] = NO_QUERY
    ) -> Iterator[T]:
        """Yield everything in a list."""

    def write(self, verb: str, path: str, body: Any, read: Callable[[Any], T], *, needs: str) -> T:
        """Change something."""

    def upload(self, address: str, upload: Upload, read: Callable[[Any], T], *, needs: str) -> T:
        """Send a file to where GitHub said that it takes it."""

    def sha256(self, path: str, size: int, *, needs: str) -> str:
        """Return the sha256 of a file that GitHub keeps."""


class Client:
    """A client of one server with one token.

    ``needs`` of a request is the permission it takes (``pull-requests: write``), named where it is missing. ``read``
    turns an answer's JSON into a value, and raises ValueError where it is not what GitHub would say. Raises
    Unavailable (exit 3) when GitHub does not answer, does not let us in, or has no such thing.
    """

    def __init__(self, api_url: str, token: str, patience: Patience, *, pause: float | None = None) -> None:
        """``pause``: seconds between requests and between writes; PyGithub's own (0.25 and 1) unless said."""
        from github import Auth, Github

        if urlsplit(api_url).scheme not in {"http", "https"} or not urlsplit(api_url).hostname:
            raise invalid("GITHUB_API_URL", Code.USAGE, f"{api_url!r} is no address", f"such as {API_URL}")
        if not re.fullmatch(r"[!-~]+", token):
            todo = "pass the token alone, without a line end"
            raise invalid("GITHUB_TOKEN", Code.USAGE, "holds characters that no token has", todo)
        pace: dict[str, Any] = (
            {} if pause is None else {"seconds_between_requests": pause, "seconds_between_writes": pause}
        )
        # Without retries of its own: they wait in silence, and would send a POST twice.
        made = Github(auth=Auth.Token(token), base_url=api_url.rstrip("/"), timeout=_TIMEOUT, retry=None, **pace)
        self._requester = made.requester
        self._api_url = api_url
        self._token = token
        self._patience = patience

    def get(self, path: str, read: Callable[[Any], T], *, needs: str) -> T:
        """Return what is at ``path``."""
        return self._insist("GET", path, None, lambda _, data: read(data), needs)

    def pages(
        self, path: str, read: Callable[[Any], list[T]], *, needs: str, query: Mapping[str, str] = NO_QUERY
    ) -> Iterator[T]:
        """Yield all items of the list at ``path`` that ``query`` asks for, page after page."""

        def page(headers: Mapping[str, str], data: Any) -> tuple[list[T], bool]:
            return read(data), 'rel="next"' in headers.get("link", "")

        for number in range(1, MAX_PAGES + 1):
            asked = urlencode({**query, "per_page": _PER_PAGE, "page": number})
            items, more = self._insist("GET", f"{path}?{asked}", None, page, needs)
            yield from items
            if not more:
                return
        message = f"the list does not end after {MAX_PAGES} pages"
        raise Unavailable(Finding(f"GET {path}", Code.UNAVAILABLE, message, "report it to whoever runs this GitHub"))

    def write(self, verb: str, path: str, body: Any, read: Callable[[Any], T], *, needs: str) -> T:
        """Return what ``read`` makes of the answer to a POST, PATCH, PUT or DELETE.

        It is asked for once. Where another try could help, LookAgain is raised after the wait before it.
        """
        return self._insist(verb, path, body, lambda _, data: read(data), needs)

    def upload(self, address: str, upload: Upload, read: Callable[[Any], T], *, needs: str) -> T:
        """Return what ``read`` makes of the answer to an upload, read from disk as it is sent; asked for once.

        ``address`` is GitHub's own, as an answer gave it: nothing is sent to a host that is not this GitHub's. Raises
        OSError where the file cannot be opened.
        """
        refuse_strange_address(self._api_url, address)

        def send() -> tuple[Mapping[str, str], Any]:
            with upload.open() as stream:
                parameters = {"name": upload.name}
                headers = {"Content-Type": upload.content_type, "Content-Length": str(upload.size)}
                answer: tuple[Mapping[str, str], Any] = self._requester.requestMemoryBlobAndCheck(
                    "POST", address, parameters, headers, stream
                )
                return answer

        return self._tried(f"POST {upload.name}", send, lambda _, data: read(data), needs, again=False)

    def sha256(self, path: str, size: int, *, needs: str) -> str:
        """Return the sha256 of the file of ``size`` bytes at ``path``, read in pieces and never further."""

        def fetch() -> tuple[Mapping[str, str], Any]:
            _, headers, pieces = self._requester.getStream(path, chunk_size=_PIECE)
            return headers, digest_of(pieces, size)

        return self._tried(f"GET {path}", fetch, lambda _, digest: str(digest), needs, again=True)

    def _insist(self, verb: str, path: str, body: Any, read: Callable[[Mapping[str, str], Any], T], needs: str) -> T:
        def ask() -> tuple[Mapping[str, str], Any]:
            answer: tuple[Mapping[str, str], Any] = self._requester.requestJsonAndCheck(verb, path, input=body)
            return answer

        return self._tried(f"{verb} {path}", ask, read, needs, again=verb == "GET")

    def _tried(
        self,
        request: str,
        ask: Callable[[], tuple[Mapping[str, str], Any]],
        read: Callable[[Mapping[str, str], Any], T],
        needs: str,
        *,
        again: bool,
    ) -> T:
        """Return what ``read`` makes of an answer; ``again``: the request changes nothing and can be sent twice."""
        while True:
            try:
                return read(*self._once(ask))
            except _Failed as failed:
                failure = failed.failure
            except ValueError:
                failure = Failure(None, _UNREADABLE)
            # Neither the exception nor its chain: both can quote what a server said, and that can be the token.
            reason = self._patience.wait(request, failure)
            if reason is not None:
                raise _given_up(request, failure, reason, needs) from None
            if not again:
                raise LookAgain(_finding(request, failure, "", "run it again")) from None

    def _once(self, ask: Callable[[], tuple[Mapping[str, str], Any]]) -> tuple[Mapping[str, str], Any]:
        from github import GithubException
        from requests import HTTPError, RequestException, Timeout

        try:
            return ask()
        except GithubException as error:
            raise _Failed(Failure(error.status, self._message(error.data), error.headers or {})) from None
        except Timeout:
            raise _Failed(Failure(None, f"GitHub did not answer within {_TIMEOUT} s")) from None
        except HTTPError as error:  # PyGithub's for a stream; its text holds the address
            status = error.response.status_code if error.response is not None else None
            raise _Failed(Failure(status, "the file could not be read back")) from None
        except RequestException:
            raise _Failed(Failure(None, "the connection to GitHub failed")) from None
        except (AttributeError, AssertionError):  # PyGithub's for an error whose body is no object
            raise _Failed(Failure(None, _UNREADABLE)) from None
        except RuntimeError:  # PyGithub's for an answer that sends us to another host
            raise _Failed(Failure(301, "it sends us to another address")) from None

    def _message(self, data: Any) -> str:
        """Return what an error's body says, on one line and without the token, should it come back."""
        text = data.get("message") if isinstance(data, dict) else None
        plain = text if isinstance(text, str) and text else "no reason that can be read"
        return shorten(" ".join(plain.replace(self._token, "***").split()), _MAX_MESSAGE)


class _Failed(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__()


def _given_up(request: str, failure: Failure, reason: str, needs: str) -> Unavailable:
    kinds: dict[int | None, type[Unavailable]] = {403: Forbidden, 404: NotFound, 410: NotFound, 422: Rejected}
    return kinds.get(failure.status, Unavailable)(_finding(request, failure, reason, _todo(failure, needs)))


def _finding(request: str, failure: Failure, reason: str, todo: str) -> Finding:
    message = f"{failure} ({reason})" if reason else str(failure)
    return Finding(request, Code.UNAVAILABLE, message, todo)


def _todo(failure: Failure, needs: str) -> str:
    locked = "locked" in failure.message.lower()
    if failure.status == 403 and not locked and failure.headers.get("x-ratelimit-remaining") != "0":
        return (
            f"give the job `{needs}` under `permissions:`; the token of a pull request from a fork may only read,"
            " and a personal token needs the same permission"
        )
    todos = {
        401: f"pass a valid token in GITHUB_TOKEN that has `{needs}`",
        403: "unlock the conversation" if locked else "run it again later",
        404: f"see that it exists and that the token may see it: it needs `{needs}`",
        410: "see that it was not deleted, and that the repository has issues (Settings, General, Features)",
        422: "report it as a defect of modelrelease",
    }
    return todos.get(failure.status or 0, "run it again later; see https://www.githubstatus.com")
