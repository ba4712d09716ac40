"""A clone's own set-up, as git and the files say, and the workflows in it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from modelrelease import git
from modelrelease.doctor.repository import MAX_PLAIN, Clone
from modelrelease.doctor.workflows import Template
from modelrelease.errors import InvalidInput, Unavailable
from modelrelease.flows.materials import material
from modelrelease.flows.place import MAX_EXISTING, existing
from modelrelease.git import local
from modelrelease.release.targets.address import relative_folder
from modelrelease.scaffold.additions import RELEASE_WORKFLOW, REPRODUCE_WORKFLOW, ROLLBACK_WORKFLOW, WORKFLOW, WORKFLOWS
from modelrelease.scaffold.precommit import PRECOMMIT

_RELEASED = "versions/model_v1.0"
_CHANGES = ".changes.jsonl"
_HOOK_READ = 1 << 16
_FILES = "workflows-templates"
_OF_PULL_REQUESTS = frozenset({"", "/actions/check", "/actions/comment"})


def read_clone(root: Path, governed: str) -> Clone:
    """Return what the clone at ``root`` says of itself; ``governed`` is a folder whose change logs count."""
    files = git.files(root)
    logs = [path for path in files if path.endswith(_CHANGES)] or [f"{governed}/rows{_CHANGES}"]
    return Clone(
        hooks=_file(root, PRECOMMIT),
        installed=_hook(root),
        merges=local.attribute(root, "merge", logs),
        ignored=local.ignores(root, ".modelrelease/runs"),
        large=_large(root, files),
        has_remote=git.remote_url(root) is not None,
        default_branch=local.known_default_branch(root),
        learns_branch=local.learning_default_branch(root),
    )


def is_ignored(root: Path, target: str) -> bool:
    """Say whether git ignores what a target in a folder below ``root`` holds; True where it is none."""
    folder = relative_folder(target)
    return folder is None or local.ignores(root, f"{folder}/{_RELEASED}")


def _file(root: Path, path: str) -> bytes | None:
    try:
        return existing(root, path)
    except InvalidInput:  # a link or a folder: nothing that the tool itself would read
        return None


def _hook(root: Path) -> bytes | None:
    place = local.hook_file(root, "pre-commit")
    try:
        if not place.is_file():  # a pipe would be waited for
            return None
        with place.open("rb") as stream:
            return stream.read(_HOOK_READ)
    except OSError:
        return None


def _large(root: Path, files: list[str]) -> tuple[str, ...]:
    """Large files that the newest commit keeps in full, and those in the work tree that the next one would."""
    commit = git.head(root).sha
    kept = local.sizes(root, commit) if commit is not None else {}
    found = {path for path, size in kept.items() if size >= MAX_PLAIN}
    here = [path for path in files if path not in kept and _size(root / path) >= MAX_PLAIN]
    filters = local.attribute(root, "filter", here) if here else {}
    return tuple(sorted(found | {path for path in here if filters.get(path) != "lfs"}))


def _size(place: Path) -> int:
    try:
        return place.lstat().st_size
    except OSError:
        return 0


def read_workflows(root: Path) -> dict[str, bytes]:
    """Return the workflows that are there, by path."""
    folder = root / WORKFLOWS
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    found = {}
    for name in names:
        with contextlib.suppress(InvalidInput):
            if name.endswith((".yml", ".yaml")) and (data := existing(root, f"{WORKFLOWS}/{name}")) is not None:
                found[f"{WORKFLOWS}/{name}"] = data[:MAX_EXISTING]
    return found


def templates(*, to_hub: bool = True) -> list[Template]:
    """Return the kit's workflows, as the installed version has them.

    ``to_hub``: releases go to the Hub, which is what workflows are for; a folder is released into where it is.
    """
    init, again = "run `modelrelease init`", "run `modelrelease init --reproduce`"
    found = [
        _template("pull-request.yml", WORKFLOW, _OF_PULL_REQUESTS, init),
        _template("reproduce.yml", REPRODUCE_WORKFLOW, frozenset({"/actions/reproduce"}), again, needed=False),
    ]
    releasing = "run `modelrelease init --release`"
    found += [
        _template("release.yml", RELEASE_WORKFLOW, frozenset({"/actions/promote"}), releasing, needed=to_hub),
        _template("rollback.yml", ROLLBACK_WORKFLOW, frozenset({"/actions/rollback"}), releasing, needed=to_hub),
    ]
    return [one for one in found if one is not None]


def _template(name: str, place: str, parts: frozenset[str], step: str, *, needed: bool = True) -> Template | None:
    try:
        text = material(f"{_FILES}/{name}").path.read_text("utf-8")
    except Unavailable:  # an installation without it
        return None
    return Template(name, text, place, parts, step, needed)
