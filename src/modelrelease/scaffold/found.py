"""What a repository holds that a suite could use, as values."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease.scaffold.shapes import Shape, Unclear


@dataclass(frozen=True)
class Dataset:
    """A file of ``items`` rows and what they make; ``whole`` is False where there are more than were read."""

    path: str
    items: int
    shape: Shape | Unclear
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
    """All that was found: sorted by path. ``versions`` are folders models/model_v* with a checkpoint."""

    datasets: tuple[Dataset, ...] = ()
    prompts: tuple[PromptFile, ...] = ()
    versions: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
