"""Writing an evaluation with its samples: two files that a reader finds to be of one run, whenever the writer dies."""

from __future__ import annotations

import json
from pathlib import Path

from modelrelease.errors import ModelreleaseError
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE, Evaluation
from modelrelease.records.files import read_bytes, write_atomic

_ASIDE = "samples-{}.jsonl"


def write_results(folder: Path, evaluation: Evaluation, samples: bytes) -> None:
    """Write samples.jsonl and eval.json into ``folder``; Unavailable (exit 3) when the disk refuses.

    eval.json names its samples, so the rename of eval.json is the moment at which the new record counts. Where one
    with other samples is in the way, the new ones lie beside them under a name of their own until it does.
    """
    name = evaluation.samples.path
    if name == SAMPLES_FILE and _in_the_way(folder, evaluation.samples.sha256):
        aside = _ASIDE.format(evaluation.samples.sha256[:16])
        named = evaluation.samples.model_copy(update={"path": aside})
        write_atomic(folder / aside, samples)
        write_atomic(folder / EVAL_FILE, evaluation.model_copy(update={"samples": named}).to_bytes())
    write_atomic(folder / name, samples)
    write_atomic(folder / EVAL_FILE, evaluation.to_bytes())
    _remove_asides(folder)


def _in_the_way(folder: Path, sha256: str) -> bool:
    """Say whether an eval.json in ``folder`` names a samples.jsonl that is another than the new one."""
    try:
        named = json.loads(read_bytes(folder / EVAL_FILE))["samples"]
        return bool(named["path"] == SAMPLES_FILE and named["sha256"] != sha256)
    except (ModelreleaseError, ValueError, KeyError, TypeError, RecursionError):
        return False  # no record, or one that nobody can read


def _remove_asides(folder: Path) -> None:
    """Remove what this write, or a killed one before it, has laid beside the samples."""
    for path in folder.glob(_ASIDE.format("?" * 16)):
        path.unlink(missing_ok=True)
