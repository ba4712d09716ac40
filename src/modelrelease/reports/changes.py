"""What changed in governed files, for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.errors import escape_controls
from modelrelease.records.changes import Changes, FieldChange, FileChange, RowChange, RowCounts, Words
from modelrelease.reports.inert import FOLD_END, code, escape, fence, fold_head

_MARKS = {"same": ("", ""), "removed": ("[-", "-]"), "added": ("{+", "+}")}
_KINDS = {"record": "record edited"}


def changes_text(changes: Changes) -> str:
    """Return what changed as text: words that went stand in ``[-…-]``, words that came in ``{+…+}``, as git has it."""
    if not changes.files:
        return "no governed file changed\n"
    blocks = ["\n".join(map(escape_controls, _file_lines(file))) for file in changes.files]
    return "\n\n".join([*blocks, *_left_out(changes)]) + "\n"


def changes_markdown(changes: Changes) -> str:
    """Return what changed as GitHub Markdown in which nothing but code spans, lists and folds has a meaning."""
    if not changes.files:
        return "No governed file changed.\n"
    lines: list[str] = []
    for file in changes.files:
        lines += [f"- {code(file.path)}: {escape(headline(file))}"]
        lines += [f"  - {escape(text, begins_line=True)}" for text in record_lines(file)]
    for file in changes.files:
        details = list(detail_lines(file))
        if details:
            lines += ["", fold_head(f"{file.path}: {headline(file)}"), "", *fence("\n".join(details)), "", FOLD_END]
    return "\n".join([*lines, *("\n" + text for text in _left_out(changes))]) + "\n"


def _left_out(changes: Changes) -> list[str]:
    return [f"… and {changes.left_out:,} more files"] if changes.left_out else []


def _file_lines(file: FileChange) -> Iterator[str]:
    yield f"{file.path}: {headline(file)}"
    yield from (f"  {text}" for text in record_lines(file))
    yield from (f"    {text}" for text in detail_lines(file))


def headline(file: FileChange) -> str:
    """Return how a file changed: ``changed (rows: 1 added)``."""
    parts = [_KINDS.get(file.kind, file.kind)]
    if file.old_path is not None:
        parts.append(f"from {file.old_path}")
    if file.rows is not None:
        parts.append(f"({_counts(file.rows)})")
    if file.problem is not None:
        parts.append(f"({file.problem})")
    return " ".join(parts)


def record_lines(file: FileChange) -> Iterator[str]:
    """Yield who changed a file, when and why, a line a record; or that nobody said."""
    if not file.records and file.kind not in ("renamed",):
        yield "without a change record"
    for record in file.records:
        yield f"{record.date} {record.author}: {record.reason}"


def _counts(rows: RowCounts) -> str:
    counts = [(rows.added, "added"), (rows.changed, "changed"), (rows.removed, "removed")]
    said = [f"{count:,} {word}" for count, word in counts if count]
    return f"rows: {', '.join(said)}" if said else "rows: the same"


def detail_lines(file: FileChange) -> Iterator[str]:
    """Yield what changed in a file, word by word and row by row."""
    for field in file.fields:
        yield from _field(field)
    if file.rows is not None:
        for row in file.rows.shown:
            yield from _row(row)
        rest = file.rows.added + file.rows.changed + file.rows.removed - len(file.rows.shown)
        if rest > 0 and file.rows.shown:
            yield f"… and {rest:,} more rows"


def _field(field: FieldChange) -> Iterator[str]:
    text = "".join(_marked(words) for words in field.words)
    first, *rest = text.split("\n")
    yield f"{field.field}: {first}"
    yield from (f"  {line}" for line in rest)


def _marked(words: Words) -> str:
    before, after = _MARKS[words.kind]
    return f"{before}{words.text}{after}"


def _row(row: RowChange) -> Iterator[str]:
    yield f"{row.kind} {row.id}"
    for sign, side in (("-", row.before), ("+", row.after)):
        for key, value in (side or {}).items():
            yield f"  {sign} {key}: {' '.join(value.split())}"
