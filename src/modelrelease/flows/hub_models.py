"""A model on the Hub as a list of files with digests: what its own model.json lists, else what a checkpoint is made of.

Large files' sha256 the Hub says itself; small ones are read for it, and held against the id that git has for them. The
list of a commit never changes, so it is remembered: a second run asks nobody.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput, Refused, Unavailable, invalid
from modelrelease.flows.openers import Hub, Opener, Stream, opened, reachable, told
from modelrelease.records.addresses import HUB, Address, parse_hub
from modelrelease.records.canonical import digest_of, document_bytes
from modelrelease.records.checkpoints import TOKENIZER_FILES, files_digest
from modelrelease.records.evaluation import CheckpointFile
from modelrelease.records.files import write_atomic
from modelrelease.records.model import MODEL_FILE, ModelRecord, SavedCheckpoint
from modelrelease.records.strict_json import read_json, read_json_file
from modelrelease.records.text import decode
from modelrelease.records.validation import validate

MAX_SMALL = 64 << 20
"""Bytes of a file that the Hub keeps in git itself, without its sha256."""

MAX_FILES = 10_000
_SETTINGS = (".json", ".jinja", ".model", ".tiktoken")
_TEMPLATES = "additional_chat_templates"
_NOT_THE_MODEL = frozenset({MODEL_FILE, "eval.json", "comparison.json", "reproduction.json"})


@dataclass(frozen=True)
class HubModel:
    """A model at one commit; ``small`` holds the files that had to be read for their digest."""

    address: Address
    saved: SavedCheckpoint
    small: dict[str, bytes] = field(default_factory=dict)

    @contextmanager
    def opened(self, hub: Hub) -> Iterator[Opener]:
        """Give an opener for its files; what was read already is not read again."""
        with opened(self.address, hub) as opener:

            def either(path: str) -> AbstractContextManager[Stream]:
                return _stream(self.small[path], path) if path in self.small else opener(path)

            yield either


@contextmanager
def _stream(data: bytes, path: str) -> Iterator[Stream]:
    yield Stream(io.BytesIO(data), path)


def find_hub_model(named: Address, hub: Hub, memory: Path) -> HubModel:
    """Return the model at an address; ``memory`` is the folder of lists that are known already.

    Raises InvalidInput (MR401) where no checkpoint is there, Unavailable (exit 3) where the Hub is.
    """
    known = _recall(memory, named) if named.is_pinned else None
    if known is not None:
        return HubModel(named, known)
    with reachable(hub) as client, told(named.text):
        api = client.HfApi(endpoint=hub.endpoint)
        commit = str(api.repo_info(named.repository, revision=named.revision).sha)
        pinned = parse_hub(f"{HUB}{named.repository}@{commit}")
        if not pinned.is_pinned:
            raise Unavailable(Finding(named.text, Code.UNAVAILABLE, "the Hub names no commit", "run again later"))
        tree = list(_files(api, pinned))
    model = _model(pinned, tree, hub)
    _remember(memory, model)
    return model


@dataclass(frozen=True)
class _Remote:
    """A file of a repository: ``sha256`` is None where only git's own id is known."""

    path: str
    size: int
    sha256: str | None
    blob_id: str


def _files(api: Any, address: Address) -> Iterator[_Remote]:
    found = api.list_repo_tree(address.repository, revision=address.revision, recursive=True)
    for number, entry in enumerate(found):
        if number >= MAX_FILES:
            message = f"holds more than {MAX_FILES:,} files"
            raise invalid(address.text, Code.CHECKPOINT, message, "name a repository that is one model")
        if hasattr(entry, "blob_id"):
            yield _Remote(entry.path, entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)


def _model(address: Address, tree: list[_Remote], hub: Hub) -> HubModel:
    remote = {file.path: file for file in tree}
    with opened(address, hub) as opener:
        if MODEL_FILE in remote:
            data = _small(opener, remote[MODEL_FILE], address)
            saved = validate(
                ModelRecord, read_json(decode(data, MODEL_FILE), f"{address.text}/{MODEL_FILE}")
            ).checkpoint
            if {file.path for file in saved.files} <= set(remote):
                return HubModel(address, saved)
        chosen = [remote[path] for path in sorted(remote) if _is_chosen(path, remote)]
        if not any(PurePosixPath(file.path).suffix in {".safetensors", ".bin"} for file in chosen):
            todo = "name a repository with config.json and model.safetensors at its top"
            raise invalid(address.text, Code.CHECKPOINT, "holds no checkpoint that transformers reads", todo)
        small = {file.path: _small(opener, file, address) for file in chosen if file.sha256 is None}
    files = tuple(
        CheckpointFile(
            path=file.path, size=file.size, sha256=file.sha256 or hashlib.sha256(small[file.path]).hexdigest()
        )
        for file in chosen
    )
    safe = any(file.path.endswith(".safetensors") for file in files)
    saved = SavedCheckpoint(
        format="safetensors" if safe else "pickle", digest=files_digest(files), files=files, source=address.text
    )
    return HubModel(address, saved, small)


def _is_chosen(path: str, remote: dict[str, _Remote]) -> bool:
    """Say whether a file belongs to what from_pretrained loads: pickles only where there are no safetensors."""
    pure = PurePosixPath(path)
    if len(pure.parts) > 1:
        return pure.parts[0] == _TEMPLATES and pure.suffix == ".jinja" and len(pure.parts) == 2
    safe = any("/" not in other and other.endswith(".safetensors") for other in remote)
    if path.endswith(".safetensors"):
        return True
    if path.startswith("pytorch_model") and path.endswith((".bin", ".bin.index.json")):
        return not safe
    return path in TOKENIZER_FILES or (pure.suffix in _SETTINGS and path not in _NOT_THE_MODEL)


def _small(opener: Opener, file: _Remote, address: Address) -> bytes:
    """Return a file that git itself keeps there, held against git's id or its sha256."""
    where = f"{address.text}/{file.path}"
    if file.size > MAX_SMALL:
        raise invalid(where, Code.CHECKPOINT, f"has {file.size:,} bytes, too many for git itself", "keep it in LFS")
    with opener(file.path) as stream:
        data = b""
        while piece := stream.read(file.size + 1 - len(data)):
            data += piece
    own = hashlib.sha256(data).hexdigest() if file.sha256 else _git_id(data)
    if len(data) != file.size or own != (file.sha256 or file.blob_id):
        raise Refused(Finding(where, Code.FETCHED, "is not the file that the Hub lists", "run again; nothing was kept"))
    return data


def _git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _place(memory: Path, address: Address) -> Path:
    return memory / f"{digest_of([address.repository, address.revision])}.json"


def _recall(memory: Path, address: Address) -> SavedCheckpoint | None:
    try:
        found = validate(SavedCheckpoint, read_json_file(_place(memory, address)))
    except InvalidInput:  # not known yet, or damaged: then it is asked for again
        return None
    return found if files_digest(found.files) == found.digest else None


def _remember(memory: Path, model: HubModel) -> None:
    saved = model.saved.model_dump(mode="json")
    write_atomic(_place(memory, model.address), document_bytes(saved))
