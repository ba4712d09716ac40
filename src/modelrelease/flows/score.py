"""Scoring, from the files it reads to the files it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import escape_controls, invalid
from modelrelease.flows.weights import Weights
from modelrelease.records.addresses import HUB
from modelrelease.records.evaluation import EVAL_FILE, VERSION_PREFIX, Evaluation
from modelrelease.records.files import resolved, write_atomic
from modelrelease.records.saving import write_results
from modelrelease.reproduction.tolerance import tolerance_of
from modelrelease.scoring.journal import discard
from modelrelease.scoring.noise import measure_noise
from modelrelease.scoring.run import Options, Surroundings, score
from modelrelease.scoring.suites import load_suite

RUNS = Path(".modelrelease") / "runs"


@dataclass(frozen=True)
class Scored:
    """Where a run was written, and what it says."""

    folder: Path
    evaluation: Evaluation


def score_model(
    project: Project,
    model: str,
    suite: str | None,
    out: Path | None,
    options: Options,
    surroundings: Surroundings,
    *,
    plans: int = 0,
) -> Scored:
    """Score ``model`` with ``suite`` (the config's unless named) and write eval.json and samples.jsonl.

    ``model``: a version folder, a checkpoint folder or ``hf://org/name@revision``. Written into ``out``; else into the
    version folder when the configured suite was used and it has no eval.json yet; else into
    ``.modelrelease/runs/<digest>/``. A released record is never overwritten (MR410). Nothing is written when anything
    fails. ``plans``: how many other batch plans to try; what they move is recorded as ``engine.tolerance``.
    """
    suite_path = suite or project.require_config().suite
    if suite_path is None:
        raise invalid(project.config_path, Code.MISSING_FIELD, "`suite` is missing", "add it, or pass --suite")
    if out is not None:
        _refuse_record(resolved(out))
    loaded = load_suite(suite_path, project.read)
    weights, folder = Weights.of(surroundings), None
    if model.startswith(HUB):
        checkpoint = weights.of_hub(escape_controls(model))
    else:
        folder = model_folder(project, model)
        checkpoint = weights.of_version(folder, _shown(project, folder, model))
    result = score(checkpoint, loaded, options, surroundings)
    configured = project.config is not None and suite_path == project.config.suite
    # A record beside the weights would be part of what it is the record of.
    apart = checkpoint.version is not None and checkpoint.folder != folder
    target = out or _target(project, folder if configured and apart else None, result.key)
    evaluation = result.evaluation
    if plans:
        noise = measure_noise(checkpoint, loaded, options, result.samples, plans, surroundings)
        tolerance = tolerance_of(noise) if noise is not None else None
        evaluation = evaluation.model_copy(
            update={"engine": evaluation.engine.model_copy(update={"tolerance": tolerance})}
        )
    write_results(target, evaluation, result.samples)
    discard(surroundings.journal, result.key)
    return Scored(target, evaluation)


def model_folder(project: Project, model: str) -> Path:
    """Return the folder that ``model`` names, here or in the repository."""
    path = Path(model)
    return path if path.is_absolute() or path.exists() else project.root / path


def _shown(project: Project, folder: Path, model: str) -> str:
    """How records name the model: relative to the repository where it is inside, as given elsewhere."""
    place = resolved(folder, model)
    name = place.relative_to(project.root).as_posix() if place.is_relative_to(project.root) else model
    return escape_controls(name)


def _refuse_record(out: Path) -> None:
    if out.name.startswith(VERSION_PREFIX) and (out / EVAL_FILE).exists():
        todo = "choose another --out; a version's record is never overwritten"
        raise invalid(out / EVAL_FILE, Code.EXISTING_RECORD, "is the record of a version", todo)


def _target(project: Project, version: Path | None, key: str) -> Path:
    if version is not None and not (version / EVAL_FILE).exists():
        return version
    target = project.root / RUNS / key[:16]
    refuse_links(project.root, target)
    keep_from_git(project.root)
    return target


def refuse_links(root: Path, *places: Path) -> None:
    """Raise InvalidInput (MR209) where a place below ``root``, or a folder on the way to it, is a link.

    A pull request can bring links, and what is written there would land somewhere else.
    """
    for place in places:
        for step in (place, *place.parents):
            if step == root:
                break
            if step.is_symlink() and step.is_relative_to(root):
                todo = "remove it, or pass --out"
                raise invalid(step, Code.UNREADABLE, "is a link, and runs are written there", todo)


def keep_from_git(root: Path) -> None:
    """Runs are nobody's source: a .gitignore of their own keeps them out of `git add`."""
    ignore = root / RUNS.parent / ".gitignore"
    if not ignore.exists():
        write_atomic(ignore, b"*\n")
