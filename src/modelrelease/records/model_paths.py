"""From a pydantic error's location to the keys of the document, by walking the model's types.

A location mixes keys and indexes with the labels of a union's members ("str", "Metric", a discriminator's value);
which is which only the types say.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from modelrelease.records.located import Keys

Location = tuple[int | str, ...]
_KEY_ITSELF = "[key]"


@dataclass(frozen=True)
class Step:
    """Where a location leads: the document's keys, and which of the location's indexes are labels.

    ``known`` are the keys of the mapping that holds the last key; ``types`` are the types allowed at the place.
    """

    keys: Keys
    labels: tuple[int, ...]
    known: tuple[str, ...]
    types: tuple[Any, ...]


def trace(model: type[BaseModel], location: Location) -> Step:
    """Return where ``location``, from a ValidationError of ``model``, leads."""
    keys: list[str | int] = []
    labels: list[int] = []
    known: tuple[str, ...] = ()
    members, labelled = _members(model), False
    for index, part in enumerate(location):
        if part == _KEY_ITSELF:  # the error is about the key before it
            continue
        if len(members) > 1 and not labelled:
            labels.append(index)
            members = _named(members, str(part))
            labelled = len(members) > 1
            members = members if labelled else _members(members[0])
        else:
            known = _known_keys(members)
            keys.append(part)
            members, labelled = _below(members, part), False
    return Step(tuple(keys), tuple(labels), known, tuple(members))


def literals(members: Sequence[Any], name: str) -> list[str]:
    """Return the values that field ``name`` of the models in ``members`` may have, where they are listed."""
    fields = [member.model_fields.get(name) for member in members if _is_model(member)]
    annotations = [field.annotation for field in fields if field is not None]
    return [str(value) for item in annotations if get_origin(item) is Literal for value in get_args(item)]


def _members(annotation: Any) -> list[Any]:
    """Return the types that ``annotation`` allows besides None: one, unless it is a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        parts = [part for part in get_args(annotation) if part is not types.NoneType]
        return _members(parts[0]) if len(parts) == 1 else parts
    return _members(annotation.__value__) if hasattr(annotation, "__value__") else [annotation]


def _named(members: list[Any], label: str) -> list[Any]:
    """Return the members of a union that ``label`` can mean; all of them where it says nothing."""
    return [member for member in members if _is_named(member, label)] or members


def _is_named(member: Any, label: str) -> bool:
    if _is_model(member):
        return label == member.__name__ or any(label in literals([member], name) for name in member.model_fields)
    if len(_members(member)) > 1:  # a union inside a union
        return "union[" in label
    name = getattr(get_origin(member) or member, "__name__", "")
    return label == name or label.startswith(f"{name}[")


def _is_model(member: Any) -> bool:
    # Python 3.10 takes list[str] for a type, which issubclass() then refuses.
    return get_origin(member) is None and isinstance(member, type) and issubclass(member, BaseModel)


def _known_keys(members: Sequence[Any]) -> tuple[str, ...]:
    models = [member for member in members if _is_model(member)]
    names = [field.alias or name for model in models for name, field in model.model_fields.items()]
    return tuple(dict.fromkeys(names))


def _below(members: Sequence[Any], part: int | str) -> list[Any]:
    """Return the types allowed under the key or index ``part``."""
    found: list[Any] = []
    for member in members:
        if _is_model(member):
            fields = member.model_fields.items()
            found += [
                kind for name, field in fields if part in (name, field.alias) for kind in _members(field.annotation)
            ]
        else:
            found += _element(get_origin(member), get_args(member), part)
    return found


def _element(origin: Any, arguments: tuple[Any, ...], part: int | str) -> list[Any]:
    if not (isinstance(origin, type) and arguments):
        return []
    if issubclass(origin, Mapping):
        return _members(arguments[1])
    if origin is tuple and isinstance(part, int) and part < len(arguments) and arguments[-1] is not Ellipsis:
        return _members(arguments[part])
    return _members(arguments[0]) if issubclass(origin, Sequence | set | frozenset) else []
