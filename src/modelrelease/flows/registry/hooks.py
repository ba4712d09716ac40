"""The hooks: which files each concerns, and what it says of them. None of them writes anything."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.registry.scope import Scope
from modelrelease.git import trees
from modelrelease.registry.formats import is_log
from modelrelease.registry.policy import CONFIG_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from modelrelease.git.trees import Entry


class Changes:
    """The files that a hook looks at: what changed in the scope, or everything where nothing did."""

    def __init__(self, scope: Scope, *, everything: bool = False) -> None:
        self.scope = scope
        self.everything = everything
        self.row_findings: dict[str, list[Finding]] = {}
        self.notes: list[str] = []
        if everything:
            self.new: dict[str, Entry] = scope.new.entries()
            self.old: dict[str, Entry] = {}
            self.gone: list[str] = []
            return
        self.new = {delta.path: delta.new for delta in scope.deltas if delta.new is not None}
        self.old = {delta.path: delta.old for delta in scope.deltas if delta.old is not None}
        self.gone = [delta.old_path for delta in scope.deltas if delta.new is None or delta.old_path != delta.path]

    def governed(self) -> list[str]:
        """Return the governed files among them, without change logs."""
        return [path for path in self.new if self.scope.governs(path) and not is_log(path)]

    def read(self, path: str) -> bytes:
        """Return the new version of a regular file."""
        return self.scope.objects.read(self.new[path].oid) or b""

    def is_regular(self, path: str) -> bool:
        """Return whether a regular file stands at ``path``; a link's target is nobody's business."""
        return self.new[path].mode not in (trees.LINK, trees.SUBMODULE)


def dataset_rows(changes: Changes, leakage_against: str | None = None) -> list[Finding]:
    """Check the rows of datasets that changed: of JSONL only those that are new."""
    findings: list[Finding] = []
    suffixes = (".jsonl", ".csv", ".json")
    paths = [path for path in changes.governed() if path.lower().endswith(suffixes) and changes.is_regular(path)]
    if not paths:
        return []
    from modelrelease.flows.registry.dataset_rows import check_dataset, find_leaks

    for path in paths:
        try:
            findings += check_dataset(changes, path)
            if leakage_against is not None:
                findings += find_leaks(changes, path, leakage_against)
        except InvalidInput as error:
            findings += error.findings
    return findings


def model_layout(changes: Changes) -> list[Finding]:
    """Check the version folders that changed: each is what its papers say; one that is not scored yet passes."""
    if not any("model_v" in path or path.endswith("/model.json") for path in (*changes.new, *changes.gone)):
        return []
    from modelrelease.flows.registry.versions import check_changed

    layout = check_changed(changes)
    changes.notes += layout.notes
    return layout.findings


def release_config(changes: Changes) -> list[Finding]:
    """Check modelrelease.yaml and the suite that it names: schema, and that what they name exists."""
    touched = [*changes.new, *changes.gone]
    governed = [path for path in touched if changes.scope.governs(path) and not is_log(path)]
    # Reading a suite takes longer than all else: a commit waits for it only where it can break one by its name.
    whole = changes.everything or changes.scope.range is not None or any(path in changes.gone for path in governed)
    if not (governed if whole else any(_names_files(changes, path) for path in governed)):
        return []
    from modelrelease.flows.registry.release_config import check_config

    return check_config(changes.scope.new, touched)


def _names_files(changes: Changes, path: str) -> bool:
    if path == CONFIG_FILE:
        return True
    suite = path.lower().endswith((".yml", ".yaml")) and changes.is_regular(path)
    data = changes.read(path) if suite else b""
    return b"metrics" in data or b"include" in data


def no_pickle_weights(changes: Changes) -> list[Finding]:
    """Check the content of everything that is new, whatever it is called, and what a Trainer leaves by its name too.

    What a Git LFS pointer stands for cannot be looked at here, and a pointer is no pickle.
    """
    from modelrelease.records.pickled import find_pickle
    from modelrelease.records.pickles import HEAD
    from modelrelease.records.training_state import is_training_state, training_state

    found = []
    for path in changes.new:
        if changes.is_regular(path):
            pickle = find_pickle(changes.scope.objects.head(changes.new[path].oid, HEAD), path)
            inside = _below_checkpoint(path)
            left_behind = is_training_state(inside or posixpath.basename(path)) and (inside or pickle)
            found.append(training_state(path) if left_behind else pickle)
    return [finding for finding in found if finding is not None]


def _below_checkpoint(path: str) -> str:
    """Return a path's part below a version's `checkpoint/`; empty where it is not there."""
    folder, _, inside = path.partition("/checkpoint/")
    return inside if posixpath.basename(folder).startswith("model_v") else ""


HOOKS: dict[str, Callable[[Changes], list[Finding]]] = {
    "dataset-rows": dataset_rows,
    "model-layout": model_layout,
    "release-config": release_config,
    "no-pickle-weights": no_pickle_weights,
}
"""Every hook but change-metadata, which is the registry's rule itself; `modelrelease` is all of them in one process."""
