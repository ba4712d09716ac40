"""The process in which a chat template runs. Reads its work from stdin, answers on stdout, touches nothing else."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, cast

from modelrelease.settings import prepare_libraries

if TYPE_CHECKING:
    from typing_extensions import Self


class _OneDay(datetime):
    """The clock of the templates. Llama's tell the model what day it is, and every day would give other numbers.

    The day is the one that they name where they cannot ask.
    """

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the beginning of 26 July 2024, whatever the time."""
        return cls(2024, 7, 26, tzinfo=tz)


def main() -> int:
    """Render every conversation, or say in one line why not."""
    work = json.load(sys.stdin)
    answer = _limited(work)
    sys.stdout.write(json.dumps(answer))
    return 0


def _limited(work: dict[str, Any]) -> dict[str, Any]:
    prepare_libraries()
    cast(Any, sys.modules)["torch"] = None  # transformers then does without, which saves seconds
    from transformers import AutoTokenizer
    from transformers.utils import chat_template_utils

    cast(Any, chat_template_utils).datetime = _OneDay
    tokenizer = AutoTokenizer.from_pretrained(work["folder"], local_files_only=True, trust_remote_code=False)
    if not getattr(tokenizer, "chat_template", None):
        return {"error": "is missing: the tokenizer has none and the prompt has messages"}
    _limit_memory(work["memory"])
    texts = []
    for messages in work["conversations"]:
        try:
            texts.append(_render(tokenizer, messages, work))
        except TimeoutError:
            return {"error": f"did not finish one conversation in {work['seconds_each']:g} s"}
        except MemoryError:
            return {"error": f"asked for more than {work['memory'] >> 20} MB"}
        except Exception as error:  # a template can raise whatever it likes
            return {"error": f"failed: {type(error).__name__}: {str(error)[:200]}"}
    return {"texts": texts}


def _render(tokenizer: Any, messages: list[dict[str, str]], work: dict[str, Any]) -> str:
    with _alarm(work["seconds_each"]):
        text = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    if len(text) > work["characters"]:
        raise ValueError(f"a prompt of {len(text)} characters")
    text.encode("utf-8")  # a template can write half of a surrogate pair, which no tokenizer takes
    return text


@contextlib.contextmanager
def _alarm(seconds: float) -> Any:
    """Raise TimeoutError after ``seconds``, where the system has such an alarm.

    Python's handler waits for C code to return, and `9**9**9` does not: a second alarm, which nothing waits for, ends
    the process after twice the time on the processor and a second.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_PROF, 2 * seconds + 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _limit_memory(size: int) -> None:
    """Bound what the process may allocate, where the system can."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, resource.getrlimit(resource.RLIMIT_DATA)[1]))


if __name__ == "__main__":
    sys.exit(main())
