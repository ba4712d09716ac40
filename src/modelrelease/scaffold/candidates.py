"""Which of a repository's files may be test sets or prompts, by their names alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from modelrelease.records.datasets import DATASET_SUFFIXES
from modelrelease.records.prompts import PROMPT_SUFFIXES

_DATA_FOLDERS = frozenset({"datasets", "data"})
_PROMPT_FOLDER = "prompts"
_TRAINING = re.compile(r"(?:^|[^a-z])train(?:ing)?(?:[^a-z]|$)", re.IGNORECASE)
_RECORDS = frozenset({"eval.json", "samples.jsonl", "model.json", "comparison.json"})


@dataclass(frozen=True)
class Candidate:
    """A file that may be a test set. ``meant``: it stands where test sets stand, so what is wrong with it matters."""

    path: str
    meant: bool


@dataclass(frozen=True)
class Candidates:
    """Paths worth reading, in order; ``training`` are data that their names keep out of a test."""

    datasets: tuple[Candidate, ...]
    prompts: tuple[str, ...]
    training: tuple[str, ...]


def candidates(paths: Iterable[str], models: str) -> Candidates:
    """Return which of ``paths`` (relative to the root) to read; nothing in hidden folders or in ``models``."""
    datasets, prompts, training = [], [], []
    for path in paths:
        pure = PurePosixPath(path)
        folders, suffix = pure.parts[:-1], pure.suffix.lower()
        if any(part.startswith(".") for part in pure.parts) or pure.is_relative_to(models):
            continue
        if _PROMPT_FOLDER in folders:
            if suffix in PROMPT_SUFFIXES and pure.stem.upper() != "README":
                prompts.append(path)
        elif suffix in DATASET_SUFFIXES and pure.name not in _RECORDS and not path.endswith(".changes.jsonl"):
            meant = suffix == ".jsonl" or not _DATA_FOLDERS.isdisjoint(folders)
            if _TRAINING.search(path):
                training += [path] if meant else []
            else:
                datasets.append(Candidate(path, meant))
    return Candidates(tuple(datasets), tuple(prompts), tuple(training))
