"""What is published of a version: its checkpoint, its card, its records, and every prompt that its suite names.

The checkpoint's files stand at the top, so that a loader finds them; whoever loads a release has model and prompts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.errors import invalid
from modelrelease.flows.release.subject import Subject
from modelrelease.records.checkpoints import CARD, Checkpoint
from modelrelease.records.comparison import COMPARISON_FILE
from modelrelease.records.evaluation import EVAL_FILE, SAMPLES_FILE, CheckpointFile
from modelrelease.records.ledger import PROMPTS, ReleasedFile
from modelrelease.records.model import MODEL_FILE
from modelrelease.records.text import refuse_lfs_pointer
from modelrelease.release.targets.contents import MAX_BLOB, planned_file
from modelrelease.release.targets.target import FileDigest, PlannedFile, Stamp
from modelrelease.scoring.suites import read_tasks

CHANGELOG = "changelog.md"
RECORDS = frozenset({CARD, MODEL_FILE, EVAL_FILE, SAMPLES_FILE, COMPARISON_FILE, CHANGELOG})


def release_files(subject: Subject, results: Path, comparison: bytes, texts: Mapping[str, bytes]) -> list[PlannedFile]:
    """Return every file of a release, in order of their paths.

    ``results`` holds eval.json and samples.jsonl, ``texts`` are card and changelog by name. Raises InvalidInput (MR705)
    where a checkpoint has files under the names of records or prompts.
    """
    found = {file.path: _weights(subject, file) for file in subject.checkpoint.files}
    taken = sorted(path for path in found if path in RECORDS or path.startswith(PROMPTS))
    if taken:
        todo = "call it something else in the checkpoint"
        raise invalid(f"{subject.folder}/checkpoint/{taken[0]}", Code.RELEASE_FILE, "has a record's name", todo)
    made: dict[str, bytes | Path] = {**texts, **dict(_results(results)), COMPARISON_FILE: comparison}
    for name, data in {**made, **dict(written_files(subject))}.items():
        found[name] = planned_file(name, data)
    return [found[path] for path in sorted(found)]


def known_files(subject: Subject) -> dict[str, FileDigest]:
    """Return what a release has of the tag and of the checkpoint, by path: all but what a run makes."""
    weights = {file.path: _weights(subject, file).digest for file in subject.checkpoint.files}
    return weights | {path: planned_file(path, data).digest for path, data in written_files(subject)}


def prompts_of(subject: Subject) -> frozenset[str]:
    """Return the digests of the prompts that a release publishes."""
    return frozenset(hashlib.sha256(data).hexdigest() for path, data in written_files(subject) if path != MODEL_FILE)


def as_recorded(files: list[PlannedFile]) -> tuple[ReleasedFile, ...]:
    """Return the files as the ledger lists them."""
    return tuple(
        ReleasedFile(path=one.path, size=one.size, sha256=one.sha256 or "", blob=one.blob)
        for one in (file.digest for file in files)
    )


def _weights(subject: Subject, file: CheckpointFile) -> PlannedFile:
    """A large file was hashed when the checkpoint was verified; what the target writes is held against that."""
    place = subject.checkpoint.folder / file.path
    if file.size <= MAX_BLOB:
        planned = planned_file(file.path, place.read_bytes())
        if planned.digest.sha256 == file.sha256:
            return planned
    return PlannedFile(
        FileDigest(file.path, file.size, file.sha256), place, stamp_of_hashed(subject.checkpoint, file.path)
    )


def stamp_of_hashed(checkpoint: Checkpoint, path: str) -> Stamp | None:
    """Return what the file system said of a checkpoint's file when it was hashed, as targets compare it.

    A target need not hash it once more then. None for a link: what it leads to has changes of its own.
    """
    device, inode, size, modified, own_inode, _, changed = checkpoint.stamps[path]
    return (device, inode, size, modified, changed) if inode == own_inode else None


def _results(results: Path) -> Iterator[tuple[str, Path]]:
    for name in (EVAL_FILE, SAMPLES_FILE):
        yield name, results / name


def written_files(subject: Subject) -> Iterator[tuple[str, bytes]]:
    """Yield what is published just as the tag has it, besides the checkpoint: model.json and the suite's prompts."""
    yield MODEL_FILE, subject.tree.read(f"{subject.folder}/{MODEL_FILE}")
    config = subject.tree.config or subject.grounds.config
    tasks = read_tasks(config.suite, subject.tree.read) if config.suite else []
    for path in sorted({task.prompt for task in tasks if task.prompt is not None}):
        data = subject.tree.read(path)
        refuse_lfs_pointer(data, path)
        yield path if path.startswith(PROMPTS) else PROMPTS + path, data
