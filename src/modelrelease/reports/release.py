"""Releases as text: plans, what came of them, and what to load."""

from __future__ import annotations

import textwrap

from modelrelease.errors import escape_controls, shorten
from modelrelease.numbers import in_points, show_delta, show_value
from modelrelease.records.ledger import Event
from modelrelease.records.release_plan import MetricMove, PromotionPlan, RollbackPlan, Step


def plan_text(plan: PromotionPlan) -> str:
    """Return the steps of a promotion and how far they are."""
    from tabulate import tabulate

    rows = [[step.name, step.state, _detail(step)] for step in plan.steps]
    head = f"{plan.version}, checkpoint {plan.model_digest[:12]}, to {plan.stage} of {_plain(plan.target, 80)}"
    return f"{head}\n\n{tabulate(rows, headers=['step', 'state', 'what'], disable_numparse=True)}\n"


def _detail(step: Step) -> str:
    """Return what a step does on one line; what blocks it is told whole, since that is what has to be mended."""
    if step.state != "blocked":
        return _plain(step.detail, 90)
    lines = [textwrap.wrap(_plain(line, 500), 90, break_on_hyphens=False) for line in step.detail.split("\n")]
    return "\n".join(part for line in lines for part in line)


def promoted_text(version: str, commit: str, event: Event | None, target: str, stage: str) -> str:
    """Return what a promotion came to, and what to load now."""
    if event is None:
        first = f"{version} is released already, and {stage} names it: nothing to do"
    elif event.kind == "rolled-forward":
        first = f"{stage} names {version} again"
    else:
        first = f"{version} is released: {stage} names it"
    return f"{first}\n{_load(target, stage, version, commit)}"


def rollback_text(effect: RollbackPlan) -> str:
    """Return what a rollback changes for users."""
    if effect.done:
        return f"{effect.stage} names {effect.version} already: nothing to do\n"
    lines = [
        f"{effect.stage}: {effect.before or 'nothing'} → {effect.version}, verified at {_plain(effect.target, 80)}"
    ]
    lines.append(f"weights: {'the same' if effect.same_checkpoint else 'other ones; none of them travel'}")
    lines.append("prompts: " + (", ".join(_plain(path, 60) for path in effect.prompts) or "the same"))
    if effect.metrics:
        from tabulate import tabulate

        rows = [[_plain(move.metric, 40), *_moved(move)] for move in effect.metrics]
        headers = ["metric", effect.before or "before", effect.version, "change"]
        lines += ["", tabulate(rows, headers=headers, disable_numparse=True)]
    else:
        lines.append("metrics: not both versions have a committed eval.json")
    return "\n".join(lines) + "\n"


def moved_text(effect: RollbackPlan, commit: str, *, moved: bool) -> str:
    """Return what a rollback came to."""
    if not moved:
        return f"{effect.stage} names {effect.version} already: nothing to do\n"
    first = f"{effect.stage} names {effect.version} again, instead of {effect.before or 'nothing'}"
    return f"{first}\n{_load(effect.target, effect.stage, effect.version, commit)}"


def verified_text(version: str, target: str, commit: str, files: int, *, live: bool) -> str:
    """Return that a version is what was released, and how to pin it."""
    where = f"{files} files at {_plain(target, 80)} are what was released"
    return f"{version}: {where}{', and it is live' if live else ''}\n{pinned(target, commit)}\n"


def pinned(target: str, commit: str) -> str:
    """Return what names a release for good: a commit of the Hub, or the sha256 of a folder's own record."""
    return f"commit {commit}" if target.startswith("hf://") else f"record {commit}, the sha256 of its .release.json"


def event_text(event: Event) -> str:
    """Return in one line what an event says of a version."""
    words = {"released": "is released to", "rolled-forward": "is back at", "rolled-back": "is back at"}
    return f"{event.version} {words.get(event.kind, event.kind)} {event.stage} of {_plain(event.target, 80)}"


def _load(target: str, stage: str, version: str, commit: str) -> str:
    if target.startswith("hf://"):
        name = _plain(target.removeprefix("hf://"), 200)
        return f'load it: from_pretrained("{name}", revision="{stage}"), or pin it: revision="{commit}"\n'
    folder = _plain(target.removeprefix("file://"), 200)
    return f"load it: {folder}/versions/{version}, which {folder}/stages/{stage}.json names\n"


def _moved(move: MetricMove) -> tuple[str, str, str]:
    points = in_points(move.range)
    change = None if move.before is None or move.after is None else move.after - move.before
    shown = show_delta(change, points) if move.same_items else "was asked other items"
    return show_value(move.before, points), show_value(move.after, points), shown


def _plain(text: str, width: int) -> str:
    return shorten(escape_controls(text), width)
