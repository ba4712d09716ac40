"""What ``modelrelease init`` found in a repository and wrote into it: what its ``--json`` prints."""

from __future__ import annotations

from typing import Literal

from modelrelease.records.base import Document, Part

Action = Literal["created", "added-to", "complete", "left-alone", "by-hand"]


class FoundFile(Part):
    """A file that was found, and how it was understood."""

    what: Literal["dataset", "prompt", "version"]
    path: str
    reading: str


class LeftOut(Part):
    """A file, or several in one line, that the suite does without."""

    path: str
    reason: str


class PlannedTask(Part):
    """A task of the suite: ``items`` are its rows, or the least there are; ``margin`` is what they prove.

    A config that init writes has that margin. ``reason`` says why the task is of its kind, ``asked`` why with its
    prompt, ``proves`` what its items can.
    """

    name: str
    dataset: str
    prompt: str | None
    metric: str
    items: int
    margin: float
    role: str
    reason: str
    asked: str
    proves: str


class UndecidedTask(Part):
    """A dataset whose task is for a person to say."""

    dataset: str
    reason: str
    todo: str


class SetupFile(Part):
    """A file of the kit. ``text``: what was written, or for `by-hand` the lines to paste; None where nothing was."""

    path: str
    action: Action
    reason: str
    text: str | None = None


class Setup(Document):
    """``repository`` is the work tree's root, ``github`` its owner/name; ``kit`` is OWNER/NAME@REF."""

    schema_version: Literal[1] = 1
    repository: str
    github: str | None
    default_branch: str | None
    author: str
    kit: str
    dry_run: bool
    found: tuple[FoundFile, ...]
    left_out: tuple[LeftOut, ...]
    tasks: tuple[PlannedTask, ...]
    undecided: tuple[UndecidedTask, ...]
    files: tuple[SetupFile, ...]
    next: tuple[str, ...]
