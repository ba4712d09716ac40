"""Make a small git repository, train two tiny models, score and release them, roll back, and trace. No network."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelrelease.cli.output import say
from modelrelease.cli.score import surroundings_of
from modelrelease.cli.told import printed
from modelrelease.codes import Code
from modelrelease.errors import Finding, Unavailable

if TYPE_CHECKING:
    from modelrelease.flows.reproduce import Reproduced
    from modelrelease.flows.score import Scored

EXAMPLE = "modelrelease demo --into modelrelease-demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--into", type=Path, metavar="DIR", default=Path("modelrelease-demo"), help="default: %(default)s"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; exit 0 when all of it ran."""
    from modelrelease.scoring.engines.loading import import_torch

    import_torch()  # says at once, and not after the training, that an extra is missing
    from modelrelease.flows.demo import BASELINE, CANDIDATE, Watcher, run_demo
    from modelrelease.scoring.run import Options

    started = time.monotonic()

    watcher = Watcher(
        step=lambda command: _say(f"\n[{time.monotonic() - started:5.1f} s] $ {command}"),
        line=lambda line: _say(f"    {line}"),
        scored=_show_scores,
        reproduced=_show_reproduction,
        command=_run_command,
    )
    run_demo(arguments.into, Options(), surroundings_of, watcher)
    _say("\n" + where_to_look(arguments.into, BASELINE, CANDIDATE, time.monotonic() - started, _activation()))
    return 0


def _show_scores(scored: Scored) -> None:
    from modelrelease.reports.evaluation import evaluation_table

    for line in evaluation_table(scored.evaluation, str(scored.folder)).splitlines():
        _say(f"    {line}")


def _show_reproduction(done: Reproduced) -> None:
    from modelrelease.reports.reproduction import reproduction_table

    for line in reproduction_table(done.reproduction, str(done.path)).splitlines():
        _say(f"    {line}")


def _run_command(folder: Path, words: tuple[str, ...]) -> None:
    """Run a command as somebody would who stands in ``folder``, and show what it prints."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        code, text = printed(list(words), log=False)
    finally:
        os.chdir(here)
    for line in text.splitlines():
        _say(f"    {line}".rstrip())
    if code != 0:
        message = f"ended with exit code {code}"
        raise Unavailable(Finding(f"modelrelease {words[0]}", Code.UNAVAILABLE, message, "see its output above"))


def where_to_look(folder: Path, baseline: str, candidate: str, seconds: float, activate: Path | None) -> str:
    """Return the last screen. ``activate``: what puts `modelrelease` on the shell's path, where it is not."""
    places = {
        "README.md": f"what is there; {Path(baseline).name} learned from half of the text, the other from all of it",
        "evals/release.yaml": "the suite: what was asked",
        "modelrelease.yaml": "the policy: what decides, and where releases go",
        f"{candidate}/": "the checkpoint, its papers, card, changelog and record",
        "releases/": "what is released: the versions, and what production names",
    }
    commands = {
        f". {shlex.quote(str(activate))}": "so that your shell finds modelrelease",
        "modelrelease log": "who changed what, why and when",
        "modelrelease ledger log": "who released and rolled back what",
        f"modelrelease ledger trace {Path(baseline).name}": "the other version's whole chain",
        f"modelrelease verify {Path(candidate).name} --download": "is what is published what was released?",
        "modelrelease changes --from-ref HEAD~3 --to-ref HEAD": "what changed since the first commit, word by word",
        f"modelrelease diff {baseline} {candidate}": "what the second one answers otherwise",
        f"modelrelease compare {candidate} {baseline}": "the other way around: a regression",
    }
    shown = list(commands.items())[0 if activate is not None else 1 :]
    return "\n".join(
        [
            f"All of this was made in {folder} in {seconds:.0f} s. Look at:",
            *_columns([(f"{folder}/{path}", what) for path, what in places.items()], ""),
            "",
            f"Then, in {folder}:",
            *_columns(shown, "# "),
        ]
    )


def _columns(rows: Sequence[tuple[str, str]], mark: str) -> list[str]:
    width = max(len(left) for left, _ in rows)
    return [f"  {left:<{width}}  {mark}{right}" for left, right in rows]


def _activation() -> Path | None:
    """Return the script that activates this Python's environment, None where the shell finds `modelrelease` itself."""
    script = Path(sys.executable).parent / "activate"
    return script if shutil.which("modelrelease") is None and script.is_file() else None


def _say(text: str) -> None:
    say(text + "\n")
