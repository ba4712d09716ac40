"""The local Hub itself: HTTP on 127.0.0.1, in threads of this process, bodies streamed from and to disk."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from fakes.hub import auth, downloads, repositories, uploads  # noqa: F401  they register their handlers
from fakes.hub.auth import Publishers, default_tokens
from fakes.hub.calls import Answer, Call, Refusal, find
from fakes.hub.faults import Fault, Faults
from fakes.hub.repository import Repository
from fakes.hub.storage import CHUNK, Storage, read

_FREE_POSTS = ("/oauth/", "/_storage/", "/_verify/", "/api/validate-yaml")


@dataclass
class Request:
    """A request as it came in, the bytes that came and went with it, and whose token it carried."""

    method: str
    path: str
    received: int = 0
    sent: int = 0
    status: int | None = None
    who: str | None = None


class FakeHub:
    """A Hub that remembers, in ``folder``. Start it with ``with``; ``url`` is its address.

    ``part_size``: files larger than this are uploaded in parts of it, as the Hub does with very large ones.
    """

    def __init__(self, folder: Path, *, part_size: int | None = None) -> None:
        self._folder = folder
        self.storage = Storage(folder / "storage")
        self.repositories: dict[str, Repository] = {}
        self.tokens = default_tokens()
        self.publishers = Publishers()
        self.faults = Faults()
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.part_size = part_size
        self.commits_per_page = 50
        self._server = _Server(self)
        port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{port}"
        self.storage_url = f"http://localhost:{port}/_storage"

    def __enter__(self) -> FakeHub:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def repository(self, name: str = "acme/bot", *, private: bool = False) -> Repository:
        """Return a model repository, made where there is none."""
        if name not in self.repositories:
            self.repositories[name] = Repository(self._folder / "models" / f"{name}.git", private=private)
        return self.repositories[name]

    def fault(self, method: str = ".*", path: str = ".*", **parts: Any) -> None:
        """Order a fault; see :class:`Fault` for its parts. ``path`` is matched unquoted and whole."""
        self.faults.add(Fault(method, path, **parts))

    def moved(self, path: str = "", method: str = "") -> int:
        """Return how many bytes came and went with requests whose path holds ``path``."""
        found = [one for one in self.requests if path in one.path and method in one.method]
        return sum(one.received + one.sent for one in found)

    def answer(self, call: Call) -> Answer:
        """Do what a request asks for; what the Hub has no such operation for is a problem too."""
        try:
            handler, values = find(call.method, call.path)
            call.values = values
            if not call.path.startswith("/_github/"):  # which has tokens of its own
                call.token = auth.token_of(call.headers.get("Authorization"), self.tokens)
            if call.method not in {"GET", "HEAD"} and not call.path.startswith(_FREE_POSTS):
                auth.must_write(call.token, values.get("name"))
            return handler(call)
        except Refusal as refusal:
            if "no route" in str(refusal):
                self.problems.append(str(refusal))
            return refusal.answer
        except Exception as error:  # a defect of the fake: the test that met it has to say so
            self.problems.append(f"{call.method} {call.path}: {error!r}")
            return Answer({"error": repr(error)}, 500)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, hub: FakeHub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Reset(BaseException):
    """The fault that cuts a request short."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Keep stderr for problems."""

    @property
    def _hub(self) -> FakeHub:
        return cast(_Server, self.server).hub

    def _serve(self) -> None:
        address = urlsplit(self.path)
        self._entry = Request(self.command, unquote(address.path), who=self._who())
        self._body = self._chunks()
        self._fault = cast("Fault | None", self._hub.faults.take(self.command, self._entry.path))
        self._hub.requests.append(self._entry)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        call = Call(self._hub, self.command, address.path, {}, query, self.headers, lambda: self._body)
        try:
            answer = self._answer(call)
            for _ in self._body:  # what nobody has read would be taken for the next request
                pass
        except _Reset:
            self._reset()
            return
        if self._fault is not None and self._fault.reset:
            self._reset()
            return
        with contextlib.suppress(OSError):
            self._send(answer)

    def _answer(self, call: Call) -> Answer:
        fault = self._fault
        if fault is not None and fault.meet is not None:
            fault.meet.wait(timeout=60)
        instead = fault is not None and not fault.applied and (fault.reset or fault.status is not None)
        answer = Answer() if instead else self._hub.answer(call)
        if fault is not None:
            time.sleep(fault.delay)
            if fault.gather is not None:
                fault.gather.wait(timeout=60)
            if fault.body is not None or fault.status is not None:
                body = answer.body if fault.body is None else fault.body.encode()
                answer = Answer(body, fault.status or answer.status, {**answer.headers, **fault.headers})
        return answer

    def _who(self) -> str | None:
        token = self._hub.tokens.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        return token.name if token else None

    def _chunks(self) -> Iterator[bytes]:
        """Yield the request's body as it comes, whichever way its length is said."""
        pieces = self._of_chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self._of_length()
        for piece in pieces:
            self._entry.received += len(piece)
            limit = self._fault.after if self._fault is not None else None
            if limit is not None and self._entry.received > limit:
                raise _Reset
            yield piece

    def _of_length(self) -> Iterator[bytes]:
        left = int(self.headers.get("Content-Length") or 0)
        while left and (piece := self.rfile.read(min(left, CHUNK))):
            left -= len(piece)
            yield piece

    def _of_chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, answer: Answer) -> None:
        fault = self._fault
        said = answer.size()
        keep = said if fault is None or fault.keep is None else min(fault.keep, said)
        self._entry.status = answer.status
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(keep if fault is not None and fault.honest else said))
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in self._pieces(answer, keep):
            self.wfile.write(piece)
            self._entry.sent += len(piece)
        if keep < said and not (fault is not None and fault.honest):
            self.close_connection = True

    @staticmethod
    def _pieces(answer: Answer, keep: int) -> Iterator[bytes]:
        if not isinstance(answer.body, Path):
            yield answer.plain()[:keep]
            return
        start = answer.part[0] if answer.part else 0
        yield from read(answer.body, start, start + keep)

    def _reset(self) -> None:
        # Zero seconds of lingering make close() send a reset instead of a goodbye.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        self.connection.close()
