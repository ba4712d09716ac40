"""What two runs differ in that moves numbers: the only explanations that are given. Pure.

Dtype, attention, device, libraries, threads and what is batched with what decide in which order floats are added, and
so their last bits. Python's own version, the kernel's and the host's name do not: they are information.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from modelrelease.numbers import show_count
from modelrelease.records.evaluation import Evaluation
from modelrelease.records.reproduction import Explanation

_PLAN = "batch plan"
_ENGINE = {"engine": "name", "dtype": "dtype", "device": "device", "attention": "attention"}
_SETTINGS = {"deterministic kernels": "deterministic", "seed": "seed", "longest context": "max_length"}
_PLACE = {"torch": "torch", "transformers": "transformers", "tokenizers": "tokenizers", "CUDA": "cuda"}
_MACHINE = {"driver": "driver", "GPUs": "gpus", "CPU": "cpu", "machine": "machine", "threads": "threads"}


def explanations(recorded: Evaluation, found: Evaluation) -> tuple[Explanation, ...]:
    """Return every difference in how the numbers of two runs were made, each as ``recorded`` → ``found``.

    Other ``batch_tokens`` that give the same batches change nothing, and are no difference.
    """
    plan = Explanation(what=_PLAN, recorded=_plan(recorded), found=_plan(found))
    return tuple(plan if one.what == _PLAN else one for one in _different(_numerics, recorded, found))


def information(recorded: Evaluation, found: Evaluation) -> tuple[Explanation, ...]:
    """Return what else differs between two runs' surroundings, and moves no numbers."""
    return tuple(_different(_surroundings, recorded, found))


_Facts = Callable[[Evaluation], dict[str, str | None]]


def _different(facts: _Facts, recorded: Evaluation, found: Evaluation) -> Iterator[Explanation]:
    before, after = facts(recorded), facts(found)
    for what in [*before, *(name for name in after if name not in before)]:
        if before.get(what) != after.get(what):
            yield Explanation(what=what, recorded=before.get(what), found=after.get(what))


def _numerics(evaluation: Evaluation) -> dict[str, str | None]:
    engine, place = evaluation.engine, evaluation.environment
    return {
        **{what: _text(getattr(engine, name)) for what, name in _ENGINE.items()},
        _PLAN: engine.batch_plan_digest,
        **{what: _text(getattr(engine, name)) for what, name in _SETTINGS.items()},
        **{f"path of task {task.name}": task.path_taken for task in evaluation.suite.tasks},
        **{what: _text(getattr(place, name)) for what, name in (_PLACE | _MACHINE).items()},
    }


def _plan(evaluation: Evaluation) -> str:
    engine = evaluation.engine
    return f"{show_count(engine.batch_tokens)} tokens a batch (plan {engine.batch_plan_digest[:12]})"


def _surroundings(evaluation: Evaluation) -> dict[str, str | None]:
    place = evaluation.environment
    return {
        "modelrelease": evaluation.tool.version,
        "Python": place.python,
        "operating system": place.os,
        "host": evaluation.provenance.host,
    }


def _text(value: object) -> str | None:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)
