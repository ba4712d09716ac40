"""A version's papers as a person reads them after ``record``."""

from __future__ import annotations

from modelrelease.errors import escape_controls
from modelrelease.numbers import show_count
from modelrelease.records.model import ModelRecord

_UNKNOWN = "not recorded"


def papers_text(record: ModelRecord, place: str, leftovers: tuple[str, ...], replaced: str | None) -> str:
    """Return what model.json says, what it does not, and what lies in ``checkpoint/`` without being part of it."""
    size = sum(file.size for file in record.checkpoint.files)
    files = f"{show_count(len(record.checkpoint.files))} files, {size / 1e6:,.1f} MB, {record.checkpoint.format}"
    lines = [f"{record.version}: {files}, digest {record.checkpoint.digest[:12]}"]
    lines += [f"  {name}: {escape_controls(value)}" for name, value in _said(record)]
    if unknown := [name for name, value in _asked(record) if value is None]:
        lines.append(f"  {_UNKNOWN}: {', '.join(unknown)}")
    if (origin := record.checkpoint.converted_from) is not None:
        lines.append(f"  converted from pickled weights, digest {origin.digest[:12]}")
    if replaced is not None:
        lines.append(f"the papers of other weights, {replaced[:12]}, were replaced")
    if leftovers:
        names = ", ".join(escape_controls(name) for name in leftovers)
        lines.append(f"left out, since a Trainer goes on from it and nobody scores it: {names}")
        lines.append("move it out of checkpoint/ before you commit: it is not published, and pickles are refused")
    return "\n".join([*lines, f"written to {escape_controls(place)}"]) + "\n"


def _said(record: ModelRecord) -> list[tuple[str, str]]:
    """What is known, with its name."""
    work = record.git
    at = f"{(work.sha or 'no commit')[:10]}{', with local changes' if work.dirty else ''}" if work else None
    named = {
        "datasets": [part.path for part in record.training.datasets],
        "logs": [part.path for part in record.training.logs],
        "prompts": [part.path for part in record.prompts],
    }
    known = [(name, value) for name, value in _asked(record) if value is not None]
    listed = [(name, ", ".join(paths)) for name, paths in named.items() if paths]
    return [*known, *listed, *([("git", at)] if at else [])]


def _asked(record: ModelRecord) -> list[tuple[str, str | None]]:
    """What a reader of the card asks for, None where nobody has said it."""
    seed, machine = record.training.seed, record.environment
    return [
        ("command", record.training.command),
        ("seed", None if seed is None else str(seed)),
        ("parent", record.parent),
        ("base model", record.base_model),
        ("license", record.license),
        ("machine", None if machine is None else _machine(machine.cpu, [gpu.name for gpu in machine.gpus])),
        ("tokenizer", None if record.tokenizer is None else record.tokenizer.kind or "of no named class"),
    ]


def _machine(cpu: str, gpus: list[str]) -> str:
    return f"{cpu}, {len(gpus)} × {gpus[0]}" if gpus else cpu
