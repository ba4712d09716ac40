"""Prompt files of every kind in use, as messages or one template, with a digest of what they say."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import InvalidInput, invalid
from modelrelease.records.canonical import digest_of
from modelrelease.records.faults import quoted
from modelrelease.records.located import Located
from modelrelease.records.prompt_messages import ROLES, Message, read_messages, wrong_value
from modelrelease.records.prompt_text import Block, prompty_blocks, split_front_matter
from modelrelease.records.shown import kind_of
from modelrelease.records.strict_json import read_json
from modelrelease.records.strict_yaml import read_yaml
from modelrelease.records.text import decode, refuse_lfs_pointer

__all__ = ["RECORD_KEYS", "ROLES", "Message", "Prompt", "read_prompt", "without_record"]

RECORD_KEYS = frozenset({"author", "reason", "date", "change"})
_PROMPT_KEYS = ("messages", "template")


@dataclass(frozen=True)
class Prompt:
    """A prompt: either ``messages`` or ``template`` is None.

    ``content`` is all the file says except its change record, ``digest`` the sha256 of its canonical JSON;
    ``line`` is where the messages, or the template's text, begin; ``verbatim`` is the template's, as a message's.
    """

    path: str
    messages: tuple[Message, ...] | None
    template: str | None
    content: Any
    digest: str
    line: int
    verbatim: bool = True


def read_prompt(data: bytes, path: str) -> Prompt:
    """Return the prompt in a .yml, .yaml, .json, .prompty, .prompt, .md or .txt file.

    Raises InvalidInput: MR309 (no prompt in it), MR302 (Jinja in a .prompty), MR206-MR208 (a message that is none),
    MR201-MR205 (see ``read_yaml`` and ``decode``), MR403 (a Git LFS pointer).
    """
    suffix = PurePosixPath(path).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        message = f"a prompt cannot have the extension {quoted(suffix)}" if suffix else "a prompt needs an extension"
        raise invalid(path, Code.PROMPT, message, "use .prompt.yml, .yaml, .json, .prompty, .md or .txt")
    refuse_lfs_pointer(data, path)
    return reader(decode(data, path), path)


def without_record(value: Any) -> Any:
    """Return a document's content without its change record, the keys `author`, `reason`, `date`, `change`."""
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if key not in RECORD_KEYS}


def _from_yaml(text: str, path: str) -> Prompt:
    return _from_mapping(read_yaml(text, path))


def _from_json(text: str, path: str) -> Prompt:
    return _from_mapping(read_json(text, path))


def _from_mapping(located: Located) -> Prompt:
    value, path = located.value, located.path
    if not isinstance(value, dict):
        message = f"is {kind_of(value)} and holds no prompt"
        raise invalid(
            path, Code.PROMPT, message, "make it a mapping with `messages` or `template`", located.line_of(())
        )
    present = [key for key in _PROMPT_KEYS if key in value]
    if len(present) != 1:
        raise _no_prompt(located, bool(present))
    content = without_record(value)
    if present == ["template"]:
        return _from_template(located, content)
    messages = read_messages(located)
    _refuse_empty(path, [message.content for message in messages], located.line_of(("messages",)))
    return Prompt(path, messages, None, content, digest_of(content), located.line_of(("messages",)))


def _from_template(located: Located, content: Any) -> Prompt:
    template, place = located.value["template"], located.place_of(("template",))
    if not isinstance(template, str):
        raise InvalidInput(wrong_value(located, ("template",), "it must be text"))
    _refuse_empty(located.path, [template], place.line)
    return Prompt(located.path, None, template, content, digest_of(content), place.text_line, place.verbatim)


def _no_prompt(located: Located, both: bool) -> InvalidInput:
    if both:
        line = max(located.line_of((key,)) for key in _PROMPT_KEYS)
        return invalid(located.path, Code.PROMPT, "holds both `messages` and `template`", "keep one of them", line)
    message = "holds neither `messages` nor `template`"
    for name in _PROMPT_KEYS:
        for near in difflib.get_close_matches(name, list(located.value), n=1):
            todo = f"did you mean `{name}` where it says {quoted(near)}?"
            return invalid(located.path, Code.PROMPT, message, todo, located.line_of((near,)))
    todo = "add `messages`, a list of `role` and `content`, or `template`, a text"
    return invalid(located.path, Code.PROMPT, message, todo, located.line_of(()))


def _refuse_empty(path: str, texts: list[str], line: int) -> None:
    if not any(text.strip() for text in texts):
        raise invalid(path, Code.PROMPT, "the prompt is empty", "write the prompt", line)


def _from_text(text: str, path: str) -> Prompt:
    return _from_body(text, path, 1, {})


def _from_markdown(text: str, path: str) -> Prompt:
    front, body, line = split_front_matter(text, path)
    if front is None:
        return _from_text(text, path)
    return _from_body(body, path, line, _metadata(front, path))


def _metadata(front: str, path: str) -> dict[str, Any]:
    """Return the mapping in the front matter, which begins on line 2."""
    located = read_yaml(front, path, first_line=2)
    if located.value is None:
        return {}
    if not isinstance(located.value, dict):
        message = f"the front matter is {kind_of(located.value)}"
        raise invalid(path, Code.PROMPT, message, "make it a mapping", located.line_of(()))
    return located.value


def _from_body(text: str, path: str, line: int, metadata: dict[str, Any]) -> Prompt:
    """Return a template that is a file's text; the final newline is an editor's, not the prompt's.

    Front matter that holds nothing but a change record is no content: the file says the same without it.
    """
    body = text.removesuffix("\n")
    _refuse_empty(path, [body], line)
    said = without_record(metadata)
    content = {"front_matter": said, "body": body} if said else body
    return Prompt(path, None, body, content, digest_of(content), line)


def _from_prompty(text: str, path: str) -> Prompt:
    """Return a .prompty: messages, unless its front matter says `api: completion`, where the body is the template."""
    front, body, line = split_front_matter(text, path)
    metadata = {} if front is None else _metadata(front, path)
    blocks = prompty_blocks(body, path, line)
    whole = _from_body(body, path, line, metadata)
    model = metadata.get("model")
    if isinstance(model, dict) and "completion" in (model.get("api"), model.get("apiType")):
        return whole
    messages = tuple(_prompty_message(block, path) for block in blocks)
    if not messages:
        raise invalid(path, Code.PROMPT, "the prompt is empty", "write the prompt", line)
    return Prompt(path, messages, None, whole.content, whole.digest, messages[0].line)


def _prompty_message(block: Block, path: str) -> Message:
    if block.role not in ROLES:
        message = f"the role {quoted(block.role)} is not known"
        raise invalid(path, Code.PROMPT, message, f"use one of {', '.join(ROLES)}", block.marker_line)
    if not block.text:
        message = f"the {block.role} message is empty"
        raise invalid(path, Code.PROMPT, message, "write it, or remove its marker", block.marker_line)
    return Message(block.role, block.text, block.line)


_READERS: dict[str, Callable[[str, str], Prompt]] = {
    ".yml": _from_yaml,
    ".yaml": _from_yaml,
    ".json": _from_json,
    ".prompty": _from_prompty,
    ".prompt": _from_markdown,
    ".md": _from_markdown,
    ".txt": _from_text,
}

PROMPT_SUFFIXES = frozenset(_READERS)
"""The extensions, in small letters, of files that can be prompts."""
