"""Starting git: one way, lean enough for a hook."""

from __future__ import annotations

import os

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, shorten
from modelrelease.settings import git_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

# Names may hold anything git allows: none is a pattern, and none is quoted.
_OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "--literal-pathspecs", "--no-pager")
# Maps packs in small windows and inflates in pieces: a blob of gigabytes is not held by git either.
STREAMING = ("-c", "core.packedGitWindowSize=16m", "-c", "core.packedGitLimit=64m", "-c", "core.bigFileThreshold=1m")
_ERROR_TEXT = 300


class Running:
    """A git process: what it prints, and where it reads from (None where it reads nothing)."""

    def __init__(self, pid: int, stdout: BinaryIO, stdin: BinaryIO | None, ended: Callable[[], int]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stdin = stdin
        self._ended = ended

    def wait(self) -> int:
        """Close the pipes, wait for the end and return the exit code (negative: the signal)."""
        for pipe in (self.stdin, self.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except OSError:  # the last of its input goes nowhere
                    continue
        return self._ended()

    def kill(self) -> None:
        """End it, whatever it is doing."""
        try:
            os.kill(self.pid, 9)
        finally:
            self.wait()


class Git:
    """git, called at ``folder``; ``hook`` is what a hook's own git has told of the commit in the making."""

    def __init__(self, folder: str, hook: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = {**git_environment(), **(hook or {})}

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a call."""
        streaming = STREAMING if arguments[:2] == ("cat-file", "blob") else ()
        return ["git", *_OPTIONS, *streaming, "-C", self.folder, *arguments]

    def start(self, *arguments: str, stdin: bool = False) -> Running:
        """Start git with its output, and its input where asked for, as pipes; what it complains of is dropped."""
        # subprocess takes 8 ms to import and 2 ms a call, of the 65 that a hook may take.
        start = self._spawn if hasattr(os, "posix_spawnp") else self._popen
        try:
            return start(self.command(*arguments), stdin)
        except OSError as error:
            raise unavailable(self.folder, f"git cannot be started: {error.strerror}") from error

    def _popen(self, command: list[str], stdin: bool) -> Running:
        import subprocess

        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )
        assert process.stdout is not None
        return Running(process.pid, process.stdout, process.stdin, process.wait)  # type: ignore[arg-type]

    def _spawn(self, command: list[str], stdin: bool) -> Running:
        out, theirs = os.pipe()
        read, write = os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), None)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        actions = [(os.POSIX_SPAWN_DUP2, own, number) for number, own in enumerate((read, theirs, nowhere))]
        try:
            pid = os.posix_spawnp(command[0], command, self.environment, file_actions=actions)
        except OSError:
            for own in (out, write):
                if own is not None:
                    os.close(own)
            raise
        finally:
            for own in (read, theirs, nowhere):
                os.close(own)
        pipe = None if write is None else os.fdopen(write, "wb")
        return Running(pid, os.fdopen(out, "rb"), pipe, lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    def ask(self, *arguments: str) -> bytes | None:
        """Return the output of a call without the last newline; None where git says no."""
        running = self.start(*arguments)
        out = running.stdout.read()
        return out.removesuffix(b"\n") if running.wait() == 0 else None

    def require(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Return the output of a call; Unavailable (MR603, exit 3) with git's own words where it fails."""
        import subprocess

        try:
            done = subprocess.run(
                self.command(*arguments), input=stdin or b"", capture_output=True, check=False, env=self.environment
            )
        except OSError as error:
            raise unavailable(self.folder, f"git cannot be started: {error.strerror}") from error
        if done.returncode:
            problem = shorten(done.stderr.decode("utf-8", "replace").strip(), _ERROR_TEXT)
            raise unavailable(self.folder, f"git {arguments[0]} failed: {problem}")
        return done.stdout


def unavailable(folder: str, message: str) -> Unavailable:
    """Return the error of a git that does not do its part."""
    return Unavailable(Finding(folder, Code.UNAVAILABLE, message, "see that git is installed and this is a work tree"))
