"""Reproduction: the recorded inputs found again, scored again with the recorded settings, and held against the record.

Nothing of an earlier run is reused: no journal of finished batches, no sample of the record.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import escape_controls, invalid, shorten
from modelrelease.flows.private_environment import private_environment
from modelrelease.flows.recorded_inputs import Inputs, recorded_inputs
from modelrelease.flows.score import model_folder
from modelrelease.flows.weights import Weights
from modelrelease.records.addresses import HUB
from modelrelease.records.checkpoints import CHECKPOINT_FOLDER, Checkpoint, refuse_changed
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.files import read_bytes, resolved, write_atomic
from modelrelease.records.reproduction import REPRODUCTION_FILE, NoiseFloor, Reproduction
from modelrelease.records.results import Results, read_results
from modelrelease.records.saving import write_results
from modelrelease.records.strict_json import MAX_DOCUMENT
from modelrelease.reproduction.identity import checkpoint_differences, scorer_differences
from modelrelease.reproduction.judge import Recorded, judge, refuse
from modelrelease.reproduction.outcome import Lengths
from modelrelease.reproduction.tolerance import NOISE_FACTOR
from modelrelease.scoring.engines.loading import Numerics
from modelrelease.scoring.items import build_items
from modelrelease.scoring.noise import measure_noise
from modelrelease.scoring.run import Options, Surroundings, score
from modelrelease.scoring.suites import LoadedSuite

DTYPES = ("float32", "bfloat16", "float16")
ATTENTIONS = ("sdpa", "eager", "flash_attention_2")
_DEVICE = re.compile(r"(cpu|mps|xpu|cuda)(:\d{1,3})?\Z")
_MOST_THREADS, _MOST_TOKENS = 1024, 10_000_000


@dataclass(frozen=True)
class Wanted:
    """What a person chose; None for what the record says. ``plans``: other batch plans to measure the noise with."""

    suite: str | None = None
    out: Path | None = None
    device: str | None = None
    dtype: str | None = None
    attention: str | None = None
    threads: int | None = None
    batch_tokens: int | None = None
    plans: int = 0
    tolerance: float | None = None
    environment: Literal["check", "venv"] = "check"


@dataclass(frozen=True)
class Apart:
    """What a private environment needs: where to keep it, and the variables its processes see."""

    cache: Path
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Reproduced:
    """What came of it, and where that was written; None where nothing was (``refused``)."""

    reproduction: Reproduction
    path: Path | None


@dataclass(frozen=True)
class _Job:
    """All that the scoring needs, found and held to be what was recorded."""

    recorded: Results
    inputs: Inputs
    checkpoint: Checkpoint
    options: Options
    plans: int


def reproduce_model(
    project: Project, model: str, wanted: Wanted, surroundings: Surroundings, apart: Apart | None = None
) -> Reproduced:
    """Score again what the eval.json in ``model`` (a folder, or the file itself) records; write reproduction.json.

    It is written beside eval.json, or into ``wanted.out``; where this is not the recorded experiment nothing is run
    and nothing written. Raises what :func:`read_results`, :func:`recorded_inputs` and :func:`scoring.run.score` do,
    InvalidInput (MR512) for recorded settings that no run can have, Refused (MR418) where the checkpoint changed
    meanwhile, Unavailable (MR514) where the recorded libraries cannot be installed. ``apart`` is needed for
    ``environment="venv"``.
    """
    place = model_folder(project, model)
    document = place / EVAL_FILE if place.is_dir() else place
    target = (wanted.out or document.parent) / REPRODUCTION_FILE
    sha256 = hashlib.sha256(read_bytes(document, limit=MAX_DOCUMENT)).hexdigest()
    results = read_results(document)
    options = _options(results.evaluation, wanted)
    checkpoint = _checkpoint(project, document.parent, results.evaluation, surroundings)
    differences = [*scorer_differences(results.evaluation), *checkpoint_differences(results.evaluation, checkpoint)]
    inputs = recorded_inputs(project, results, wanted.suite)
    recorded = Recorded(results, sha256, inputs.place)
    differences += inputs.differences
    if differences:
        return Reproduced(refuse(recorded, differences), None)
    job = _Job(results, inputs, checkpoint, options, wanted.plans)
    with tempfile.TemporaryDirectory(prefix="modelrelease-") as scratch:
        run = _score_apart if wanted.environment == "venv" else _score_here
        noise = run(job, Path(scratch), surroundings, apart)
        refuse_changed(checkpoint)
        found = read_results(Path(scratch) / "out")
        reproduction = judge(recorded, found, noise, wanted.tolerance, lengths_of(inputs.suite))
    write_atomic(target, reproduction.to_bytes())
    return Reproduced(reproduction, target)


def _checkpoint(project: Project, folder: Path, evaluation: Evaluation, surroundings: Surroundings) -> Checkpoint:
    """The checkpoint of the version that the record lies in; for a record that lies elsewhere, the one that it names.

    Every file is hashed again: what is remembered of one is what is to be checked.
    """
    finder, source = replace(Weights.of(surroundings), remembers=False), evaluation.model.source
    own = any((place / "config.json").is_file() for place in (folder / CHECKPOINT_FOLDER, folder))
    if own or folder.name == evaluation.model.version:
        return finder.of_version(folder, escape_controls(str(folder)))
    if source.startswith(HUB):
        return finder.of_hub(source)
    return finder.of_version(model_folder(project, source), escape_controls(source))


def _options(evaluation: Evaluation, wanted: Wanted) -> Options:
    """The recorded settings, which a file can say anything for, under those that a person named."""
    engine, threads = evaluation.engine, evaluation.environment.threads
    if engine.name != "transformers":
        raise _setting("engine.name", engine.name, "this version runs the transformers engine only")
    if wanted.dtype is None and engine.dtype not in DTYPES:
        raise _setting("engine.dtype", engine.dtype, f"name one of {', '.join(DTYPES)} with --dtype")
    if wanted.attention is None and engine.attention not in ATTENTIONS:
        raise _setting("engine.attention", engine.attention, f"name one of {', '.join(ATTENTIONS)} with --attention")
    if wanted.device is None and not _DEVICE.match(engine.device):
        raise _setting("engine.device", engine.device, "name one with --device")
    if wanted.threads is None and not 1 <= threads <= _MOST_THREADS:
        raise _setting("environment.threads", str(threads), "name a number with --threads")
    if wanted.batch_tokens is None and engine.batch_tokens > _MOST_TOKENS:
        raise _setting("engine.batch_tokens", str(engine.batch_tokens), "name a number with --batch-tokens")
    numerics = Numerics(
        device=wanted.device or engine.device,
        dtype=wanted.dtype or engine.dtype,
        attention=wanted.attention or engine.attention,
        threads=wanted.threads or threads,
    )
    return Options(numerics, wanted.batch_tokens or engine.batch_tokens, engine.allow_truncation)


def _setting(name: str, value: str, todo: str) -> Exception:
    message = f"`{name}` is {shorten(value, 60)!r}, and nothing can be scored with that"
    return invalid(EVAL_FILE, Code.RECORDED_SETTING, message, todo)


def _score_here(job: _Job, scratch: Path, surroundings: Surroundings, apart: Apart | None) -> NoiseFloor | None:
    """Score in this process, without a journal: what an earlier run has kept is what is to be checked."""
    alone = replace(surroundings, journal=None)
    run = score(job.checkpoint, job.inputs.suite, job.options, alone)
    write_results(scratch / "out", run.evaluation, run.samples)
    if not job.plans:
        return None
    return measure_noise(job.checkpoint, job.inputs.suite, job.options, run.samples, job.plans, alone)


def _score_apart(job: _Job, scratch: Path, surroundings: Surroundings, apart: Apart | None) -> NoiseFloor | None:
    """Score in a private environment with the recorded libraries: inputs go there as files, results come back so."""
    assert apart is not None
    environment = private_environment(job.recorded.evaluation.environment, apart.cache, apart.variables)
    inputs = scratch / "inputs"
    for path, data in job.inputs.files.items():
        write_atomic(inputs / path, data)
    # Without a config of its own, one above the temporary folder would be taken for it.
    write_atomic(inputs / "modelrelease.yaml", b"schema_version: 1\n")
    # A cache of its own: a journal that an earlier run has left is what is to be checked.
    environment.run(inputs, _arguments(job, scratch / "out"), scratch / "cache")
    tolerance = read_results(scratch / "out").evaluation.engine.tolerance
    return NoiseFloor(plans=job.plans, max_abs_difference=tolerance / NOISE_FACTOR) if tolerance is not None else None


def _arguments(job: _Job, out: Path) -> list[str]:
    numerics, options = job.options.numerics, job.options
    named = {
        "--suite": job.inputs.path,
        "--out": str(out.absolute()),
        "--device": numerics.device,
        "--dtype": numerics.dtype,
        "--attention": numerics.attention,
        "--threads": str(numerics.threads),
        "--batch-tokens": str(options.batch_tokens),
        **({"--permute-batches": str(job.plans)} if job.plans else {}),
    }
    flags = ["--allow-truncation"] if options.allow_truncation else []
    given = [f"{name}={value}" for name, value in named.items()]  # in one word: a suite's path may begin with a dash
    return ["score", str(resolved(job.checkpoint.folder)), *given, *flags]


def lengths_of(suite: LoadedSuite) -> Lengths:
    """Return the characters of each choice, by task and item, for what ``acc_norm`` makes of log-likelihoods."""
    tasks = suite.tasks
    return {
        (tasks[item.task].spec.name, item.row.id): [len(choice) for choice in item.choices]
        for item in build_items(tasks)
        if item.choices
    }
