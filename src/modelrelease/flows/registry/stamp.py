"""Stamping: the change record of what changed, written into the work tree. All is worked out before anything is."""

from __future__ import annotations

import os
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, ModelreleaseError, Refused, escape_controls
from modelrelease.flows.registry.check import verdict
from modelrelease.flows.registry.scope import Scope, complete_staged, staged_scope
from modelrelease.flows.registry.stamp_plan import Planner, Stamp
from modelrelease.git import trees
from modelrelease.git.process import Git
from modelrelease.records.files import write_atomic
from modelrelease.registry.formats import LOG_SUFFIX, is_log


class Stamped:
    """What a stamp wrote: the files with the record, and the paths that hold it."""

    def __init__(self, files: list[str], written: list[str]) -> None:
        self.files = files
        self.written = written

    def lines(self) -> list[str]:
        """Return what was stamped as a person is told it."""
        pairs = zip(self.files, self.written, strict=True)
        places = [path if path == written else f"{path} in {written}" for path, written in pairs]
        return [escape_controls(f"stamped {place}") for place in places]


def stamp_changes(git: Git, paths: list[str], stamp: Stamp, *, add: bool) -> Stamped:
    """Write the change record of what changed in the work tree, or of ``paths`` alone; with ``add`` stage it.

    Raises Refused (exit 1) where a reason is missing or says nothing, InvalidInput (exit 2) where a file is malformed.
    Nothing is written then.
    """
    scope = staged_scope(git)
    try:
        complete_staged(scope)
        work = Planner(scope, stamp)
        candidates = _candidates(scope, paths, add=add)
        planned: dict[str, bytes] = {}
        files: list[str] = []
        findings: list[Finding] = []
        for path in candidates:
            try:
                new = work.plan(path, named=path in paths)
            except (InvalidInput, Refused) as error:
                findings += error.findings
                continue
            if new is not None:
                planned[new[0]] = new[1]
                files.append(path)
    finally:
        scope.objects.close()
    if findings:
        raise _worst(findings)
    for path, data in planned.items():
        _write(Path(git.folder) / path, data)
    if add and planned:
        git.require("add", "--", *planned)
    return Stamped(files, list(planned))


def _worst(findings: list[Finding]) -> ModelreleaseError:
    return verdict(list(dict.fromkeys(findings)))


def _write(place: Path, data: bytes) -> None:
    mode = place.stat().st_mode & 0o777 if place.exists() else None
    write_atomic(place, data)
    if mode is not None:
        place.chmod(mode)


def _candidates(scope: Scope, paths: list[str], *, add: bool) -> list[str]:
    """Return the governed files to look at: what differs from where the branch began, committed or not.

    With ``add`` only what is staged, where anything governed is.
    """
    unstaged = set(trees.unstaged(scope.git))
    staged = _governed(scope, [path for delta in scope.deltas for path in (delta.path, delta.old_path)])
    if paths:
        wanted = _governed(scope, paths)
        strange = [path for path in paths if not scope.governs(path.removesuffix(LOG_SUFFIX))]
        if strange:
            todo = "name a governed file, or add its pattern to `registry.files` in modelrelease.yaml"
            raise Refused([Finding(path, Code.NOT_STAMPED, "is not governed", todo) for path in strange])
    elif add and staged:
        wanted = staged
    else:
        # What the branch has committed already is asked for its record in CI, with this command as what mends it.
        committed = [path for delta in scope.base_deltas.values() for path in (delta.path, delta.old_path)]
        wanted = _governed(scope, [*staged, *unstaged, *trees.untracked(scope.git), *committed])
    mixed = [path for path in wanted if add and path in staged and path in unstaged]
    if mixed:
        message, todo = "has changes that are not staged, which --add would stage too", "stage or stash them first"
        raise Refused([Finding(path, Code.NOT_STAMPED, message, todo) for path in mixed])
    return wanted


def _governed(scope: Scope, paths: list[str]) -> list[str]:
    names = dict.fromkeys(path.removesuffix(LOG_SUFFIX) if is_log(path) else path for path in paths)
    return [path for path in names if scope.governs(path)]


def relative_paths(git: Git, paths: list[str], folder: str) -> list[str]:
    """Return ``paths``, as typed in ``folder``, relative to the top of the work tree."""
    return [os.path.relpath(os.path.join(folder, path), git.folder).replace(os.sep, "/") for path in paths]  # noqa: PTH118
