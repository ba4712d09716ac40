"""Governed files and version folders, as `check`, `score` and `card` see them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelrelease.config import Project
from modelrelease.doctor.section import Section
from modelrelease.errors import Finding, ModelreleaseError
from modelrelease.flows.card import Written, plan_card
from modelrelease.numbers import show_count, show_few
from modelrelease.records.diagnosis import Check
from modelrelease.records.evaluation import EVAL_FILE
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.repository_settings import Unseen
from modelrelease.release.versions import sorted_versions

_HERE = Section("versions")
_FEW = 4


def version_names(project: Project) -> tuple[str, ...]:
    """Return the version folders that are there, lowest first."""
    folder = project.root / _models(project)
    try:
        names = [entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()]
    except OSError:  # no such folder
        return ()
    return tuple(sorted_versions(names))


def check_records(project: Project, today: datetime.date, cache: Path | None) -> Iterator[Check]:
    """Yield whether every governed file has its record, and every version is what its papers say."""
    from modelrelease.flows.registry.scope import open_git, staged_scope
    from modelrelease.flows.registry.standing import check_work_tree
    from modelrelease.flows.registry.versions import check_standing

    scope = staged_scope(open_git(str(project.root), {}))
    try:
        checked = check_work_tree(scope, today)
        layout = check_standing(scope, cache)
    finally:
        scope.objects.close()
    files = show_count(checked.files)
    yield _found(
        "change records", checked.findings, f"{files} governed file{'' if checked.files == 1 else 's'}, all recorded"
    )
    folders = f"{layout.versions} version folder{'' if layout.versions == 1 else 's'}, as their papers say"
    yield _found("papers", layout.findings, folders)


def _found(name: str, findings: Sequence[Finding], fine: str) -> Check:
    return _HERE.finding(name, findings[0], len(findings) - 1) if findings else _HERE.ok(name, fine)


def check_versions(project: Project, texts: Written) -> Iterator[Check]:
    """Yield whether there are versions, with model.json, scored, and with a card that is whole."""
    names, models = version_names(project), _models(project)
    if not names:
        step = (
            f"put a checkpoint into {models}/model_v1.0/checkpoint, and run `modelrelease record {models}/model_v1.0`"
        )
        yield _HERE.todo("versions", f"there is none in {models}", step)
        return
    folder = project.root / models
    bare = [name for name in names if not (folder / name / MODEL_FILE).is_file()]
    if bare:
        says = f"without {MODEL_FILE}: {show_few(bare, _FEW)}"
        yield _HERE.todo(MODEL_FILE, says, f"run `modelrelease record {models}/{bare[0]}`")
    else:
        yield _HERE.ok(MODEL_FILE, f"every version has it ({len(names)})")
    if unscored := [name for name in names if not (folder / name / EVAL_FILE).is_file()]:
        says = f"not scored: {show_few(unscored, _FEW)}"
        yield _HERE.todo(EVAL_FILE, says, f"run `modelrelease score {models}/{unscored[0]}`")
    else:
        yield _HERE.ok(EVAL_FILE, f"every version is scored ({len(names)})")
    for name in names:
        if name not in bare:
            yield _card(project, name, texts)


def _card(project: Project, name: str, texts: Written) -> Check:
    title = f"card of {name}"
    try:
        plan = plan_card(project, project.root / _models(project) / name, texts)
    except ModelreleaseError as error:
        if error.exit_code == 3:
            return _HERE.unseen(title, Unseen(error.findings[0].message, error.findings[0].todo))
        return _HERE.finding(title, error.findings[0], len(error.findings) - 1)
    return _found(title, plan.all_wrong(), "is what the records give, and whole")


def _models(project: Project) -> str:
    return project.config.models if project.config is not None else "models"
