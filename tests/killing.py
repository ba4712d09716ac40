"""Kills a process (SIGKILL) before each of its writing operations in a folder, one run after the other.

Python reports every such operation to an audit hook before it happens, so no code has to know of this. Everything is
imported once; each run is a forked process of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MOST = 200


def kill_before_each_operation(folder: Path, run: Callable[[], object], check: Callable[[], None]) -> int:
    """Call ``run`` in processes that are killed before their first, second … operation below ``folder``.

    ``check`` is called after each death. Returns how many there were: up to the first run that came to its end.
    """
    for number in range(MOST):
        pid = os.fork()
        if pid == 0:
            _run(str(folder), number, run)
        _, status = os.waitpid(pid, 0)
        check()
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the command failed"
            return number
        assert os.WTERMSIG(status) == signal.SIGKILL
    raise AssertionError("it never came to its end")


def _changes(event: str, arguments: tuple[Any, ...]) -> bool:
    """Say whether an operation can change what is on disk; between two of those a death changes nothing."""
    if event == "open":
        return isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event.startswith(("os.", "shutil.", "tempfile.")) and event not in {"os.listdir", "os.scandir", "os.walk"}


def _run(folder: str, fatal: int, run: Callable[[], object]) -> None:
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if _changes(event, arguments) and any(
            isinstance(one, str | os.PathLike) and os.fspath(one).startswith(folder) for one in arguments
        ):
            if seen == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    try:
        sys.addaudithook(watch)
        run()
    except BaseException as error:
        print(error, file=sys.stderr)
        os._exit(1)
    os._exit(0)
