"""Reading objects through one `git cat-file --batch`: nothing is kept, so ten thousand files take no more memory."""

from __future__ import annotations

from collections.abc import Generator

from modelrelease.git.process import Git, Running, unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_CHUNK = 1 << 20


class Objects:
    """The objects of a repository by name: an object id, ``HEAD:path``, ``:path`` for the index."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: Running | None = None
        self.processes = 0

    def read(self, name: str) -> bytes | None:
        """Return an object's bytes; None where there is none of that name."""
        found = self.read_as(name)
        return None if found is None else found[1]

    def read_as(self, name: str) -> tuple[str, bytes] | None:
        """Return an object's id and bytes; None where there is none of that name."""
        asked = self._ask(name)
        if asked is None:
            return None
        oid, size, stdout = asked
        return oid, stdout.read(size + 1)[:-1]

    def head(self, oid: str, count: int) -> bytes:
        """Return the first ``count`` bytes of an object, whatever its size; empty where there is none."""
        asked = self._ask(oid)
        if asked is None:
            return b""
        _, size, stdout = asked
        data = stdout.read(min(size, count))
        left = size + 1 - len(data)
        if left > _CHUNK:
            self.close()  # starting another is cheaper than reading on
        else:
            stdout.read(left)
        return data

    def _ask(self, name: str) -> tuple[str, int, BinaryIO] | None:
        """Ask for an object; return its id, its size, and where its bytes and one line feed can be read."""
        if "\n" in name:  # the protocol's end of a request; such paths are looked up by id
            raise ValueError(name)
        if self._process is None:
            self.processes += 1
            self._process = self._git.start("cat-file", "--batch", stdin=True)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        try:
            stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
            stdin.flush()
        except OSError as error:
            self.close()
            raise unavailable(self._git.folder, "git cat-file has ended") from error
        head = stdout.readline()
        if not head:
            self.close()
            raise unavailable(self._git.folder, "git cat-file gives no answer")
        if head.endswith((b" missing\n", b" ambiguous\n")):
            return None
        oid, _, size = head.rstrip(b"\n").rsplit(b" ", 2)
        return oid.decode("ascii"), int(size), stdout

    def size(self, oid: str) -> int:
        """Return the size of an object in bytes."""
        return int(self._git.require("cat-file", "-s", oid))

    def sizes(self, oids: list[str]) -> dict[str, int]:
        """Return the size of each object that is there, in one call."""
        out = self._git.require(
            "cat-file",
            "--batch-check=%(objectname) %(objectsize)",
            stdin="".join(oid + "\n" for oid in oids).encode("ascii"),
        )
        pairs = (line.split(b" ") for line in out.split(b"\n") if line and not line.endswith(b"missing"))
        return {oid.decode("ascii"): int(size) for oid, size in pairs}

    def stream(self, oid: str, chunk: int = _CHUNK) -> Generator[bytes, None, None]:
        """Yield a blob in pieces through a process of its own: for what is too large to hold."""
        process = self._git.start("cat-file", "blob", oid)
        try:
            while data := process.stdout.read(chunk):
                yield data
        finally:
            process.kill()

    def close(self) -> None:
        """End the process; it may be in the middle of an object that nobody wants."""
        if self._process is not None:
            self._process.kill()
            self._process = None
