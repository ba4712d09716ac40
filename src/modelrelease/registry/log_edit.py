"""The lines of a change log that is to be: what went from it brought back, and one line for what is not said yet."""

from __future__ import annotations

from modelrelease.registry.formats import RECORD
from modelrelease.registry.logs import MODULUS, Line, Log, delta_of, line_text, missing, newest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from modelrelease.registry.rows import RowChanges


class Stamped:
    """What a stamp makes of a change log: its lines, and whether a reason is missing for it."""

    __slots__ = ("lines", "needs_reason")

    def __init__(self, lines: list[dict[str, Any]], needs_reason: bool = False) -> None:
        self.lines = lines
        self.needs_reason = needs_reason


def stamp_log(
    log: Log,
    wanted: dict[str, Any] | None,
    record: dict[str, str] | None,
    latest: RowChanges | None = None,
) -> Stamped:
    """Return the lines of a log after a stamp.

    ``wanted``: what the new lines have to say of the file together (``delta`` and counts, ``sha256``, ``deleted``),
    None where the file is what it was; ``record``: author, reason and date, None where no reason was given;
    ``latest``: what changed since the commit before. Lines that are on the default branch stay as they are; those that
    are not may be brought up to date.
    """
    kept = [*log.new, *missing(log.settled, log.new)]
    pending = missing(kept, log.base)
    open_lines = missing(pending, log.settled)
    if _is_said(pending, wanted):
        last = newest(missing(open_lines, log.held))
        if record is not None and last is not None:  # said already in this very commit: with better words now
            return Stamped(_replaced(kept, last, {**last.values, **record}))
        return Stamped([line.values for line in kept])
    fresh = newest(missing(open_lines, log.held)) if record is not None else newest(open_lines)
    if fresh is not None:
        others = [line for line in pending if line is not fresh]
        said: dict[str, Any] = {key: fresh.values[key] for key in RECORD if key in fresh.values}
        return Stamped(_replaced(kept, fresh, {**said, **(record or {}), **_rest(wanted, others)}))
    if record is None:
        return Stamped([line.values for line in kept], needs_reason=True)
    rest = _rest(wanted, pending)
    if latest is not None and rest.get("delta") == latest.as_line()["delta"]:
        rest.update(latest.as_line())  # what the commit before says is right: this line is about what came since
    return Stamped([*(line.values for line in kept), {**record, **rest}])


def _is_said(pending: list[Line], wanted: dict[str, Any] | None) -> bool:
    if wanted is None:
        return delta_of(pending) == 0
    if "deleted" in wanted and not any(line.values.get("deleted") for line in pending):
        return False
    if "sha256" in wanted:
        return any(line.values.get("sha256") == wanted["sha256"] for line in pending)
    if "delta" not in wanted:
        return True
    counted = [line for line in pending if line.delta is not None]
    balance = wanted["added"] - wanted["removed"]
    said = sum(line.balance for line in counted) == balance and delta_of(counted) == int(wanted["delta"], 16)
    return said and bool(counted)


def _rest(wanted: dict[str, Any] | None, others: list[Line]) -> dict[str, Any]:
    """Return what one line has to say so that it and the ``others`` say what is wanted."""
    if wanted is not None and "delta" not in wanted:
        return dict(wanted)
    total = wanted or {"added": 0, "changed": 0, "removed": 0, "delta": "0"}
    rest = {key: value for key, value in total.items() if key == "deleted"}
    balance = total["added"] - total["removed"] - sum(line.balance for line in others)
    for key in ("added", "changed", "removed"):
        rest[key] = max(0, total[key] - sum(int(line.values.get(key, 0)) for line in others))
    rest["added"] += max(0, balance - (rest["added"] - rest["removed"]))
    rest["removed"] += max(0, rest["added"] - rest["removed"] - balance)
    rest["delta"] = f"{(int(total['delta'], 16) - delta_of(others)) % MODULUS:064x}"
    return rest


def _replaced(lines: list[Line], old: Line, new: dict[str, Any]) -> list[dict[str, Any]]:
    return [new if line is old else line.values for line in lines]


def log_bytes(lines: list[dict[str, Any]]) -> bytes:
    """Return a change log as it stands on disk."""
    return "".join(line_text(values) + "\n" for values in lines).encode("utf-8")


def wanted_rows(changes: RowChanges | None, *, is_new: bool) -> dict[str, Any] | None:
    """Return what the new lines have to say of a dataset; None where nothing changed."""
    if changes is None or not (changes.added or changes.changed or changes.removed or is_new):
        return None
    return changes.as_line()
