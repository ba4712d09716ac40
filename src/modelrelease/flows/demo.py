"""The lifecycle on a small scale, offline: data, a changed prompt, two trainings, evaluations, releases, the way back.

Everything is done the way a person would do it, in a git repository of its own; the numbers are what training gives.
"""

from __future__ import annotations

import shlex
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
from modelrelease.flows.materials import material
from modelrelease.flows.registry.check import check_changes, today
from modelrelease.flows.registry.scope import open_git, staged_scope
from modelrelease.flows.registry.stamp import stamp_changes
from modelrelease.flows.registry.stamp_plan import Stamp
from modelrelease.flows.reproduce import Reproduced, Wanted, reproduce_model
from modelrelease.flows.score import Scored, score_model
from modelrelease.scoring.run import Options, Surroundings

PROMPT = "prompts/ask.md"
KIT, TAKE_OVER = (
    (PROMPT, "evals/release.yaml", "modelrelease.yaml"),
    "Take over the example of the kit, to see a release",
)
BEGIN = "Begin with eighty products, asked about in words that training never sees"
ADAPT = "Ask the way the training text does: its lines begin with Q and A"
CARD = "model_card.md"
WRONG = "A shop reports wrong prices: back until we know why"
_WORDING = {"Question:": "Q:", "Answer:": "A:"}
BASELINE, CANDIDATE = "models/model_v1.0", "models/model_v1.1"
TRAININGS = {
    BASELINE: ("--steps", "500", "--seed", "1", "--share", "0.5"),
    CANDIDATE: ("--steps", "600", "--seed", "1", "--parent", Path(BASELINE).name),
}
"""What each version is trained with: the first on half of the text, the second on all of it and a little longer."""

_TIMEOUT = 1800


@dataclass(frozen=True)
class Watcher:
    """What a person sees of the demo: each step before it runs, and what its program prints.

    ``command`` runs a command of ours as from a command line in a folder, and raises where it does not end well.
    """

    step: Callable[[str], None]
    line: Callable[[str], None]
    scored: Callable[[Scored], None]
    reproduced: Callable[[Reproduced], None]
    command: Callable[[Path, tuple[str, ...]], None]


def run_demo(folder: Path, options: Options, surroundings: Callable[[Path], Surroundings], watcher: Watcher) -> None:
    """Make the demo's repository in ``folder``; train, score, reproduce and release in it, roll back and trace.

    ``folder`` must be empty or not be there (MR601). Raises Unavailable (exit 3) where git or a program of the
    demo fails.
    """
    _copy(folder)
    git.create(folder)
    git.name_somebody(folder)
    watcher.step("python make_data.py")
    _run(folder, watcher, "make_data.py")
    git.add_all(folder)
    _stamp(folder, watcher, TAKE_OVER, *KIT)
    _stamp(folder, watcher, BEGIN)
    _commit(folder, watcher, "A prompt, test sets and the training text")
    watcher.step(f"$EDITOR {PROMPT}")
    _edit_prompt(folder / PROMPT, watcher)
    git.add_all(folder)
    _check(folder, watcher)
    _stamp(folder, watcher, ADAPT)
    _commit(folder, watcher, "Ask the way the training text does")
    for version, settings in TRAININGS.items():
        _train(folder, watcher, "train.py", "--out", version, *settings)
        watcher.step(f"modelrelease score {version}")
        project = find_project(folder)
        watcher.scored(score_model(project, version, None, None, options, surroundings(folder)))
        if version == BASELINE:
            watcher.step(f"modelrelease reproduce {BASELINE}")
            watcher.reproduced(reproduce_model(project, BASELINE, Wanted(), surroundings(folder)))
        _release(folder, watcher, version)
    before, after = Path(BASELINE).name, Path(CANDIDATE).name
    _command(folder, watcher, "rollback", "--to", before, "--reason", WRONG)
    _command(folder, watcher, "promote", after)
    _command(folder, watcher, "ledger", "verify")
    _command(folder, watcher, "ledger", "trace", after)


def _train(folder: Path, watcher: Watcher, *command: str) -> None:
    watcher.step(f"python {' '.join(command)}")
    _run(folder, watcher, *command)


def _release(folder: Path, watcher: Watcher, version: str) -> None:
    """Write the version's card, commit and tag it, and promote what is tagged."""
    name = Path(version).name
    watcher.step(f"cp {CARD} {version}/README.md")
    shutil.copyfile(folder / CARD, folder / version / "README.md")
    _command(folder, watcher, "card", version, "--write")
    git.add_all(folder)
    _commit(folder, watcher, f"{name}: checkpoint, evaluation and card")
    watcher.step(f"git tag {name}")
    git.tag(folder, name)
    _command(folder, watcher, "promote", name)


def _command(folder: Path, watcher: Watcher, *words: str) -> None:
    watcher.step(shlex.join(("modelrelease", *words)))
    watcher.command(folder, words)


def _copy(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise invalid(folder, Code.USAGE, "is there already and not empty", "name another folder with --into")
    ignored = shutil.ignore_patterns("__pycache__", ".keep")
    shutil.copytree(material("examples/demo").path, folder, ignore=ignored, dirs_exist_ok=True)


def _stamp(folder: Path, watcher: Watcher, reason: str, *paths: str) -> None:
    watcher.step(f'modelrelease stamp {"".join(path + " " for path in paths)}--reason "{reason}" --add')
    stamped = stamp_changes(open_git(str(folder), {}), list(paths), Stamp(reason, today()), add=True)
    for line in stamped.lines():
        watcher.line(line)


def _check(folder: Path, watcher: Watcher) -> None:
    """Show what a commit without a reason is told."""
    watcher.step("modelrelease check --staged")
    scope = staged_scope(open_git(str(folder), {}))
    try:
        for finding in check_changes(scope, today()).findings:
            watcher.line(str(finding))
    finally:
        scope.objects.close()


def _commit(folder: Path, watcher: Watcher, message: str) -> None:
    watcher.step(f'git commit --message "{message}"')
    git.commit_all(folder, message)


def _edit_prompt(path: Path, watcher: Watcher) -> None:
    text = path.read_text("utf-8")
    for old, new in _WORDING.items():
        watcher.line(f"{old} → {new}")
        text = text.replace(old, new)
    path.write_bytes(text.encode("utf-8"))


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
