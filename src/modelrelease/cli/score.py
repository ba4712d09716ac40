"""Score a checkpoint with a suite and write eval.json and samples.jsonl."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.common import Bar, add_config, open_project
from modelrelease.cli.output import say, say_json

if TYPE_CHECKING:
    from modelrelease.scoring.run import Options, Surroundings

MAX_THREADS, MAX_PLANS = 1024, 100
MAX_NUMBER = 10_000_000
EXAMPLE = "modelrelease score models/model_v1.1 --suite evals/release.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model", metavar="MODEL", help="a version folder, a checkpoint folder, or hf://org/name@revision"
    )
    add_config(parser)
    parser.add_argument("--suite", metavar="FILE", help="the suite, relative to the repository (default: the config's)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (default: the version folder, or a run's)"
    )
    add_numerics(parser)
    add_permutations(parser, "record how far other batch plans move log-likelihoods: the tolerance of reproductions")
    parser.add_argument("--json", action="store_true", help="print eval.json instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Score; exit 0 whatever the scores are."""
    from modelrelease.flows.score import score_model
    from modelrelease.reports.evaluation import evaluation_table

    project = open_project(arguments.config)
    options, surroundings = options_of(arguments), surroundings_of(project.root)
    where = (arguments.model, arguments.suite, arguments.out)
    scored = score_model(project, *where, options, surroundings, plans=arguments.permute_batches)
    if arguments.json:
        say_json(scored.evaluation.to_bytes())
    else:
        say(evaluation_table(scored.evaluation, str(scored.folder)))
    return 0


def add_numerics(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how numbers are made."""
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 … (default: a GPU where there is one)")
    types = ("auto", "float32", "bfloat16", "float16")
    parser.add_argument(
        "--dtype", choices=types, default="auto", help="default: float32 on CPU, the model's own on a GPU"
    )
    parser.add_argument(
        "--attention", choices=("sdpa", "eager", "flash_attention_2"), default="sdpa", help="default: sdpa"
    )
    parser.add_argument("--threads", type=threads, metavar="N", help="torch's threads (default: torch's choice)")
    parser.add_argument("--batch-tokens", type=positive, metavar="N", help="padded tokens in a batch")
    parser.add_argument(
        "--allow-truncation", action="store_true", help="drop the beginning of prompts that are too long"
    )


def add_permutations(parser: argparse.ArgumentParser, purpose: str) -> None:
    """Add ``--permute-batches [K]``; 0 where it is not given."""
    parser.add_argument(
        "--permute-batches", type=_plans, nargs="?", const=3, default=0, metavar="K", help=f"{purpose} (K: 3)"
    )


def options_of(arguments: argparse.Namespace) -> Options:
    """Return what ``add_numerics``' options say."""
    from modelrelease.scoring.engines.loading import Numerics
    from modelrelease.scoring.run import BATCH_TOKENS, Options

    numerics = Numerics(arguments.device, arguments.dtype, arguments.attention, arguments.threads)
    return Options(numerics, arguments.batch_tokens or BATCH_TOKENS, arguments.allow_truncation)


def surroundings_of(root: Path) -> Surroundings:
    """Return what a run is given of the world: places for what may be lost, bars, the clock, the work tree's state."""
    from dataclasses import replace

    from modelrelease import git

    head = git.head(root)
    return replace(bare_surroundings(), git_sha=head.sha, dirty=head.dirty)


def bare_surroundings() -> Surroundings:
    """Return the same without the state of a work tree, for which git may have to read all of it."""
    from modelrelease import settings
    from modelrelease.scoring.run import Surroundings

    return Surroundings(
        journal=settings.partial_runs(),
        progress=Bar(),
        cache=settings.cache_home(),
        hub_endpoint=settings.hub_endpoint(),
        offline=settings.is_offline(),
        download=Bar("fetching weights", "B"),
        now=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"),
        run_url=settings.run_url(),
    )


def positive(text: str) -> int:
    """Return a count that a run can have, as argparse's ``type``."""
    value = int(text)
    if not 1 <= value <= MAX_NUMBER:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MAX_NUMBER:,}")
    return value


def _plans(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MAX_PLANS:
        raise argparse.ArgumentTypeError(f"{text} plans are not from 1 to {MAX_PLANS}")
    return value


def threads(text: str) -> int:
    """Return a number of threads, as argparse's ``type``."""
    value = positive(text)
    if value > MAX_THREADS:
        raise argparse.ArgumentTypeError(f"{text} threads are more than {MAX_THREADS:,}")
    return value
