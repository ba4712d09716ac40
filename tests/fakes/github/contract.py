"""GitHub's own description of its API: which operation a request means, and whether it and its answer fit.

openapi.json holds the operations that ``cut.py`` names. What a request or an answer has in no place that the
description knows is a problem too: a misspelt key would pass here and do nothing there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4


def _mended(value: dict[str, Any]) -> dict[str, Any]:
    """Let a schema say what GitHub means by it.

    A nullable enumeration or choice may be null, which OpenAPI 3.0 wants said twice; alternatives overlap (a private
    user has all that a public one has) and are not told apart by what a discriminator names, so one or more has to
    fit. An asset that an upstream failure left behind has the state ``starter``, which the list of states forgets.
    """
    if "propertyName" in value.get("discriminator", {}):
        del value["discriminator"]
    if value.get("enum") == ["uploaded", "open"]:  # of an asset's state; the prose beside it knows another
        value["enum"].append("starter")
    if value.get("nullable") is True and isinstance(value.get("enum"), list):
        value["enum"].append(None)
    if isinstance(value.get("oneOf"), list):
        value["anyOf"] = value.pop("oneOf")
        if value.get("nullable") is True and "type" not in value:
            value["anyOf"].append({"type": "object", "nullable": True, "enum": [None]})
    return value


def _described(*names: str) -> dict[str, Any]:
    """Return what several files describe, as one; what two of them hold is the same in both."""
    whole: dict[str, Any] = {"paths": {}, "components": {}}
    for name in names:
        part = json.loads(Path(__file__).with_name(name).read_text("utf-8"), object_hook=_mended)
        whole["paths"] |= part["paths"]
        for kind, described in part["components"].items():
            whole["components"].setdefault(kind, {}).update(described)
    return whole


DOCUMENT = _described("openapi.json", "openapi-settings.json")
_HERE = "urn:openapi"
_REGISTRY: Any = Registry().with_resource(_HERE, Resource(contents=DOCUMENT, specification=DRAFT4))
# These stand for several segments, which OpenAPI has no way to say.
_LONG = {"path", "ref", "tag", "branch"}
_TEXT = {"date-time": "2026-01-02T03:04:05Z", "uri": "https://example.org/", "email": "nobody@example.org"}


@dataclass(frozen=True)
class Operation:
    """A method and a path of the description."""

    method: str
    template: str
    description: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Return the name that handlers go by: ``GET /repos/{owner}/{repo}``."""
        return f"{self.method} {self.template}"

    @cached_property
    def parameters(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the parameters by where they stand and name."""
        found = [resolved(parameter) for parameter in self.description.get("parameters", [])]
        return {(parameter["in"], parameter["name"]): parameter for parameter in found}

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return what the path has to match; named groups are its parameters."""
        return re.compile("/".join(self._segment(segment) for segment in self.template.split("/")))

    def _segment(self, segment: str) -> str:
        if not segment.startswith("{"):
            return re.escape(segment)
        name = segment[1:-1]
        schema = resolved(self.parameters["path", name]["schema"])
        kind = r"\d+" if schema.get("type") == "integer" else ".+" if name in _LONG else "[^/]+"
        return f"(?P<{name}>{kind})"

    @property
    def takes_json(self) -> bool:
        """Say whether a body is JSON, and not the bytes of a file."""
        return "application/json" in self.description.get("requestBody", {}).get("content", {"application/json": None})

    def problems(self, query: Mapping[str, str], body: Any) -> Iterator[str]:
        """Say what is wrong with a request; ``body`` is None where it has none, bytes where it is no JSON."""
        for name, value in query.items():
            schema = self.parameters.get(("query", name), {}).get("schema")
            if schema is None:
                yield f"unknown query parameter {name!r}"
            elif not _fits(value, resolved(schema)):
                yield f"query parameter {name!r} is {value!r}"
        for (place, name), parameter in self.parameters.items():
            if place == "query" and parameter.get("required") and name not in query:
                yield f"query parameter {name!r} is missing"
        yield from self._wrong_body(body)

    def _wrong_body(self, body: Any) -> Iterator[str]:
        asked = self.description.get("requestBody")
        if asked is None:
            if body is not None:
                yield "has a body"
        elif body is None:
            if asked.get("required"):
                yield "has no body"
        elif "application/json" in asked["content"]:
            schema = asked["content"]["application/json"]["schema"]
            yield from _errors(OAS30WriteValidator, schema, body)
            known = _known(schema)
            if isinstance(body, dict) and known:
                yield from (f"unknown key {key!r}" for key in body if key not in known)

    def wrong_answer(self, status: int, body: Any) -> Iterator[str]:
        """Say what is wrong with an answer of ours; errors are not described and not judged."""
        if status >= 400:
            return
        answer = self.description["responses"].get(str(status))
        if answer is None:
            yield f"answers {status}"
            return
        content = resolved(answer).get("content")
        if content is None:
            if body is not None:
                yield f"answers {status} with a body"
            return
        yield from _errors(OAS30ReadValidator, next(iter(content.values()))["schema"], body)


def find(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Return the operation that a request means, and the values in its path; None where there is none."""
    for operation in _operations():
        match = operation.pattern.fullmatch(path) if operation.method == method else None
        if match is not None:
            return operation, match.groupdict()
    return None


@cache
def _operations() -> tuple[Operation, ...]:
    found = [
        Operation(method.upper(), template, description)
        for template, methods in DOCUMENT["paths"].items()
        for method, description in methods.items()
    ]
    # What has fewer parameters is meant first, then what is longer: some of them stand for several segments.
    return tuple(sorted(found, key=lambda one: (one.template.count("{"), -one.template.count("/"), one.template)))


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Return ``part`` of the document, or what it refers to."""
    while "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = DOCUMENT["components"][kind][name]
    return part


def skeleton(name: str) -> dict[str, Any]:
    """Return the smallest object that the schema ``name`` allows, its texts empty and its numbers 0."""
    made = _least({"$ref": f"#/components/schemas/{name}"})
    assert isinstance(made, dict)
    return made


def _least(schema: dict[str, Any]) -> Any:
    schema = resolved(schema)
    if schema.get("nullable"):
        return None
    parts = schema.get("anyOf")
    if parts and "type" not in schema:
        return _least(parts[0])
    if "allOf" in schema:
        return {key: value for part in schema["allOf"] for key, value in _least(part).items()}
    if schema.get("type", "object") != "object":
        kind = {"string": _TEXT.get(schema.get("format", ""), ""), "boolean": False, "array": []}
        return schema["enum"][0] if "enum" in schema else kind.get(schema["type"], 0)
    properties = schema.get("properties", {})
    return {key: _least(properties.get(key, {"type": "string"})) for key in schema.get("required", [])}


def _fits(value: str, schema: dict[str, Any]) -> bool:
    return ("integer" not in _types(schema) or value.isdigit()) and value in schema.get("enum", [value])


def _types(schema: dict[str, Any]) -> set[str]:
    schema = resolved(schema)
    return {schema.get("type", ""), *(kind for part in schema.get("anyOf", []) for kind in _types(part))}


def _known(schema: dict[str, Any]) -> set[str]:
    schema = resolved(schema)
    parts = [part for choice in ("anyOf", "allOf") for part in schema.get(choice, [])]
    return set(schema.get("properties", {})).union(*(_known(part) for part in parts))


def _errors(kind: Any, schema: dict[str, Any], value: Any) -> Iterator[str]:
    for error in _validator(kind, json.dumps(schema)).iter_errors(value):
        where = ".".join(str(key) for key in error.absolute_path) or "the body"
        inner = "; ".join(f"{part.json_path} {part.message[:100]}" for part in error.context or [])
        yield f"{where}: {error.message[:200]} {inner}".rstrip()


@cache
def _validator(kind: Any, schema: str) -> Any:
    return kind(_absolute(json.loads(schema)), registry=_REGISTRY, format_checker=kind.FORMAT_CHECKER)


def _absolute(value: Any) -> Any:
    """Return a part of the document with references that hold outside of it."""
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: f"{_HERE}{item}" if key == "$ref" and isinstance(item, str) else _absolute(item)
        for key, item in value.items()
    }
