"""A version's eval.json: of this version and this checkpoint, and what its samples give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.registry.version_files import Files
from modelrelease.records.checkpoints import files_digest
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.located import Located
from modelrelease.records.model import ModelRecord
from modelrelease.records.results import check_samples, read_evaluation
from modelrelease.records.strict_json import read_document
from modelrelease.registry.formats import lfs_oid


def check_evaluation(files: Files, folder: str, record: ModelRecord | None) -> list[Finding]:
    """Return what is wrong with a version's eval.json and samples; ``record`` are its papers, where it has them."""
    path = f"{folder}/{EVAL_FILE}"
    data = files.document(path)
    if data is None:
        return [Finding(path, Code.UNREADABLE, "is no regular file", "put the file itself there")]
    try:
        located = read_document(data, path)
        evaluation = read_evaluation(located)
        others = list(_of_another(folder, evaluation, record, located))
        return others or list(_check_samples(files, folder, evaluation, located))
    except InvalidInput as error:
        return list(error.findings)


def _of_another(folder: str, evaluation: Evaluation, record: ModelRecord | None, located: Located) -> Iterator[Finding]:
    model, name = evaluation.model, folder.rpartition("/")[2]
    if model.version not in (None, name):
        todo = f"put it into that version's folder, or score {name}"
        line = located.line_of(("model", "version"))
        yield Finding(located.path, Code.RECORD_PLACE, f"is the record of {model.version}", todo, line)
    elif record is not None and model.digest != record.checkpoint.digest:
        here, there = model.digest[:12], record.checkpoint.digest[:12]
        message = f"is the record of the checkpoint {here}…, and model.json's is {there}…"
        todo = (
            f"remove it and run `modelrelease score {folder}`, or `modelrelease record {folder}` if the papers are old"
        )
        yield Finding(located.path, Code.OTHER_CHECKPOINT, message, todo, located.line_of(("model", "digest")))
    elif model.files and files_digest(model.files) != model.digest:
        message, line = "`model.digest` is not that of the files it lists", located.line_of(("model", "digest"))
        yield Finding(located.path, Code.OTHER_CHECKPOINT, message, "score again; nobody edits it by hand", line)


def _check_samples(files: Files, folder: str, evaluation: Evaluation, located: Located) -> Iterator[Finding]:
    path = f"{folder}/{evaluation.samples.path}"
    samples = files.read(path)
    oid = lfs_oid(samples) if samples is not None else None
    if samples is None:
        yield Finding(path, Code.UNREADABLE, "is not here, and eval.json names it", "add it")
    elif oid is None:
        check_samples(evaluation, located, samples, Path(path))
    elif oid != evaluation.samples.sha256:  # of what Git LFS keeps only the digest is here
        message = "is not the file that eval.json names (other sha256)"
        yield Finding(path, Code.SAMPLES_DIGEST, message, "take both files from the same run, or score again")
