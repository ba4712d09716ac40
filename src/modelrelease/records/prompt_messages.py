"""The messages of a prompt in YAML or JSON: a list of `role` and `content`."""

from __future__ import annotations

from dataclasses import dataclass

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.faults import quoted
from modelrelease.records.located import Keys, Located
from modelrelease.records.shown import key_path, shown
from modelrelease.records.suggestions import suggest

ROLES = ("system", "user", "assistant", "developer", "tool")
_MESSAGE_KEYS = ("role", "content")


@dataclass(frozen=True)
class Message:
    """One turn: its role, its template, and the line on which the template begins.

    ``verbatim`` says whether the template's lines are the file's; see ``compile_template``.
    """

    role: str
    content: str
    line: int
    verbatim: bool = True


def read_messages(located: Located) -> tuple[Message, ...]:
    """Return the messages under the key `messages`; raises InvalidInput with all that is wrong with them."""
    value = located.value["messages"]
    if not isinstance(value, list):
        raise InvalidInput(wrong_value(located, ("messages",), "it must be a list of `role` and `content`"))
    findings = [finding for index in range(len(value)) for finding in _message_findings(located, index)]
    if findings:
        raise InvalidInput(findings)
    places = [located.place_of(("messages", index, "content")) for index in range(len(value))]
    return tuple(
        Message(item["role"], item["content"], place.text_line, place.verbatim)
        for item, place in zip(value, places, strict=True)
    )


def _message_findings(located: Located, index: int) -> list[Finding]:
    """Return what is wrong with one message: keys it does not have, a role nobody knows, content that is no text."""
    keys: Keys = ("messages", index)
    message = located.value["messages"][index]
    if not isinstance(message, dict):
        return [wrong_value(located, keys, "it must be a mapping of `role` and `content`")]
    findings = []
    for key in message:
        if key not in _MESSAGE_KEYS:
            line, todo = located.line_of((*keys, key)), suggest(key, _MESSAGE_KEYS)
            findings.append(Finding(located.path, Code.UNKNOWN_KEY, f"unknown key {quoted(key)}", todo, line))
    for key in _MESSAGE_KEYS:
        if key not in message:
            name, todo = key_path((*keys, key)), f"add it to `{key_path(keys)}`"
            line = located.line_of(keys)
            findings.append(Finding(located.path, Code.MISSING_FIELD, f"`{name}` is missing", todo, line))
    if "role" in message and message["role"] not in ROLES:
        findings.append(wrong_value(located, (*keys, "role"), f"it must be one of {', '.join(ROLES)}"))
    if "content" in message and not isinstance(message["content"], str):
        findings.append(wrong_value(located, (*keys, "content"), "it must be text"))
    return findings


def wrong_value(located: Located, keys: Keys, todo: str) -> Finding:
    """Return the finding (MR208) that the value under ``keys`` is not what ``todo`` asks for."""
    value = located.value
    for key in keys:
        value = value[key]
    message = f"`{key_path(keys)}` is {shown(value)}"
    return Finding(located.path, Code.INVALID_VALUE, message, todo, located.line_of(keys))
