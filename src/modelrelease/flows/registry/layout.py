"""Version folders as they stand in git: what their records say of each other."""

from __future__ import annotations

import hashlib
import re

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.git.versions import Tree
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.strict_json import read_document
from modelrelease.records.validation import validate
from modelrelease.registry.formats import lfs_oid

_VERSION = re.compile(r"model_v[0-9]+\.[0-9]+(?:\.[0-9]+)?")
_TODO = "take both files from the same run, or score again"


def check_version(tree: Tree, folder: str) -> list[Finding]:
    """Return what is wrong with a version folder's eval.json and samples; nothing where it is not scored yet."""
    name = folder.rsplit("/", 1)[-1]
    if not _VERSION.fullmatch(name):
        todo = "call it model_vX.Y or model_vX.Y.Z"
        return [Finding(folder, Code.RECORD_PLACE, "is not named as a version is", todo)]
    path = f"{folder}/{EVAL_FILE}"
    data = tree.read(path)
    if data is None:
        return []
    try:
        evaluation = validate(Evaluation, read_document(data, path))
    except InvalidInput as error:
        return list(error.findings)
    if evaluation.model.version not in (None, name):
        message = f"is the record of {evaluation.model.version}"
        return [Finding(path, Code.RECORD_PLACE, message, f"put it into that version's folder, or score {name}")]
    return _check_samples(tree, folder, evaluation)


def _check_samples(tree: Tree, folder: str, evaluation: Evaluation) -> list[Finding]:
    path = f"{folder}/{evaluation.samples.path}"
    samples = tree.read(path)
    if samples is None:
        return [Finding(path, Code.UNREADABLE, "is not committed, and eval.json names it", "add it")]
    digest = lfs_oid(samples) or hashlib.sha256(samples).hexdigest()
    if digest != evaluation.samples.sha256:
        return [Finding(path, Code.SAMPLES_DIGEST, "is not the file that eval.json describes", _TODO)]
    return []
