"""The rules of a change record: author, reason, date; each with what to do and an example."""

from __future__ import annotations

import re
from collections.abc import Callable

from modelrelease.codes import Code
from modelrelease.errors import Finding, shorten
from modelrelease.registry.policy import Rules
from modelrelease.registry.reasons import EXAMPLE, is_visible, says_something, tidy, width

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime

    from modelrelease.registry.formats import Record

STAMP = 'run `modelrelease stamp --reason "…" --add`'
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Authors:
    """Who may stand as the author: ``accepts`` says so, ``example`` is how to write the first of them."""

    __slots__ = ("accepts", "example")

    def __init__(self, accepts: Callable[[str], bool], example: str | None) -> None:
        self.accepts = accepts
        self.example = example


def author_names(name: str, email: str) -> set[str]:
    """Return what an identity may be called by: its name, its address, both, and a GitHub login, in lower case.

    Source for the last: docs.github.com, "Setting your commit email address": ``ID+LOGIN@users.noreply.github.com``.
    """
    name, email = tidy(name).casefold(), email.strip().casefold()
    names = {name, email, f"{name} <{email}>"}
    if email.endswith("@users.noreply.github.com"):
        login = email.partition("@")[0].rpartition("+")[2]
        names |= {login, f"@{login}", f"{login}@users.noreply.github.com"}
    return names - {""}


def check_record(
    record: Record, path: str, rules: Rules, today: datetime.date, authors: Authors | None, before: Record | None
) -> list[Finding]:
    """Return what is wrong with a record. ``authors``: None where who it is need not be asked.

    ``before`` is the record it replaces. MR102 (author), MR103 (reason), MR104 (date), MR101 (a key is missing).
    """
    findings = []
    for key, check in (("author", _author), ("reason", _reason), ("date", _date)):
        line = record.lines.get(key, record.line)
        code = {"author": Code.RECORD_AUTHOR, "reason": Code.RECORD_REASON, "date": Code.RECORD_DATE}[key]
        value = record.values.get(key)
        if key not in record.values or value is None:
            found: tuple[str, str] | None = (f"the change record has no `{key}`", _ADD[key])
        elif not isinstance(value, str):
            found = (f"`{key}` is no text", f"put it in quotes; {_ADD[key]}")
        else:
            found = check(value, rules, today, authors, before)
        if found is not None:
            findings.append(Finding(path, code, found[0], found[1], line))
    return findings


_ADD = {
    "author": "write who answers for this content, as git knows them",
    "reason": f'say why it changed, e.g. "{EXAMPLE}"',
    "date": "write the day of the change, e.g. 2026-11-22",
}


def _author(
    value: str, rules: Rules, today: datetime.date, authors: Authors | None, before: Record | None
) -> tuple[str, str] | None:
    if not is_visible(value):
        return "`author` is empty", _ADD["author"]
    if rules.author == "any" or authors is None or authors.accepts(tidy(value).casefold()):
        return None
    message = f"the author {_quoted(value)} is not who commits"
    if authors.example is None:
        return message, "set git's user.name and user.email, then stamp again"
    return message, f"write {_quoted(authors.example)}, or set `registry.rules.author: any`"


def _reason(
    value: str, rules: Rules, today: datetime.date, authors: Authors | None, before: Record | None
) -> tuple[str, str] | None:
    todo = f'say why, e.g. "{EXAMPLE}"'
    if not is_visible(value):
        return "`reason` is empty", todo
    if before is not None and (earlier := before.text("reason")) and _same(earlier, value):
        return f"the reason {_quoted(value)} is that of the change before", todo
    if not says_something(value):
        return f"the reason {_quoted(value)} says nothing", todo
    columns = width(value)
    if columns < rules.reason_min_length:
        return f"the reason {_quoted(value)} is {columns} columns wide, {rules.reason_min_length} are the least", todo
    return None


def _same(one: str, other: str) -> bool:
    return tidy(one).casefold().rstrip(".!") == tidy(other).casefold().rstrip(".!")


def _date(
    value: str, rules: Rules, today: datetime.date, authors: Authors | None, before: Record | None
) -> tuple[str, str] | None:
    todo = f"write the day of the change as YYYY-MM-DD, e.g. {today.isoformat()}"
    day = parse_day(value)
    if day is None:
        what = "is no day of the calendar" if _DATE.fullmatch(value) else "is no date of the form YYYY-MM-DD"
        return f"`date` {_quoted(value)} {what}", todo
    if (day - today).days > rules.max_future_days:
        return f"`date` {value} lies {(day - today).days} days ahead", todo
    earlier = parse_day(before.text("date") or "") if before is not None else None
    if earlier is not None and day < earlier:
        return f"`date` {value} is before that of the record it replaces, {earlier.isoformat()}", todo
    return None


def parse_day(text: str) -> datetime.date | None:
    """Return the day that ``text`` names as YYYY-MM-DD; None where it names none."""
    import datetime

    if not _DATE.fullmatch(text):
        return None
    try:
        return datetime.date(int(text[:4]), int(text[5:7]), int(text[8:]))
    except ValueError:
        return None


def _quoted(text: str) -> str:
    return f"`{shorten(text, 60)}`"
