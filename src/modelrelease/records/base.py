"""What every document on disk has in common: frozen, strict, no unknown keys."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from modelrelease.records.canonical import document_bytes

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A sha256 as 64 lowercase hex digits."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"


def _plain_name(text: str) -> str:
    if not re.fullmatch(_NAME, text):
        raise ValueError("must be letters, digits, `_`, `.` and `-`, a letter or digit first, 100 at most")
    return text


Name = Annotated[str, AfterValidator(_plain_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME}$"})]
"""A name that is safe in a path, a tag and a table."""


class Part(BaseModel):
    """A piece of a document: frozen, and every key it may have is declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Document(Part):
    """A whole file. Written canonically: the same content gives the same bytes."""

    def to_bytes(self) -> bytes:
        """Return the document as it stands on disk: sorted keys, one trailing newline."""
        return document_bytes(self.plain())

    def plain(self) -> dict[str, Any]:
        """Return the document as plain dicts, lists, texts and numbers."""
        return self.model_dump(mode="json", by_alias=True)


class Change(Part):
    """A change record: who answers for the present content, why it changed, and when."""

    author: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
