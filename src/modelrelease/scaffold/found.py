"""What a repository holds that a suite could use, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Dataset:
    """A file whose rows were read. ``whole`` is False where only its beginning was: then there are more rows."""

    path: str
    rows: tuple[Mapping[str, Any], ...]
    whole: bool = True


@dataclass(frozen=True)
class PromptFile:
    """A prompt that names ``fields`` of a row; ``chat`` says whether it is messages."""

    path: str
    fields: tuple[str, ...]
    chat: bool


@dataclass(frozen=True)
class LeftOut:
    """A file, or several in one line, that the suite does without, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Found:
    """All that was found: sorted by path. ``versions`` are the folders models/model_v*."""

    datasets: tuple[Dataset, ...] = ()
    prompts: tuple[PromptFile, ...] = ()
    versions: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
