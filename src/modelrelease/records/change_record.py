"""The change record inside a document: the keys that are no part of what it says."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RECORD_KEYS = frozenset({"author", "reason", "date", "change"})


def without_record(value: Any) -> Any:
    """Return a document's content without its change record, the keys `author`, `reason`, `date`, `change`."""
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if key not in RECORD_KEYS}
