"""What a pull request asks to be compared, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.errors import escape_controls
from modelrelease.records.resolution import ChangedInput, Resolution


def resolution_text(resolution: Resolution) -> str:
    """Return candidate, baseline, the rules that chose them, and what has changed; control characters escaped."""
    return "\n".join(escape_controls(line) for line in _lines(resolution)) + "\n"


def _lines(resolution: Resolution) -> Iterator[str]:
    yield f"rule       {resolution.rule}: {resolution.reason}"
    if resolution.candidate is not None:
        yield f"candidate  {resolution.candidate}"
        yield f"baseline   {resolution.baseline or 'none: nothing is live yet'} ({resolution.baseline_rule})"
    if resolution.parent is not None:
        yield f"parent     {resolution.parent}"
    yield f"commits    {resolution.merge_base[:10]}..{resolution.head[:10]}"
    yield from (f"changed    {change_line(change)}" for change in resolution.changes)


def change_line(change: ChangedInput) -> str:
    """Return ``dataset datasets/qa.jsonl: 1 row changed``."""
    return f"{change.what} {change.path}" + (f": {change.detail}" if change.detail else "")
