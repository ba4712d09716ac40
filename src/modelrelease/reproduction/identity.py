"""Whether what is there is the experiment that was recorded: file by file, task by task, row by row. Pure.

The record names every row by its digest, so a test set that changed is told by its rows, not by its sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from modelrelease.records.checkpoints import TOKENIZER_FILES, Checkpoint
from modelrelease.records.datasets import Row
from modelrelease.records.evaluation import SCORER_VERSION, CheckpointFile, Evaluation, ScoredTask
from modelrelease.records.metric_types import Kind
from modelrelease.records.reproduction import IdentityDifference
from modelrelease.records.results import Results
from modelrelease.records.task_samples import TaskSamples

_TEMPLATES = ("chat_template.jinja", "chat_template.json")


@dataclass(frozen=True)
class FoundTask:
    """A task as it can be asked now. ``place`` is its suite's ``path:line``; paths are relative to the repository."""

    name: str
    kind: Kind
    place: str
    digest: str
    dataset: str
    dataset_digest: str
    prompt: str | None
    prompt_digest: str | None
    rows: Sequence[Row]


def scorer_differences(evaluation: Evaluation) -> list[IdentityDifference]:
    """Return the scorer's version where it is not the recorded one: then the same inputs can get other numbers."""
    if evaluation.scorer_version == SCORER_VERSION:
        return []
    versions = str(evaluation.scorer_version), str(SCORER_VERSION)
    return [IdentityDifference(what="scorer", where=None, recorded=versions[0], found=versions[1])]


def checkpoint_differences(evaluation: Evaluation, checkpoint: Checkpoint) -> list[IdentityDifference]:
    """Return every file of the checkpoint that is not the recorded one, is missing, or is new.

    A record whose digests are none of one checkpoint is told too: each of them is what somebody relies on.
    """
    model = evaluation.model
    if checkpoint.digest == model.digest and (not model.files or _by_path(model.files) == _by_path(checkpoint.files)):
        return list(_parts(evaluation, checkpoint))
    before, after = (_by_path(files) for files in (model.files, checkpoint.files))
    found = [
        IdentityDifference(what=_kind(path), where=path, recorded=before.get(path), found=after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
    digests = IdentityDifference(what="checkpoint", where=None, recorded=model.digest, found=checkpoint.digest)
    return found or [digests]


def _parts(evaluation: Evaluation, checkpoint: Checkpoint) -> Iterator[IdentityDifference]:
    model = evaluation.model
    for what, before, after in (
        ("tokenizer", model.tokenizer_digest, checkpoint.tokenizer_digest),
        ("chat template", model.chat_template_digest, checkpoint.chat_template_digest),
    ):
        if before != after:
            yield IdentityDifference(what=what, where=None, recorded=before, found=after)


def _by_path(files: Iterable[CheckpointFile]) -> dict[str, str]:
    return {file.path: file.sha256 for file in files}


def _kind(path: str) -> str:
    if path in _TEMPLATES:
        return "chat template"
    return "tokenizer" if path.rpartition("/")[2] in TOKENIZER_FILES else "checkpoint file"


def input_differences(recorded: Results, tasks: Sequence[FoundTask], suite: str) -> list[IdentityDifference]:
    """Return what of suite, prompts and datasets is not as recorded; a dataset's rows one by one.

    ``suite`` is the digest of the suite that ``tasks`` are of; it covers no more than they do, and is told alone.
    """
    found = {task.name: task for task in tasks}
    known = {task.name: task for task in recorded.evaluation.suite.tasks}
    differences: dict[IdentityDifference, None] = {}
    for name, task in known.items():
        own = [_gone(name)] if name not in found else _task(task, found[name], recorded.tasks[name])
        differences.update(dict.fromkeys(own))
    for name, new in found.items():
        if name not in known:
            what = IdentityDifference(what="task", where=f"{new.place} ({name})", recorded=None, found=new.digest)
            differences[what] = None
    if not differences and list(found) != list(known):
        names = ", ".join(known), ", ".join(found)
        differences[IdentityDifference(what="task order", where=None, recorded=names[0], found=names[1])] = None
    said = recorded.evaluation.suite.digest
    if not differences and said != suite:
        differences[IdentityDifference(what="suite", where=None, recorded=said, found=suite)] = None
    return list(differences)


def _gone(name: str) -> IdentityDifference:
    return IdentityDifference(what="task", where=name, recorded="in the record", found=None)


def _task(task: ScoredTask, found: FoundTask, samples: TaskSamples) -> Iterator[IdentityDifference]:
    if task.digest != found.digest:
        where = f"{found.place} ({task.name})"
        yield IdentityDifference(what="task", where=where, recorded=task.digest, found=found.digest)
    elif task.kind != found.kind:  # by its kind it is judged, and the digest covers it
        where = f"{found.place} ({task.name})"
        yield IdentityDifference(what="task kind", where=where, recorded=task.kind, found=found.kind)
    if task.prompt_digest != found.prompt_digest:
        yield IdentityDifference(
            what="prompt", where=found.prompt or task.name, recorded=task.prompt_digest, found=found.prompt_digest
        )
    rows = list(_rows(found.dataset, samples, found.rows))
    yield from rows
    if not rows and task.dataset_digest != found.dataset_digest:
        yield IdentityDifference(
            what="dataset", where=found.dataset, recorded=task.dataset_digest, found=found.dataset_digest
        )


def _rows(dataset: str, samples: TaskSamples, rows: Sequence[Row]) -> Iterator[IdentityDifference]:
    before = dict(zip(samples.ids, samples.digests, strict=True))
    after = {row.id: row for row in rows}
    for row in rows:
        if before.get(row.id) != row.digest:
            where = f"{dataset}:{row.line} (id {row.id})"
            yield IdentityDifference(what="row", where=where, recorded=before.get(row.id), found=row.digest)
    for place, item in enumerate(samples.ids, start=1):
        if item not in after:
            where = f"{dataset} (id {item}, row {place} of the record)"
            yield IdentityDifference(what="row", where=where, recorded=before[item], found=None)
    if before.keys() == after.keys():
        moved = next(((was, row) for was, row in zip(samples.ids, rows, strict=True) if was != row.id), None)
        if moved is not None:
            was, row = moved
            where = f"{dataset}:{row.line}"
            yield IdentityDifference(what="row order", where=where, recorded=f"id {was}", found=f"id {row.id}")
