"""Reading everything that is told of a version: its records, its parent's, and what git has between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import InvalidInput, invalid
from modelrelease.flows.compare import Sides, compare_files, diff_files
from modelrelease.flows.version_history import Since, changes_since
from modelrelease.records.comparison import MAX_EXAMPLES, Comparison, Diff
from modelrelease.records.config import Config
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.faults import quoted
from modelrelease.records.files import resolved, sha256_of
from modelrelease.records.model import MODEL_FILE, ModelRecord, read_model_record
from modelrelease.records.reproduction import REPRODUCTION_FILE, Reproduction
from modelrelease.records.results import read_results
from modelrelease.records.strict_json import read_json_file
from modelrelease.records.validation import validate
from modelrelease.records.version_story import Judged, Override, Parent, Reproduced, VersionStory
from modelrelease.release.versions import version_key

NO_SINCE = Since(None, None)


@dataclass(frozen=True)
class Told:
    """A version's story. ``notes``: what it does not tell, and should."""

    story: VersionStory
    notes: tuple[str, ...]


def read_story(
    project: Project, folder: Path, overrides: tuple[Override, ...] = (), results: Path | None = None
) -> Told:
    """Return what is told of the version in ``folder``, with the work tree's policy.

    ``results`` holds the evaluation that is told of, where it is another one than the folder's.

    Raises InvalidInput: no version folder (MR209, MR507), malformed records (MR2xx), records of another version or
    checkpoint (MR507), and what reading results raises (MR5xx); Unavailable (MR111) in a shallow clone.
    """
    shown, version = _named(project, folder)
    config = project.config or Config(schema_version=1)
    model = _read_papers(folder, version)
    scored_in = results or folder
    evaluation = _read_evaluation(scored_in, model)
    parent = _parent(folder, model)
    scored = evaluation is not None and parent.state == "scored"
    since = NO_SINCE
    if parent.state in ("scored", "not-scored"):
        other = (Path(shown).parent / str(parent.version)).as_posix()
        since = changes_since(project.root, shown, other, texts=config.comment.samples == "text")
    story = VersionStory(
        folder=shown,
        version=version,
        model=model,
        evaluation=evaluation,
        parent=parent,
        judged=_judged(project, folder.parent / str(parent.version), scored_in) if scored else None,
        changes=since.changes,
        changes_unknown=since.unknown,
        reproduced=_reproduced(folder),
        overrides=overrides,
        samples=config.comment.samples,
    )
    return Told(story, since.notes)


def _named(project: Project, folder: Path) -> tuple[str, str]:
    """Return the folder relative to the repository's root, and the version's name."""
    place = resolved(folder)
    if not place.is_dir():
        raise invalid(folder, Code.UNREADABLE, "is no folder", "name a version folder, such as models/model_v1.1")
    if version_key(place.name) is None:
        raise invalid(folder, Code.RECORD_PLACE, "is not named as a version is", "call it model_vX.Y or model_vX.Y.Z")
    if not place.is_relative_to(project.root):
        raise invalid(folder, Code.UNREADABLE, "lies outside the repository", "name a version folder inside it")
    return place.relative_to(project.root).as_posix(), place.name


def _read_papers(folder: Path, version: str) -> ModelRecord:
    path = folder / MODEL_FILE
    if not path.is_file():
        todo = f"write it with `modelrelease record {folder}`"
        raise invalid(path, Code.UNREADABLE, "does not exist, and a card is written from it", todo)
    model = read_model_record(path)
    if model.version not in (None, version):
        message = f"is the record of {quoted(model.version or '')}, in the folder of {quoted(version)}"
        raise invalid(path, Code.RECORD_PLACE, message, "record this version")
    for key, name in (("parent", model.parent), ("same_as", model.checkpoint.same_as)):
        if name is not None and version_key(name) is None:
            message = f"`{key}` is {quoted(name)}, which no version is called"
            raise invalid(path, Code.INVALID_VALUE, message, "name a version folder, such as model_v1.0")
    if model.parent == version:
        raise invalid(path, Code.INVALID_VALUE, "`parent` is the version itself", "name the version it came from")
    return model


def _read_evaluation(folder: Path, model: ModelRecord) -> Evaluation | None:
    path = folder / EVAL_FILE
    if not path.is_file():
        return None
    evaluation = read_results(path).evaluation
    if evaluation.model.digest != model.checkpoint.digest:
        digests = f"{evaluation.model.digest[:12]} here, {model.checkpoint.digest[:12]} in {MODEL_FILE}"
        message = f"is of another checkpoint than {MODEL_FILE}: {digests}"
        raise invalid(path, Code.RECORD_PLACE, message, "score this checkpoint, or record it again")
    return evaluation


def _parent(folder: Path, model: ModelRecord) -> Parent:
    """Return the parent as far as it is here; one whose papers cannot be read is not a reason to write no card."""
    name = model.parent
    if name is None:
        return Parent(version=None, state="none")
    place = folder.parent / name
    if not place.is_dir():
        return Parent(version=name, state="absent")
    try:
        papers = read_model_record(place) if (place / MODEL_FILE).is_file() else None
    except InvalidInput:
        papers = None
    return Parent(version=name, state="scored" if (place / EVAL_FILE).is_file() else "not-scored", model=papers)


def _judged(project: Project, parent: Path, own: Path) -> Judged:
    """Compare both evaluations on the items they share: under the policy where that names metrics, else without."""
    gates = project.config.gate.metrics.values() if project.config else ()
    if not any(metric.role == "gate" for metric in gates):
        return Judged(diff=diff_files(project, Sides(parent, own), intersect=True, most=MAX_EXAMPLES), by_policy=False)
    comparison = compare_files(project, Sides(parent, own), "release", intersect=True)
    return Judged(
        diff=Diff(**{name: getattr(comparison, name) for name in Diff.model_fields if name in Comparison.model_fields}),
        by_policy=True,
    )


def _reproduced(folder: Path) -> Reproduced | None:
    path = folder / REPRODUCTION_FILE
    if not path.is_file():
        return None
    record = validate(Reproduction, read_json_file(path))
    scored = folder / EVAL_FILE
    current = scored.is_file() and sha256_of(scored) == record.eval_sha256
    return Reproduced(record=record, current=current)
