"""A version's chain as a person reads it: one line or a few for each link, oldest first, with who and when."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from modelrelease.errors import escape_controls, shorten
from modelrelease.numbers import in_points, show_count, show_delta, show_items, show_value
from modelrelease.records.ledger import Approval
from modelrelease.records.model import Machine, ModelRecord, Training
from modelrelease.records.trace import (
    Standing,
    Trace,
    TracedChange,
    TracedDecision,
    TracedEvent,
    TracedMetric,
    TracedScores,
    TracedVerdict,
)
from modelrelease.reports.ledger import who

MAX_CHANGES = 12
MAX_METRICS = 8
_WIDTH = 118
_PACKAGES = ("torch", "transformers")
_STANDING: dict[Standing, str] = {
    "not-released": "was never released",
    "announced": "was announced and has no receipt: `modelrelease promote` finishes it",
    "released": "is released, and not live",
    "live": "is live",
    "revoked": "was revoked",
}
_EVENTS = {"rolled-back": "rolled back", "rolled-forward": "rolled forward"}


@dataclass(frozen=True)
class _Link:
    """One link: when (ISO 8601, or a day), what, and its lines."""

    at: str | None
    what: str
    lines: tuple[str, ...]


def trace_text(trace: Trace) -> str:
    """Return the chain as text; whatever people, models and servers wrote is shortened and made harmless."""
    stage = f"{_plain(trace.stage, 40)} of {_plain(trace.target, 60)}"
    names = f": {stage} names it" if trace.standing == "live" else ""
    head = [f"{_plain(trace.version, 40)} {_STANDING[trace.standing]}{names}"]
    parent = f", parent {_plain(trace.changes.since, 40)}" if trace.changes.since else ""
    head.append(f"checkpoint {_short(trace.model_digest)}{parent}, in {_plain(trace.folder, 60)}")
    links = [*_changes(trace), *sorted(_dated(trace), key=lambda link: _moment(link.at))]
    width = max((len(link.what) for link in links), default=0)
    lines = [line for link in links for line in _rows(link, width)]
    notes = [f"note: {_plain(note, 400)}" for note in trace.notes]
    return "\n".join([*head, "", *lines, *([""] if notes else []), *notes]) + "\n"


def _rows(link: _Link, width: int) -> Iterator[str]:
    margin = f"{_when(link.at):16}  {link.what:{width}}  "
    room = _WIDTH - len(margin)
    for line in link.lines:
        indent = " " * (len(line) - len(line.lstrip()))
        for part in _wrapped(_plain(line, 2 * room), room - len(indent)):
            yield f"{margin}{indent}{part}".rstrip()
            margin = " " * len(margin)


def _wrapped(text: str, width: int) -> list[str]:
    """Return a text on two lines at most; a person reads the whole of it with ``--json``."""
    return textwrap.wrap(text, width, max_lines=2, placeholder=" …", break_on_hyphens=False) or [""]


def _moment(at: str | None) -> str:
    """Return a time in UTC that sorts as text; one that cannot be read comes first."""
    try:
        return datetime.fromisoformat((at or "").replace("Z", "+00:00")).astimezone(timezone.utc).isoformat()
    except ValueError:
        return ""


def _when(at: str | None) -> str:
    moment = _moment(at) if at is not None and len(at) > len("2026-01-01") else ""
    return moment[:16].replace("T", " ") or _plain(at or "", 10)


def _changes(trace: Trace) -> Iterator[_Link]:
    changes = trace.changes
    if changes.unknown is not None:
        yield _Link(None, "changed", (f"not known: {changes.unknown}",))
        return
    shown = changes.entries[-MAX_CHANGES:]
    room = MAX_CHANGES - len(shown)
    for entry in changes.in_force[-room:] if room else ():
        yield _Link(entry.date, "in force", (_change(entry),))
    if not changes.entries:
        yield _Link(None, "changed", (f"nothing governed since {changes.since or 'the first commit'}",))
    hidden = changes.left_out + len(changes.entries) - len(shown)
    if hidden:
        yield _Link(None, "changed", (f"… {show_count(hidden)} earlier changes: `modelrelease log`",))
    for entry in shown:
        yield _Link(entry.date, "changed", (_change(entry),))


def _change(entry: TracedChange) -> str:
    what = f" ({entry.what})" if entry.what else ""
    return f"{shorten(entry.path, 50)}{what} by {shorten(entry.author, 60)}: {entry.reason}"


def _dated(trace: Trace) -> Iterator[_Link]:
    if trace.model is not None:
        yield _Link(trace.model.created, "trained", tuple(_training(trace.model)))
    committed = [scores for scores in trace.scores if scores.record == "committed"]
    yield from (_Link(scores.started, "scored", tuple(_scores(scores))) for scores in committed)
    if trace.reproduction is not None:
        said = f"{trace.reproduction.outcome}: the committed numbers were asked for again"
        yield _Link(trace.reproduction.at, "reproduced", (said,))
    if trace.commit is not None:
        commit = trace.commit
        tagged = f", tag {shorten(commit.tag, 60)}" if commit.tag is not None else ""
        said = f"{_short(commit.sha)}{tagged} by {shorten(commit.author, 60)}: {commit.subject}"
        yield _Link(commit.at, "committed", (said,))
    what = "scored again" if committed else "scored"
    released = (scores for scores in trace.scores if scores.record == "release")
    yield from (_Link(scores.started, what, tuple(_scores(scores))) for scores in released)
    for event in trace.events:
        yield from _event(trace, event)


def _training(model: ModelRecord) -> Iterator[str]:
    training = model.training
    if training == Training() and model.git is None:
        yield "elsewhere; nothing is recorded of how"
        return
    yield training.command if training.command is not None else "by a command that nobody recorded"
    facts = (
        ("seed", training.seed),
        ("steps", training.steps),
        ("epochs", _number(training.epochs)),
        ("final loss", _number(training.final_loss)),
    )
    known = [f"{name} {value}" for name, value in facts if value is not None]
    on = [f"{shorten(one.path, 40)} ({_short(one.digest)})" for one in training.datasets[:3]]
    more = [f"{len(training.datasets) - 3} more"] if len(training.datasets) > 3 else []
    yield ", ".join(known) or "seed and steps are not recorded"
    yield f"on {', '.join([*on, *more])}" if on else "on data that nobody recorded"
    git = model.git
    if git is not None and git.sha is not None:
        dirty = ", with changes that were not committed" if git.dirty else ""
        yield f"at commit {_short(git.sha)}{dirty}; {_machine(model.environment)}"
    else:
        yield f"at a commit that nobody recorded; {_machine(model.environment)}"


def _machine(machine: Machine | None) -> str:
    if machine is None:
        return "on a machine that nobody recorded"
    packages = [f"{name} {machine.packages[name]}" for name in _PACKAGES if name in machine.packages]
    return ", ".join([f"Python {machine.python}", *packages, *(gpu.name for gpu in machine.gpus[:1]), machine.cpu])


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"


def _scores(scores: TracedScores) -> Iterator[str]:
    shown = [_metric(metric) for metric in scores.metrics[:MAX_METRICS]]
    left = len(scores.metrics) - len(shown)
    yield ", ".join([*shown, *([f"{left} more"] if left > 0 else [])]) or "no metric"
    purpose = "for the release" if scores.record == "release" else "as committed"
    yield f"{purpose}, {show_items(scores.items)}, {scores.device} {scores.dtype}, eval.json {_short(scores.sha256)}"


def _metric(metric: TracedMetric) -> str:
    return f"{shorten(metric.metric, 40)} {show_value(metric.value, in_points(metric.range))}"


def _event(trace: Trace, event: TracedEvent) -> Iterator[_Link]:
    if event.kind == "intent":
        known = [*([trace.decision] if trace.decision is not None else []), *trace.other_decisions]
        decision = next((one for one in known if one.sequence == event.sequence), None)
        if decision is not None:
            yield _Link(
                event.at, "decided", tuple(_decided(decision, named=len(known) > 1 or decision.target != trace.target))
            )
            yield _Link(event.at, "approved", tuple(_approved(decision.approvals)))
        else:
            yield _Link(event.at, "announced", (f"event {event.sequence}, by {who(event.by)}; it came to nothing",))
        return
    if event.kind == "released" and event.version != trace.version:
        what = "replaced"
    else:
        what = _EVENTS.get(event.kind, event.kind)
    yield _Link(event.at, what, tuple(_event_lines(event)))


def _event_lines(event: TracedEvent) -> Iterator[str]:
    by = f"event {event.sequence} by {who(event.by)}"
    if event.move is not None:
        yield f"{event.stage}: {event.move.before or 'nothing'} → {event.move.after}, {by}"
    elif event.override is not None:
        yield f"a loss in {event.override.metric} is accepted until {event.override.until}, {by}"
    else:
        yield by
    if event.reason is not None:
        yield event.reason
    if event.receipt is not None:
        kind = "commit" if event.target.startswith("hf://") else "record"
        yield f"at {shorten(event.target, 60)}, {kind} {_short(event.receipt.target_commit)}"
        if event.receipt.github_release is not None:
            yield event.receipt.github_release
    if event.run_url is not None:
        yield event.run_url


def _decided(decision: TracedDecision, *, named: bool) -> Iterator[str]:
    """``named``: say for which target, since there are several, or it is an earlier one."""
    yield f"for {shorten(decision.target, 60)}: {decision.summary}" if named else decision.summary
    against = decision.baseline or "nothing"
    policy = f"policy {_short(decision.policy_digest)} of {_short(decision.policy_ref)}"
    excused = f", with overrides {', '.join(map(str, decision.overrides))}" if decision.overrides else ""
    yield f"against {against}, {policy}{excused}, event {decision.sequence}"
    shown = [row for row in decision.verdicts if row.role == "gate"][:MAX_METRICS]
    yield from map(_verdict, shown)


def _verdict(row: TracedVerdict) -> str:
    points = in_points(row.range)
    if row.baseline is None:
        return f"  {shorten(row.metric, 40)}: {show_value(row.candidate, points)}"
    values = f"{show_value(row.baseline, points)} → {show_value(row.candidate, points)}"
    return f"  {shorten(row.metric, 40)}: {values} ({show_delta(row.delta, points)}), {row.verdict}"


def _approved(approvals: tuple[Approval, ...]) -> Iterator[str]:
    if not approvals:
        yield "by nobody: no approval is recorded"
    for one in approvals[:5]:
        place = f" for {shorten(one.environment, 40)}" if one.environment is not None else ""
        counts = "" if one.counts else f", which does not count: {one.why or 'the policy does not take it'}"
        yield f"by {shorten(one.login, 40)}{place}{counts}"


def _short(digest: str | None) -> str:
    return "not known" if digest is None else escape_controls(digest[:12])


def _plain(text: str, width: int) -> str:
    return shorten(escape_controls(" ".join(text.split())), width)
