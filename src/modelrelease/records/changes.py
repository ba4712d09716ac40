"""What changed between two states of the governed files: by whom, why; prompts word by word, datasets row by row."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from modelrelease.records.base import Document, Part


class Recorded(Part):
    """A change record as it stands in a file or in a line of its change log."""

    author: str
    reason: str
    date: str


class Words(Part):
    """A run of words that stayed, went or came."""

    kind: Literal["same", "removed", "added"]
    text: str


class FieldChange(Part):
    """A field of a prompt or another document, word by word."""

    field: str
    words: tuple[Words, ...]


class RowChange(Part):
    """A row by its id, with the fields that differ as JSON; None on the side where the row, or a field, is not."""

    id: str
    kind: Literal["added", "changed", "removed"]
    before: dict[str, str] | None
    after: dict[str, str] | None


class RowCounts(Part):
    """How many rows came, changed and went; ``shown`` are the first of them."""

    added: int = Field(ge=0)
    changed: int = Field(ge=0)
    removed: int = Field(ge=0)
    shown: tuple[RowChange, ...]


class FileChange(Part):
    """One governed file. ``records``: those that are new; ``problem``: why its content cannot be shown."""

    path: str
    old_path: str | None = None
    kind: Literal["added", "changed", "deleted", "renamed", "record"]
    records: tuple[Recorded, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    rows: RowCounts | None = None
    problem: str | None = None


class Changes(Document):
    """What `changes` prints. ``files`` are bounded; ``left_out`` counts the rest."""

    schema_version: Literal[1] = 1
    from_ref: str
    to_ref: str
    files: tuple[FileChange, ...]
    left_out: int = Field(default=0, ge=0)
