"""What ``init`` found and wrote, as a person reads it: findings first, then files, then the next steps."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from modelrelease.errors import escape_controls, shorten
from modelrelease.numbers import show_count, show_delta
from modelrelease.records.metric_types import METRICS
from modelrelease.records.setup import Action, PlannedTask, Setup, SetupFile

WIDTH = 110
_MAX_PATH, _MAX_REASON, _MAX_ROWS, _MAX_WORD = 60, 300, 40, 90
_WORDS: dict[Action, tuple[str, str]] = {
    "created": ("created", "would be created"),
    "added-to": ("added to", "would be added to"),
    "complete": ("complete", "complete"),
    "left-alone": ("left alone", "left alone"),
    "by-hand": ("by hand", "by hand"),
}


def setup_text(setup: Setup) -> str:
    """Return a setup as text for a terminal; after a dry run with the texts that would be written."""
    return "\n".join(
        [
            *_facts(setup),
            *_table("found", ((one.what, one.path, one.reading) for one in setup.found), nothing=_NOTHING),
            *_table("left out", ((one.path, one.reason) for one in setup.left_out)),
            *_table("tasks", (_task(task, _decided_here(setup)) for task in setup.tasks)),
            *_table("for you to decide", ((one.dataset, f"{one.reason}; {one.todo}") for one in setup.undecided)),
            *_table("files", ((file.path, _word(setup, file), file.reason) for file in setup.files)),
            *_texts(setup),
            *_next(setup),
        ]
    )


_NOTHING = "no prompt, no test set and no version; files that git ignores are not looked at"


def _facts(setup: Setup) -> list[str]:
    where = f" ({setup.github})" if setup.github else ""
    branch = f", default branch {setup.default_branch}" if setup.default_branch else ""
    lines = [
        f"repository: {setup.repository}{where}{branch}",
        f"author of the change records: {setup.author}",
        f"kit: {setup.kit}",
    ]
    return [*map(escape_controls, lines), ""]


def _decided_here(setup: Setup) -> bool:
    """Say whether the margins are those of a config that init writes."""
    return any(file.path == "modelrelease.yaml" and file.action == "created" for file in setup.files)


def _task(task: PlannedTask, decided: bool) -> tuple[str, ...]:
    points = METRICS[task.metric].binary
    margin = show_delta(task.margin, points, sign=False)
    role = "" if task.role == "gate" else " (information only)"
    unit = "points" if points else METRICS[task.metric].unit
    words = f"margin {margin} {unit}{role}" if decided else f"could have margin {margin} {unit}" if points else ""
    return f"{task.name}/{task.metric}", words, f"{task.asked}; {task.proves}" if task.asked else task.proves


def _word(setup: Setup, file: SetupFile) -> str:
    return _WORDS[file.action][setup.dry_run]


def _table(title: str, rows: Iterable[Sequence[str]], nothing: str | None = None) -> list[str]:
    """A titled table, its last column wrapped; nothing at all without rows, unless that is to be said."""
    cells = [[shorten(escape_controls(cell), _MAX_PATH) for cell in row[:-1]] + [row[-1]] for row in rows]
    if not cells:
        return [title, f"  {nothing}", ""] if nothing else []
    taken = sum(max(len(row[column]) for row in cells) + 2 for column in range(len(cells[0]) - 1))
    for row in cells:
        text = shorten(escape_controls(row[-1]), _MAX_REASON)
        row[-1] = "\n".join(_wrapped(text, max(30, WIDTH - taken - 2)))
    table = tabulate(cells[:_MAX_ROWS], tablefmt="plain", disable_numparse=True, preserve_whitespace=True)
    rest = len(cells) - _MAX_ROWS
    more = [f"  … and {show_count(rest)} more; --json names all"] if rest > 0 else []
    return [title, textwrap.indent(table, "  "), *more, ""]


def _texts(setup: Setup) -> list[str]:
    """The lines to paste; after a dry run also what would have been written."""
    lines: list[str] = []
    for file in setup.files:
        if file.text is not None and (setup.dry_run or file.action == "by-hand"):
            title = {"by-hand": "lines to paste", "added-to": "would be added"}.get(file.action, "would be")
            lines.append(f"----- {escape_controls(file.path)}: {title}")
            lines += [escape_controls(line) for line in file.text.splitlines()]
            lines.append("")
    return lines


def _next(setup: Setup) -> list[str]:
    lines = ["next"]
    for number, step in enumerate(setup.next, 1):
        words, _, command = step.partition(": ")
        first, *more = _wrapped(escape_controls(words), WIDTH - 5)
        lines += [f"  {number}. {first}", *(f"     {line}" for line in more)]
        lines += [f"     {escape_controls(command)}"] if command else []
    return [*lines, ""]


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of whole words: an address that is broken in two is none. One that is endless is cut short, once."""
    words = " ".join(shorten(word, _MAX_WORD) for word in text.split(" "))
    return textwrap.wrap(words, width, break_on_hyphens=False, break_long_words=False) or [""]
