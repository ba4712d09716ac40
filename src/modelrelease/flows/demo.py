"""The lifecycle on a small scale, offline: data, two trainings, two evaluations, the decision.

Everything is done the way a person would do it, in a git repository of its own; the numbers are what training gives.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelrelease import git
from modelrelease.codes import Code
from modelrelease.config import find_project
from modelrelease.errors import Finding, Unavailable, invalid
from modelrelease.flows.compare import Sides, compare_files
from modelrelease.flows.materials import material
from modelrelease.flows.score import Scored, score_model
from modelrelease.records.comparison import Comparison
from modelrelease.scoring.run import Options, Surroundings

BASELINE, CANDIDATE = "models/model_v1.0", "models/model_v1.1"
TRAININGS = {
    BASELINE: ("--steps", "500", "--seed", "1", "--share", "0.5"),
    CANDIDATE: ("--steps", "600", "--seed", "1"),
}
"""What each version is trained with: the first on half of the text, the second on all of it and a little longer."""

_TIMEOUT = 1800


@dataclass(frozen=True)
class Watcher:
    """What a person sees of the demo: each step before it runs, and what its program prints."""

    step: Callable[[str], None]
    line: Callable[[str], None]
    scored: Callable[[Scored], None]


def run_demo(
    folder: Path, options: Options, surroundings: Callable[[Path], Surroundings], watcher: Watcher
) -> Comparison:
    """Make the demo's repository in ``folder``, train, score and compare; return the comparison.

    ``folder`` must be empty or not be there (MR601). Raises Unavailable (exit 3) where git or a program of the
    demo fails.
    """
    _copy(folder)
    git.create(folder)
    watcher.step("python make_data.py")
    _run(folder, watcher, "make_data.py")
    git.commit_all(folder, "Prompts, test sets and the training text")
    for version, settings in TRAININGS.items():
        command = ("train.py", "--out", f"{version}/checkpoint", *settings)
        watcher.step(f"python {' '.join(command)}")
        _run(folder, watcher, *command)
        watcher.step(f"modelrelease score {version}")
        project = find_project(folder)
        watcher.scored(score_model(project, version, None, None, options, surroundings(folder)))
        git.commit_all(folder, f"{Path(version).name}: checkpoint and evaluation")
    watcher.step(f"modelrelease compare {BASELINE} {CANDIDATE}")
    return compare_files(find_project(folder), Sides(folder / BASELINE, folder / CANDIDATE), "release")


def _copy(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise invalid(folder, Code.USAGE, "is there already and not empty", "name another folder with --into")
    ignored = shutil.ignore_patterns("__pycache__", ".keep")
    shutil.copytree(material("examples/demo").path, folder, ignore=ignored, dirs_exist_ok=True)


def _run(folder: Path, watcher: Watcher, script: str, *arguments: str) -> None:
    """Run one of the demo's programs with this Python, its output passed on line by line."""
    command = [sys.executable, script, *arguments]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            last = line.rstrip() or last
            watcher.line(line.rstrip())
        code = process.wait(_TIMEOUT)
    if code != 0:
        message = f"ended with exit code {code}: {last}"
        raise Unavailable(Finding(script, Code.UNAVAILABLE, message, "see its output above"))
