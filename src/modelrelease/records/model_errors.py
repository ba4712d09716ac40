"""pydantic's errors, each with where it leads, and one where a union gave one a member."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_core import ErrorDetails

from modelrelease.records.model_paths import Location, Step

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "null",
}
_INPUT_SHOULD_BE = "Input should be "


@dataclass(frozen=True)
class Traced:
    """An error of pydantic's, and where it leads."""

    detail: ErrorDetails
    step: Step

    def label_from(self, start: int) -> int | None:
        """Return the first index from ``start`` at which the location names a union's member."""
        return next((index for index in self.step.labels if index >= start), None)

    def is_inside(self, label: int) -> bool:
        """Return whether the error is about a part of the value of the union labelled at ``label``."""
        return any(index not in self.step.labels for index in range(label + 1, len(self.detail["loc"])))


def choose(traced: list[Traced], start: int = 0) -> list[tuple[Traced, str]]:
    """Return one error, with what to do, where a union's members each gave theirs."""
    chosen: list[tuple[Traced, str]] = []
    unions: dict[Location, list[Traced]] = {}
    for item in traced:
        label = item.label_from(start)
        if label is None:
            chosen.append((item, _todo([item.detail])))
        else:
            unions.setdefault(item.detail["loc"][:label], []).append(item)
    for location, errors in unions.items():
        chosen.extend(_choose_member(errors, len(location)))
    return chosen


def _choose_member(errors: list[Traced], label: int) -> list[tuple[Traced, str]]:
    """Return the errors to show of the union whose members' labels stand at index ``label`` of the locations.

    A member that the value fits in kind (a mapping for a model) is what the author meant: its errors are kept, the
    others' dropped. Where the value fits none, one error says all that is allowed.
    """
    members: dict[int | str, list[Traced]] = {}
    for item in errors:
        members.setdefault(item.detail["loc"][label], []).append(item)
    meant = [member for member in members.values() if all(item.is_inside(label) for item in member)]
    if meant or len(members) == 1:
        return choose(min(meant or members.values(), key=len), label + 1)
    direct = [item for item in errors if not item.is_inside(label)]
    return [(direct[0], _todo([item.detail for item in direct]))]


def _todo(details: list[ErrorDetails]) -> str:
    """Return what is allowed, by any of ``details``."""
    kinds, sentences = [], []
    for detail in details:
        kind = allowed_kind(detail)
        if kind is None:
            sentences.append(detail["msg"][:1].lower() + detail["msg"][1:])
        else:
            kinds.append(kind)
    if "a number" in kinds:  # which a whole number is
        kinds = [kind for kind in kinds if kind != "a whole number"]
    first = [f"it must be {' or '.join(dict.fromkeys(kinds))}"] if kinds else []
    return ", or ".join([*first, *dict.fromkeys(sentences)])


def allowed_kind(detail: ErrorDetails) -> str | None:
    """Return what completes "it must be ..."; None where pydantic's message is a sentence of another form."""
    if detail["type"] in ("literal_error", "enum"):
        return str(detail["ctx"]["expected"]).replace("'", "`")
    if detail["type"] in _KINDS:
        return _KINDS[detail["type"]]
    message = detail["msg"]
    return message.removeprefix(_INPUT_SHOULD_BE) if message.startswith(_INPUT_SHOULD_BE) else None
