"""What a version's papers name outside of its folder: a parent, the version whose checkpoint it shares, an address."""

from __future__ import annotations

from collections.abc import Iterator

from modelrelease.codes import Code
from modelrelease.errors import Finding, InvalidInput
from modelrelease.flows.registry.version_files import Files
from modelrelease.git.process import Git
from modelrelease.records.addresses import parse_source
from modelrelease.records.checkpoints import CARD, CHECKPOINT_FOLDER, files_digest
from modelrelease.records.located import Located
from modelrelease.records.model import MODEL_FILE, ModelRecord
from modelrelease.records.strict_json import read_document
from modelrelease.release.versions import version_key


def check_parent(
    new: Files, old: tuple[Files, ...], git: Git | None, folder: str, located: Located, record: ModelRecord
) -> Iterator[Finding]:
    """Yield what is wrong with ``parent``: it is another version, here, or once here, or released."""
    parent = record.parent
    if parent is None:
        return
    models, _, name = folder.rpartition("/")
    place = f"{models}/{parent}" if models else parent
    line = located.line_of(("parent",))
    if version_key(parent) is None or parent == name:
        message = "`parent` is the version itself" if parent == name else "`parent` names no version"
        yield Finding(located.path, Code.PARENT, message, "name the version that this one was made from", line)
    elif not any(side.below(place) for side in (new, *old)) and not _was_here(git, place, parent):
        message = f"`parent` is {parent}, which is neither here nor was released"
        todo = "correct it, or fetch the history and tags that know it (`git fetch --tags --unshallow`)"
        yield Finding(located.path, Code.PARENT, message, todo, line)


def _was_here(git: Git | None, place: str, name: str) -> bool:
    if git is None:
        return False
    tags = git.ask("for-each-ref", "--count=1", f"refs/tags/{name}", f"refs/tags/*/{name}")
    return bool(tags) or bool(git.ask("rev-list", "--max-count=1", "--all", "--", place))


def check_source(located: Located, record: ModelRecord) -> Iterator[Finding]:
    """Yield what is wrong with the address of the weights."""
    source = record.checkpoint.source
    if source is None:
        return
    try:
        parse_source(source)
    except ValueError as error:
        message, _, todo = str(error).partition("; ")
        line = located.line_of(("checkpoint", "source"))
        yield Finding(located.path, Code.ADDRESS, f"`source` {message}", todo, line)


def follow_same_as(files: Files, folder: str, same_as: str) -> str:
    """Return the folder at the end of a chain of ``same_as``; ValueError "what is wrong; what to do" where none is."""
    models, _, name = folder.rpartition("/")
    seen, target = [name], same_as
    while True:
        if version_key(target) is None:
            raise ValueError(f"`same_as` names {target!r}, which is no version; name the one whose checkpoint this is")
        if target in seen:
            raise ValueError(f"`same_as` leads back to {target}; name the version that has the files")
        place = f"{models}/{target}" if models else target
        if not files.below(place):
            raise ValueError(f"`same_as` names {target}, which is not here; bring it back, or say a `source`")
        following = _saved(files, place).get("same_as")
        if not isinstance(following, str):
            return place
        seen.append(target)
        target = following


def digest_of_version(files: Files, folder: str) -> str | None:
    """Return the digest of a version's checkpoint: what its papers say, else of the files; None without either."""
    said = _saved(files, folder).get("digest")
    if isinstance(said, str):
        return said
    place = f"{folder}/{CHECKPOINT_FOLDER}/"
    names = [path for path in files.below(folder) if path.startswith(place) and path != f"{place}{CARD}"]
    found = files.describe(names)
    own = [file.model_copy(update={"path": path.removeprefix(place)}) for path, file in found.items()]
    return files_digest(own) if own else None


def _saved(files: Files, folder: str) -> dict[str, object]:
    """Return what a version's papers say of its checkpoint; nothing where they are malformed, which its check tells."""
    path = f"{folder}/{MODEL_FILE}"
    try:
        data = files.document(path)
        value = read_document(data, path).value if data is not None else {}
    except InvalidInput:
        return {}
    saved = value.get("checkpoint") if isinstance(value, dict) else None
    return saved if isinstance(saved, dict) else {}
