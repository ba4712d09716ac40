"""Run a recorded evaluation again, its inputs and settings as recorded, and hold it against the record."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import add_config, open_project
from modelrelease.cli.output import complain, say, say_json
from modelrelease.cli.score import add_permutations, positive, surroundings_of, threads
from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable, escape_controls, invalid

if TYPE_CHECKING:
    from modelrelease.config import Project
    from modelrelease.flows.reproduce import Apart, Wanted

EXAMPLE = "modelrelease reproduce models/model_v1.0"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help="a folder with an eval.json, or an eval.json (default: the live version)",
    )
    add_config(parser)
    parser.add_argument("--suite", metavar="FILE", help="the suite, relative to the repository (default: the config's)")
    recorded = "default: as recorded"
    parser.add_argument(
        "--batch-tokens", type=positive, metavar="N", help=f"padded tokens in a batch ({recorded}, like the next four)"
    )
    parser.add_argument("--threads", type=threads, metavar="N", help="torch's threads")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--device", help="cpu, cuda, cuda:1 …")
    parser.add_argument("--attention", choices=("sdpa", "eager", "flash_attention_2"))
    add_permutations(parser, "also measure how far this machine's batch plans move log-likelihoods")
    parser.add_argument(
        "--tolerance",
        type=_nats,
        metavar="T",
        help="nats that a log-likelihood may move (default: the recorded ones, else the dtype's)",
    )
    parser.add_argument(
        "--environment",
        choices=("check", "venv"),
        default="check",
        help="check: run with the libraries that are here, and name those that differ; venv: install the recorded ones",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where reproduction.json goes (default: beside eval.json)"
    )
    parser.add_argument("--json", action="store_true", help="print reproduction.json instead of a report")


def run(arguments: argparse.Namespace) -> int:
    """Reproduce; exit 0 where the record is borne out, 1 for a mismatch and where it is another experiment."""
    from modelrelease.flows.reproduce import reproduce_model
    from modelrelease.records.reproduction import REPRODUCED
    from modelrelease.reports.reproduction import reproduction_table

    project = open_project(arguments.config)
    surroundings = surroundings_of(project.root)
    model = arguments.model if arguments.model is not None else _live(project)
    done = reproduce_model(project, model, _wanted(arguments), surroundings, _apart(arguments))
    if arguments.json:
        say_json(done.reproduction.to_bytes())
    else:
        say(reproduction_table(done.reproduction, str(done.path) if done.path is not None else None))
    return 0 if done.reproduction.outcome in REPRODUCED else 1


def _live(project: Project) -> str:
    from modelrelease.flows.resolve import live_version

    live = live_version(project, lambda line: complain(escape_controls(f"warning: {line}") + "\n"))
    if live is None:
        todo = "score a version and commit its record, or name a folder with an eval.json"
        raise invalid("modelrelease reproduce", Code.RESOLUTION, "no version has a record, so none is live", todo)
    return str(project.root / live)


def _wanted(arguments: argparse.Namespace) -> Wanted:
    from modelrelease.flows.reproduce import Wanted

    return Wanted(
        suite=arguments.suite,
        out=arguments.out,
        device=arguments.device,
        dtype=arguments.dtype,
        attention=arguments.attention,
        threads=arguments.threads,
        batch_tokens=arguments.batch_tokens,
        plans=arguments.permute_batches,
        tolerance=arguments.tolerance,
        environment=arguments.environment,
    )


def _apart(arguments: argparse.Namespace) -> Apart | None:
    """Where a private environment is kept: never in a folder that others can write to, since Python runs from it."""
    if arguments.environment != "venv":
        return None
    from modelrelease import settings
    from modelrelease.flows.reproduce import Apart

    home = settings.cache_home()
    if home is None:
        message, todo = "there is no home to keep a private environment in", "set MODELRELEASE_CACHE to a folder"
        raise Unavailable(Finding("--environment", Code.ENVIRONMENT, message, todo))
    return Apart(home.absolute() / "environments", settings.apart())


def _nats(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text} is no number of 0 or more")
    return value
