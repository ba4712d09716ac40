"""The local GitHub itself: HTTP on 127.0.0.1 or a socket file, in threads of this process."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import re
import secrets
import socket
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from fakes.github import commits, discussion, releases, settings  # noqa: F401  they register their handlers
from fakes.github.calls import HANDLERS, Answer, Call, Received, Refusal
from fakes.github.contract import Operation, find
from fakes.github.faults import Fault, Faults
from fakes.github.state import Repository, User, World, default_users, world_of

ADMIN = "/_fake/"
_WRITES = {"POST", "PATCH", "PUT", "DELETE"}
_UPLOAD = re.compile(r"/repos/[^/]+/[^/]+/releases/\d+/assets")
# What is larger is kept on disk, so that a large upload says something about the client's memory.
_IN_MEMORY = 1 << 20
# Who may write what: https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
_PERMISSIONS = (
    (r".*/issues/(comments|\{issue_number\}/(comments|labels)).*", ("issues", "pull-requests")),
    (r".*/issues.*", ("issues",)),
    (r".*/pulls.*", ("pull-requests",)),
    (r".*/check-runs.*", ("checks",)),
    (r".*/statuses/\{sha\}", ("statuses",)),
    (r".*/deployments.*", ("deployments",)),
    (r".*", ("contents",)),
)


@dataclasses.dataclass(frozen=True)
class Request:
    """A request as it came in; ``login`` is whose token it carried."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    login: str | None


class FakeGitHub:
    """A GitHub that remembers. Start it with ``with``; ``url`` is its address."""

    def __init__(self, world: World | None = None, port: int = 0) -> None:
        self.world = world or World(default_users())
        self.faults = Faults()
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.lock = threading.RLock()
        self._folder = tempfile.TemporaryDirectory(prefix="fake-github-")
        self.folder = Path(self._folder.name)
        self._server = _Server(("127.0.0.1", port), self)
        self._local: _Server | None = None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeGitHub:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in filter(None, (self._server, self._local)):
            server.stop()
        self._folder.cleanup()

    def listen_on(self, path: Path) -> None:
        """Answer on a socket file too: ``gh config set http_unix_socket PATH`` makes gh talk to it without TLS."""
        self._local = _LocalServer(str(path), self)
        self._local.start()

    def repository(self, full_name: str = "acme/bot") -> Repository:
        """Return a repository, made where there is none."""
        return self.world.repositories.setdefault(full_name, Repository(full_name))

    def fault(self, method: str = ".*", path: str = ".*", **parts: Any) -> None:
        """Order a fault; see :class:`Fault` for its parts."""
        self.faults.add(Fault(method, path, **parts))

    def bodies(self) -> list[str]:
        """Return the texts of all comments, oldest first."""
        with self.lock:
            found = [comment for one in self.world.repositories.values() for comment in one.comments.values()]
        return [comment["body"] for comment in sorted(found, key=lambda one: one["id"])]

    def writes(self) -> list[tuple[str, str]]:
        """Return method and path of every request that asked for a change."""
        return [(request.method, request.path) for request in self.requests if request.method in _WRITES]

    def answer(self, request: Request, data: Received, base: str, user: User | None, accept: str) -> Answer:
        """Do what a request asks for; whatever does not fit GitHub's description is a problem and a 422."""
        try:
            return self._answered(request, data, base, user, accept)
        except Refusal as refusal:
            return refusal.answer
        except Exception as error:  # a defect of the fake: the test that met it has to say so
            self.problems.append(f"{request.method} {request.path}: {error!r}")
            return Answer(500, {"message": repr(error)})

    def _answered(self, request: Request, data: Received, base: str, user: User | None, accept: str) -> Answer:
        if user is None:
            raise Refusal(401, "Bad credentials")
        found = find(request.method, request.path)
        if found is None:
            self.problems.append(f"{request.method} {request.path}: no such operation")
            raise Refusal(404, "Not Found")
        operation, values = found
        _authorize(user, operation)
        body: Any = _as_described(request.body) if operation.takes_json else b""
        wrong = list(operation.problems(request.query, body))
        if wrong:
            self.problems += [f"{operation.key}: {problem}" for problem in wrong]
            raise Refusal(422, "Validation Failed", wrong)
        call = Call(self.world, user, base, request.method, request.path, values, request.query, body, accept, data)
        with self.lock:
            answer = HANDLERS[operation.key](call)
        if not isinstance(answer.body, bytes):
            wrong_answer = operation.wrong_answer(answer.status, answer.body)
            self.problems += [f"{operation.key}, our answer: {problem}" for problem in wrong_answer]
        return answer

    def administer(self, method: str, name: str, body: Any) -> Answer:
        """Answer on ``/_fake/``: what a test in another process reads and sets."""
        with self.lock:
            match method, name:
                case "GET", "state":
                    return Answer(200, self.world.plain())
                case "PUT", "state":
                    self.world = world_of(body)
                case "POST", "faults":
                    for fault in body:
                        self.faults.add(Fault(**fault))
                case "DELETE", "faults":
                    self.faults.clear()
                case "GET", "requests":
                    return Answer(200, [dataclasses.asdict(request) for request in self.requests])
                case "GET", "problems":
                    return Answer(200, self.problems)
                case _:
                    return Answer(404)
        return Answer(204)


def _authorize(user: User, operation: Operation) -> None:
    if "/actions/" in operation.template and "actions" not in user.permissions:
        raise Refusal(403, "Resource not accessible by integration")
    if operation.method not in _WRITES:
        return
    names = next(names for pattern, names in _PERMISSIONS if re.fullmatch(pattern, operation.template))
    if not any(user.permissions.get(name) == "write" for name in names):
        raise Refusal(403, "Resource not accessible by integration")


def _parsed(data: bytes) -> Any:
    """Return the JSON in a body, None where there is no body, and what is no JSON as text."""
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode("utf-8", "replace")


def _as_described(body: Any) -> Any:
    # Labels may come as a bare list, which is what clients send and GitHub's prose says; its description does not.
    return {"labels": body} if isinstance(body, list) else body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Ten writers at once are more connections than the five that wait by default.
    request_queue_size = 128

    def __init__(self, address: Any, github: FakeGitHub) -> None:
        super().__init__(address, _Handler)
        self.github = github
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _LocalServer(_Server):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        socket_path = Path(str(self.server_address))
        socket_path.unlink(missing_ok=True)
        self.socket.bind(str(socket_path))
        self.server_name, self.server_port = "localhost", 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        # Only TCP has something to disable; without it each answer waits for the client's delayed acknowledgement.
        self.disable_nagle_algorithm = self.server.address_family == socket.AF_INET  # type: ignore[attr-defined]
        super().setup()

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Keep stderr for problems."""

    @property
    def _github(self) -> FakeGitHub:
        return cast(_Server, self.server).github

    def _serve(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path).removeprefix("/api/v3")
        fault = None if path.startswith(ADMIN) else self._github.faults.take(self.command, path)
        data = self._received(fault)
        body = None if _UPLOAD.fullmatch(path) else _parsed(data.content or b"")
        if path.startswith(ADMIN):
            self._send(self._github.administer(self.command, path.removeprefix(ADMIN), body), None)
            return
        user = self._user()
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        request = Request(self.command, path, query, body, user.login if user else None)
        self._github.requests.append(request)
        if fault is not None and not fault.applied and (fault.reset or fault.status is not None):
            answer = Answer(fault.status or 500)
        else:
            answer = self._github.answer(request, data, self._base(), user, self.headers.get("Accept", ""))
        if fault is not None:
            time.sleep(fault.delay)
            if fault.gather is not None:
                fault.gather.wait(timeout=60)
        self._send(answer, fault)

    def _received(self, fault: Fault | None) -> Received:
        """Take the request's body, in pieces; a fault or the client may end it before all of it is there."""
        announced = int(self.headers.get("Content-Length") or 0)
        wanted = announced if fault is None or fault.take is None else min(announced, fault.take)
        digest, size = hashlib.sha256(), 0
        path = self._github.folder / secrets.token_hex(8) if announced > _IN_MEMORY else None
        kept: Any = path.open("wb") if path is not None else io.BytesIO()
        with kept, contextlib.suppress(OSError):
            while size < wanted and (piece := self.rfile.read(min(1 << 16, wanted - size))):
                digest.update(piece)
                kept.write(piece)
                size += len(piece)
            content = kept.getvalue() if path is None else None
        if size < announced:
            self.close_connection = True
        return Received(size, digest.hexdigest(), content, path, size == announced)

    def _user(self) -> User | None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return self._github.world.users.get(token) if kind.lower() in {"token", "bearer"} else None

    def _base(self) -> str:
        prefix = "/api/v3" if self.path.startswith("/api/v3") else ""
        return f"http://{self.headers.get('Host') or 'localhost'}{prefix}"

    def _send(self, answer: Answer, fault: Fault | None) -> None:
        if fault is not None and fault.reset:
            self._reset()
            return
        status, body, headers = answer.status, answer.body, dict(answer.headers)
        if fault is not None:
            status, headers = fault.status or status, {**headers, **fault.headers}
            body = fault.body if fault.body is not None else body
        data = body.encode() if isinstance(body, str) else body
        data = data if isinstance(data, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = data if fault is None or fault.keep is None else data[: fault.keep]
        said = sent if fault is not None and fault.honest else data
        with contextlib.suppress(OSError):
            self._write(status, headers, said, sent)

    def _write(self, status: int, headers: dict[str, str], said: bytes, sent: bytes) -> None:
        self.send_response(status)
        plain = {"Content-Type": "application/json; charset=utf-8", "X-RateLimit-Limit": "5000"}
        for name, value in {**plain, "X-RateLimit-Remaining": "4999", **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(sent)
        if len(sent) < len(said):
            self.close_connection = True

    def _reset(self) -> None:
        # Zero seconds of lingering make close() send a reset instead of a goodbye.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        self.connection.close()
