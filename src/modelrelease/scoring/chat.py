"""Chat templates, rendered in a process of their own: a template is a program that came with the weights.

transformers runs it in a sandbox without limits on time and memory, so the limits are set around it.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid
from modelrelease.scoring.items import Message

# What the worker's last alarm ends it with, where the system has one.
_TOO_LONG = -int(getattr(signal, "SIGPROF", 0)) or None


@dataclass(frozen=True)
class ChatLimits:
    """What rendering may take: seconds and bytes of memory, and characters of one rendered prompt."""

    seconds_each: float = 2.0
    seconds_start: float = 120.0
    memory: int = 4 << 30
    characters: int = 1_000_000


_SOURCE = Path(__file__).resolve().parents[2]
# Isolated mode finds what is installed; this package need not be, as in a clone or another's environment.
_START = "import sys; sys.path.append(sys.argv[1]); from modelrelease.scoring.chat_worker import main; sys.exit(main())"


def render_chats(
    folder: Path, conversations: Sequence[Sequence[Message]], shown: str, limits: ChatLimits | None = None
) -> list[str]:
    """Return each conversation as the checkpoint's chat template writes it, ready for the answer.

    ``folder``: the checkpoint; ``shown``: how it is named to people. Raises InvalidInput (MR408) when there is
    no template, when it fails on a conversation, or when it does not keep to ``limits``.
    """
    if not conversations:
        return []
    limits = limits or ChatLimits()
    work = {
        "folder": str(folder),
        "conversations": [[dict(message) for message in messages] for messages in conversations],
        "seconds_each": limits.seconds_each,
        "memory": limits.memory,
        "characters": limits.characters,
    }
    # A template that hangs in C code is not reached by the worker's own alarm: the parent's patience ends too.
    patience = limits.seconds_start + limits.seconds_each * 4
    command = [sys.executable, "-I", "-c", _START, str(_SOURCE)]
    try:
        done = subprocess.run(
            command, input=json.dumps(work).encode(), capture_output=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(shown, f"did not finish in {patience:g} s") from error
    return _answer(done.stdout, done.returncode, len(conversations), shown)


def _answer(stdout: bytes, returncode: int, count: int, shown: str) -> list[str]:
    ended = "computes without end" if returncode == _TOO_LONG else "ended its process"
    try:
        answer = json.loads(stdout) if returncode == 0 else {"error": ended}
    except ValueError:
        answer = {"error": "gave no readable answer"}
    if "error" in answer:
        raise _failed(shown, str(answer["error"]))
    texts = answer["texts"]
    if len(texts) != count or not all(isinstance(text, str) for text in texts):
        raise _failed(shown, "gave no text")
    return list(texts)


def _failed(shown: str, what: str) -> InvalidInput:
    todo = "mend the chat template, or use a text prompt"
    return invalid(shown, Code.CHAT_TEMPLATE, f"the chat template {what}", todo)
