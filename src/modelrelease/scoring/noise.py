"""How much a machine's numbers depend on what is batched with what: the noise floor of log-likelihoods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from modelrelease.records.checkpoints import Checkpoint
from modelrelease.records.reproduction import NoiseFloor
from modelrelease.records.strict_json import parse_json_line
from modelrelease.scoring.run import Options, Surroundings, score
from modelrelease.scoring.suites import LoadedSuite

_SIZES = 3
_Known = dict[tuple[str, str], list[float]]


def measure_noise(
    checkpoint: Checkpoint,
    suite: LoadedSuite,
    options: Options,
    samples: bytes,
    plans: int,
    surroundings: Surroundings,
) -> NoiseFloor | None:
    """Return how far log-likelihoods move when the same requests are batched in ``plans`` other ways, in nats.

    Each way has other neighbours and paddings, and two of three have smaller batches: which kernels a library takes
    depends on how many rows there are.

    ``samples`` are the samples.jsonl of the plain run. Tasks that generate have no log-likelihoods and are not run
    again; None where there are no others. Each plan is a pure function of the requests and its number.
    """
    part = LoadedSuite(suite.name, tuple(task for task in suite.tasks if task.spec.kind != "generate"))
    if not part.tasks:
        return None
    plain, largest = _loglikelihoods(samples), 0.0
    alone = replace(surroundings, journal=None)  # what a killed run has kept would be the same numbers again
    for order in range(1, plans + 1):
        tokens = max(1, options.batch_tokens >> order % _SIZES)
        run = score(checkpoint, part, replace(options, batch_order=order, batch_tokens=tokens), alone)
        largest = max([largest, *_distances(plain, _loglikelihoods(run.samples))])
    return NoiseFloor(plans=plans, max_abs_difference=largest)


def _loglikelihoods(samples: bytes) -> _Known:
    found = (parse_json_line(line) for line in samples.decode("utf-8").split("\n") if line)
    return {(sample["task"], sample["item_id"]): sample["loglikelihoods"] for sample in found}


def _distances(plain: _Known, other: _Known) -> Iterator[float]:
    for key, values in other.items():
        for one, again in zip(plain[key], values, strict=False):
            yield abs(one - again)
