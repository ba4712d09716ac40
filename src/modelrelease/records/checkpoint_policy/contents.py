"""Whether a file is what its name says: one check a kind, each on the bytes."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.records.checkpoint_policy.config_code import code_asked_for
from modelrelease.records.checkpoint_policy.files import Content
from modelrelease.records.checkpoint_policy.kinds import LIMITS, Kind
from modelrelease.records.checkpoint_policy.vocabularies import is_vocabulary
from modelrelease.records.located import Located
from modelrelease.records.strict_json import read_json
from modelrelease.records.text import decode

_CHUNK = 1 << 20


def judge_content(file: Content, kind: Kind) -> list[Finding]:
    """Return why ``file`` is no file of its kind; weights and indexes are judged together, by judge.py."""
    limit = LIMITS.get(kind)
    if limit is not None and file.size > limit:
        message = f"has {file.size:,} bytes, and {kind.value} has at most {limit:,}"
        return [Finding(file.shown, Code.UNPUBLISHABLE, message, "remove it from the checkpoint, or make it smaller")]
    check = _CHECKS.get(kind)
    try:
        return check(file) if check is not None else []
    except InvalidInput as error:
        return list(error.findings)


def read_object(file: Content) -> Located:
    """Return a file's JSON object; InvalidInput (MR2xx) where it is none, as strict as our own documents are read."""
    document = read_json(decode(file.read(), file.shown), file.shown)
    if not isinstance(document.value, dict):
        raise InvalidInput(Finding(file.shown, Code.INVALID_VALUE, "is no JSON object", "save the checkpoint again"))
    return document


def _configuration(file: Content) -> list[Finding]:
    return code_asked_for(read_object(file), file.shown)


def _json(file: Content) -> list[Finding]:
    read_object(file)
    return []


def _pieces(file: Content) -> list[Finding]:
    if is_vocabulary(file.read()):
        return []
    message = "is no vocabulary of sentencepiece or tiktoken"
    return [Finding(file.shown, Code.UNPUBLISHABLE, message, "save the tokenizer again")]


def _text(file: Content) -> list[Finding]:
    """UTF-8 without NUL, read in pieces; what is wrong is then found by the reader of documents."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open() as stream:
        while chunk := stream.read(_CHUNK):
            try:
                bad = "\0" in decoder.decode(chunk, final=stream.tell() >= file.size)
            except UnicodeDecodeError:
                bad = True
            if bad:
                todo = "save the file as UTF-8"
                return [Finding(file.shown, Code.ENCODING, "is no text in UTF-8, or holds a NUL byte", todo)]
    return []


_CHECKS: dict[Kind, Callable[[Content], list[Finding]]] = {
    Kind.CONFIG: _configuration,
    Kind.VOCABULARY: _json,
    Kind.RECORD: _json,
    Kind.PIECES: _pieces,
    Kind.TEXT: _text,
    Kind.ROWS: _text,
}
