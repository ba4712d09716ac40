"""Which version folders a check is about: those that a change touches, or all that stand in the work tree."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from modelrelease.errors import InvalidInput
from modelrelease.flows.registry.hooks import Changes
from modelrelease.flows.registry.layout import Layout, Versions
from modelrelease.flows.registry.scope import Scope
from modelrelease.flows.registry.standing import work_tree_bytes
from modelrelease.flows.registry.version_files import InGit, InWorkTree
from modelrelease.git import trees
from modelrelease.git.versions import Tree
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE, VERSION_PREFIX
from modelrelease.records.hash_memory import memory_in
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.text import decode
from modelrelease.registry.policy import CONFIG_FILE

MODELS = "models"
_RECORDS = (EVAL_FILE, SAMPLES_FILE, MODEL_FILE)


def check_changed(changes: Changes) -> Layout:
    """Return what is wrong with the version folders that a change touches, or that share a checkpoint that it removes.

    With everything to look at, all of them: then none counts as new.
    """
    scope = changes.scope
    models = models_folder(scope.new.read(CONFIG_FILE))
    folders = version_folders((*changes.new, *changes.gone), models)
    if not folders:
        return Layout()
    tops = {folder.rpartition("/")[0] for folder in folders}
    top = tops.pop() if len(tops) == 1 else ""
    new = InGit(scope.new, scope.objects, top)
    old = () if changes.everything else tuple(InGit(tree, scope.objects, top) for tree in _earlier(scope))
    gone = [folder.rpartition("/")[2] for folder in folders if not new.below(folder)]
    if gone:
        # Papers are looked through for the names: what shared a checkpoint that goes is touched as well.
        papers = [path for path in new.below(models) if path.endswith(f"/{MODEL_FILE}")]
        sharing = [path for path in papers if any(name.encode() in (new.read(path) or b"") for name in gone)]
        folders |= version_folders(sharing, models)
    return Versions(new, old, scope.git).check(sorted(folders))


def check_standing(scope: Scope, cache: Path | None) -> Layout:
    """Return what is wrong with the version folders of the work tree; ``cache``: where digests are remembered."""
    root = scope.git.folder
    config = work_tree_bytes(root, CONFIG_FILE)
    models = models_folder(config if isinstance(config, bytes) else None)
    known = dict.fromkeys([*scope.new.entries(), *trees.untracked(scope.git)])
    paths = [path for path in known if os.path.lexists(os.path.join(root, path))]  # noqa: PTH118
    files = InWorkTree(root, paths, memory_in(cache))
    return Versions(files, git=scope.git).check(sorted(version_folders(paths, models)))


def version_folders(paths: Iterable[str], models: str) -> set[str]:
    """Return the version folders that ``paths`` stand in.

    Below ``models`` what is called like one, or has a model.json; elsewhere what is called so and holds a record.
    """
    found = set()
    for path in paths:
        folder, _, last = path.rpartition("/")
        if path.startswith(f"{models}/"):
            name, _, rest = path.removeprefix(f"{models}/").partition("/")
            if rest and (name.startswith(VERSION_PREFIX) or rest == MODEL_FILE):
                found.add(f"{models}/{name}")
        elif last in _RECORDS and folder.rpartition("/")[2].startswith(VERSION_PREFIX):
            found.add(folder)
    return found


def models_folder(config: bytes | None) -> str:
    """Return the folder of version folders that a config names; the default where it names none or is malformed."""
    if config is None or b"models" not in config:
        return MODELS
    try:
        value = read_yaml(decode(config, CONFIG_FILE), CONFIG_FILE, opaque_tags=True).value
    except InvalidInput:
        return MODELS
    named = value.get("models") if isinstance(value, dict) else None
    return named.strip("/") if isinstance(named, str) and named.strip("/") else MODELS


def _earlier(scope: Scope) -> list[Tree]:
    """Return what the new side comes from: where a range began, or HEAD and what is being merged into it."""
    if scope.range is not None:
        return [scope.base] if scope.base is not None else []
    if not scope.parents:
        return [Tree(scope.git, scope.objects, trees.empty_tree(scope.git))]
    from modelrelease.git.history import merge_heads

    names = dict.fromkeys([*(tree.name for tree in scope.parents), *merge_heads(scope.git, scope.objects)])
    return [Tree(scope.git, scope.objects, name) for name in names]
