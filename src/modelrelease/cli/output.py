"""What goes to stdout and stderr, whatever stands at their other end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys

from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


def prepare_streams() -> None:
    """Make both streams take every text: a closed one is replaced, a character it cannot show becomes its escape."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Write ``text`` to stdout. A reader that has gone changes no exit code; Unavailable (exit 3) on a full disk."""
    _write(sys.stdout, text)


def say_json(document: bytes) -> None:
    """Write a JSON document to stdout, byte for byte; on a terminal with its control characters as JSON escapes."""
    text = document.decode("utf-8")
    say(re.sub(r"[^\n]", _visible, text) if sys.stdout.isatty() else text)


def complain(text: str) -> None:
    """Write ``text`` to stderr, as far as it takes it: the exit code says the rest."""
    with contextlib.suppress(Unavailable):
        _write(sys.stderr, text)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
    except OSError as error:
        _silence(stream)
        message = f"cannot be written: {error.strerror or error}"
        raise Unavailable(Finding("stdout", Code.UNAVAILABLE, message, "free the disk, or write elsewhere")) from error


def _silence(stream: TextIO) -> None:
    """Send the rest, and what Python flushes at exit, nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
