"""A plain value as a pydantic model, with findings that name the line and what is allowed there.

Hooks leave this module and those behind it alone: pydantic costs a tenth of a second to import.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.faults import quoted
from modelrelease.records.located import Keys, Located
from modelrelease.records.model_errors import Traced, allowed_kind, choose
from modelrelease.records.model_paths import literals, trace
from modelrelease.records.shown import key_path, shown
from modelrelease.records.suggestions import suggest

T = TypeVar("T", bound=BaseModel)

# Findings beyond these are not built: twenty are shown, and a hostile document can hold millions.
MAX_ERRORS = 1000
# pydantic builds all of its errors or none, at a kilobyte each: of what is wrong throughout, their number is said.
MAX_BUILT = 200_000


def validate(model: type[T], located: Located) -> T:
    """Return ``located``'s value as ``model``, read by pydantic's rules for JSON (a list may be a tuple).

    Raises InvalidInput, one finding an error in the order of lines: MR206 (unknown key), MR207 (missing key), MR208
    (anything else). A validator's ValueError may say "what is wrong; what to do".
    """
    try:
        return model.model_validate_json(json.dumps(located.value))
    except ValidationError as error:
        if error.error_count() > MAX_BUILT:
            message = f"is wrong in {error.error_count():,} places"
            raise InvalidInput(
                Finding(located.path, Code.INVALID_VALUE, message, "is it a file of this kind?")
            ) from None
        details = error.errors(include_url=False)[:MAX_ERRORS]
    traced = [Traced(detail, trace(model, detail["loc"])) for detail in details]
    findings = [_finding(item, todo, located) for item, todo in choose(traced)]
    raise InvalidInput(sorted(findings, key=lambda finding: finding.line or 0))


def _finding(item: Traced, todo: str, located: Located) -> Finding:
    build = _BUILDERS.get(item.detail["type"])
    if build is None and isinstance(item.detail["input"], dict) and allowed_kind(item.detail) is None:
        build = _refused  # a validator's own kind of error, about a mapping as a whole
    return build(item, located) if build is not None else _wrong(item, todo, located)


def _unknown(item: Traced, located: Located) -> Finding:
    key, line = str(item.step.keys[-1]), located.line_of(item.step.keys)
    todo = suggest(key, item.step.known)
    return Finding(located.path, Code.UNKNOWN_KEY, f"unknown key {quoted(key)}", todo, line)


def _missing(item: Traced, located: Located) -> Finding:
    return _is_missing(item.step.keys, located, "")


def _is_missing(keys: Keys, located: Located, rest: str) -> Finding:
    where = f" to `{key_path(keys[:-1])}`" if len(keys) > 1 else ""
    message, line = f"`{key_path(keys)}` is missing", located.line_of(keys[:-1])
    return Finding(located.path, Code.MISSING_FIELD, message, f"add it{where}{rest}", line)


def _no_tag(item: Traced, located: Located) -> Finding:
    name = _discriminator(item)
    tags = ", ".join(f"`{tag}`" for tag in literals(item.step.types, name))
    return _is_missing((*item.step.keys, name), located, f": one of {tags}" if tags else "")


def _wrong_tag(item: Traced, located: Located) -> Finding:
    name = _discriminator(item)
    tags = str(item.detail["ctx"]["expected_tags"]).replace("'", "`")
    value = item.detail["input"][name]
    return _invalid(located, (*item.step.keys, name), f"is {shown(value)}", f"it must be one of {tags}")


def _discriminator(item: Traced) -> str:
    return str(item.detail["ctx"]["discriminator"]).strip("'")


def _refused(item: Traced, located: Located) -> Finding:
    """A validator's own words, which pydantic puts after "Value error, " and "Assertion failed, "."""
    value, keys = item.detail["input"], item.step.keys
    reason = item.detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message, _, todo = reason.partition("; ")
    if todo:
        return Finding(located.path, Code.INVALID_VALUE, message, todo, located.line_of(keys))
    found = "is not valid" if isinstance(value, dict | list) else f"is {shown(value)}"
    return _invalid(located, keys, found, reason)


def _wrong(item: Traced, todo: str, located: Located) -> Finding:
    value, keys = item.detail["input"], item.step.keys
    found = "is empty" if value is None and not keys else f"is {shown(value)}"
    return _invalid(located, keys, found, todo)


def _invalid(located: Located, keys: Keys, found: str, todo: str) -> Finding:
    name = f"`{key_path(keys)}`" if keys else "the document"
    return Finding(located.path, Code.INVALID_VALUE, f"{name} {found}", todo, located.line_of(keys))


_BUILDERS: dict[str, Callable[[Traced, Located], Finding]] = {
    "extra_forbidden": _unknown,
    "missing": _missing,
    "union_tag_not_found": _no_tag,
    "union_tag_invalid": _wrong_tag,
    "value_error": _refused,
    "assertion_error": _refused,
}
