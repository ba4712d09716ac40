"""Kills a process (SIGKILL) before each of its file operations in a folder, one run after the other.

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


def _run(folder: str, fatal: int, run: Callable[[], object]) -> None:
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if any(isinstance(one, str | os.PathLike) and os.fspath(one).startswith(folder) for one in arguments):
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
