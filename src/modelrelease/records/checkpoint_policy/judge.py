"""The checkpoint policy: the files of a checkpoint in, what is wrong with them out. Reads content, runs nothing of it.

Two levels. `loadable`: what scoring reads; weights may be pickled, for they are loaded with `weights_only=True`, and
code beside them is passed over. `publishable`: every file is on the allow-list (kinds.py) and is what its name says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from modelrelease.codes import SAYS_NO, Code
from modelrelease.errors import Finding, InvalidInput, Refused
from modelrelease.records.checkpoint_policy import gguf
from modelrelease.records.checkpoint_policy.contents import judge_content, read_object
from modelrelease.records.checkpoint_policy.files import Content
from modelrelease.records.checkpoint_policy.kinds import kind_of
from modelrelease.records.checkpoint_policy.shards import INDEX_SUFFIX, judge_index
from modelrelease.records.pickled import find_pickle, pickle_kind
from modelrelease.records.safetensors_header import Header, read_header
from modelrelease.records.training_state import is_training_state, training_state

Level = Literal["loadable", "publishable"]
SINGLE = "model.safetensors"
ADAPTER = "adapter_config.json"
SAFETENSORS = ".safetensors"
WEIGHTS = (SAFETENSORS, ".bin", ".pt", ".pth", ".ckpt", ".gguf")
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
_PROGRAMS = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe", b"#!", b"\0asm")
_CODE = (".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".ipynb", ".sh")
_POINTER = 1024
"""Bytes: no Git LFS pointer has more. Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""
_REMOVE = "remove it from the checkpoint"


@dataclass(frozen=True)
class Judged:
    """What the policy says, and the header of each safetensors file that is sound, by path."""

    findings: tuple[Finding, ...]
    headers: dict[str, Header]


def judge(files: Sequence[Content], level: Level) -> Judged:
    """Return what the policy says of a checkpoint's files; nothing where it has no objection.

    Only headers, configurations and vocabularies are read, not the weights themselves: that they are finite is
    :mod:`modelrelease.records.finite`'s question. A finding's code says whether a file is malformed or refused:
    :func:`refuse` raises what it ends a command with.
    """
    headers: dict[str, Header] = {}
    findings: list[Finding] = []
    for file in files:
        findings += _judge_file(file, level, headers)
    whole = level == "publishable"
    names = {file.path for file in files}
    tensors = {path: frozenset(tensor.name for tensor in header.tensors) for path, header in headers.items()}
    indexes = [file for file in files if file.path.endswith(INDEX_SUFFIX) and "/" not in file.path]
    for file in indexes:
        try:
            findings += judge_index(read_object(file), file.shown, names, tensors, whole=whole)
        except InvalidInput as error:
            findings += error.findings
    if whole and not indexes:
        findings += _unread(files)
    return Judged(tuple(dict.fromkeys(findings)), headers)


def refuse(findings: Sequence[Finding]) -> None:
    """Raise InvalidInput (exit 2) where a finding says that a file is malformed, else Refused (exit 1) where any is."""
    if any(finding.code not in SAYS_NO for finding in findings):
        raise InvalidInput(findings)
    if findings:
        raise Refused(findings)


def _judge_file(file: Content, level: Level, headers: dict[str, Header]) -> list[Finding]:
    looked_at = level == "publishable" or file.path.endswith(WEIGHTS) or file.size <= _POINTER
    head = file.head() if looked_at else b""
    if head.startswith(LFS_POINTER):
        message = "is a Git LFS pointer, not the file itself"
        if file.path.endswith(WEIGHTS):
            message = "is a Git LFS pointer, not the weights"
        return [Finding(file.shown, Code.LFS_POINTER, message, "run `git lfs pull`")]
    if file.path.endswith(SAFETENSORS):
        found = _judge_weights(file, head, headers)
        unlisted = level == "publishable" and kind_of(file.path) is None
        return found or ([_unlisted(file, head)] if unlisted else [])
    if head.startswith(gguf.MAGIC):
        with file.open() as stream:
            damaged = gguf.check_gguf(stream, file.size, file.shown)
        if damaged is not None:
            return [damaged]
    if level == "loadable":
        return []
    return _judge_published(file, head)


def _judge_weights(file: Content, head: bytes, headers: dict[str, Header]) -> list[Finding]:
    if head.startswith(b"PK\x03\x04") or pickle_kind(head) is not None:
        todo = "save the weights with safetensors; renaming a pickle does not make it safe"
        return [Finding(file.shown, Code.UNSAFE_WEIGHTS, "is a pickle under a safetensors name", todo)]
    try:
        with file.open() as stream:
            headers[file.path] = read_header(stream, file.size, file.shown)
    except InvalidInput as error:
        return list(error.findings)
    return []


def _judge_published(file: Content, head: bytes) -> list[Finding]:
    if is_training_state(file.path):
        return [training_state(file.shown)]
    pickle = find_pickle(head, file.shown)
    if pickle is not None:
        return [pickle]
    if file.name.endswith(_CODE) or head.startswith(_PROGRAMS):
        return [Finding(file.shown, Code.REMOTE_CODE, "is a program; a published version runs no code", _REMOVE)]
    kind = kind_of(file.path)
    return judge_content(file, kind) if kind is not None else [_unlisted(file, head)]


def _unlisted(file: Content, head: bytes) -> Finding:
    return Finding(file.shown, Code.UNPUBLISHABLE, _why_not(file, head), _REMOVE)


def _why_not(file: Content, head: bytes) -> str:
    if head.startswith(gguf.MAGIC):
        return "is a GGUF file; what is published is the checkpoint that was scored, in safetensors"
    if file.name.startswith("adapter_"):
        return "belongs to an adapter; publish the model that it is merged into"
    return "is on no list of what a version publishes (weights, configuration, tokenizer, card, licence, records)"


def _unread(files: Sequence[Content]) -> list[Finding]:
    """Without an index a loader reads one file; whatever lies beside it was never scored."""
    weights = [file for file in files if file.path.endswith(SAFETENSORS) and "/" not in file.path]
    message = f"is read by nobody: without an index the weights are {SINGLE} alone"
    return [Finding(file.shown, Code.UNPUBLISHABLE, message, _REMOVE) for file in weights if file.path != SINGLE]
