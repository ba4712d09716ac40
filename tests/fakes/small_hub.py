"""The part of the Hub that is read: a repository's commits, its tree and its files, for the real client.

Redirects of large files lead to another host name, as on the real one; ``seen`` tells what came with each request.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 4096


@dataclass
class SmallHub:
    """One public repository, ``acme/bot``, at one commit, which ``main`` names."""

    files: dict[str, bytes] = field(default_factory=dict)
    lies: dict[str, bytes] = field(default_factory=dict)
    status: int | None = None
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    endpoint: str = ""

    def add(self, folder: Path) -> None:
        """Take the files of a folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.files[path.relative_to(folder).as_posix()] = path.read_bytes()

    def __enter__(self) -> SmallHub:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub.answer(self)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        path = unquote(urlsplit(request.path).path)
        host = (request.headers.get("host") or "").partition(":")[0]
        self.seen.append((host, path, request.headers.get("authorization")))
        if self.status is not None:
            return _reply(request, self.status, b'{"error": "so it is"}')
        api, resolve = "/api/models/acme/bot/", "/acme/bot/resolve/"
        if path.startswith("/large/"):
            data = next(data for data in self._served() if hashlib.sha256(data).hexdigest() == path[7:])
            return _reply(request, 200, self.lies.get("/large/", data))
        revision = path.removeprefix(f"{api}revision/").removeprefix(f"{api}tree/").removeprefix(resolve).split("/")[0]
        if not path.startswith((api, resolve)) or revision not in {"main", COMMIT}:
            code = "RevisionNotFound" if path.startswith((api, resolve)) else "RepoNotFound"
            return _reply(request, 404, b"{}", {"X-Error-Code": code})
        if path.startswith(f"{api}revision/"):
            return _reply(request, 200, json.dumps({"id": "acme/bot", "sha": COMMIT, "siblings": []}).encode())
        if path.startswith(f"{api}tree/"):
            return _reply(request, 200, json.dumps([_entry(name, data) for name, data in self.files.items()]).encode())
        return self._file(request, path.removeprefix(f"{resolve}{revision}/"))

    def _served(self) -> list[bytes]:
        return [*self.files.values()]

    def _file(self, request: BaseHTTPRequestHandler, name: str) -> None:
        data = self.files.get(name)
        if data is None:
            return _reply(request, 404, b"{}", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        if len(data) > LARGE:
            place = f"{self.endpoint.replace('127.0.0.1', 'localhost')}/large/{hashlib.sha256(data).hexdigest()}"
            return _reply(request, 302, b"", {"Location": place, "X-Repo-Commit": COMMIT})
        return _reply(request, 200, self.lies.get(name, data), {"X-Repo-Commit": COMMIT})


def _entry(name: str, data: bytes) -> dict[str, Any]:
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": oid}
    if len(data) > LARGE:
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return entry


def _reply(request: BaseHTTPRequestHandler, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(data)))
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(data)
