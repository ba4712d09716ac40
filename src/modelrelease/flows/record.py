"""Papers for a checkpoint from elsewhere, or for one that has some already and of which more is known now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from modelrelease.codes import Code
from modelrelease.config import Project
from modelrelease.errors import Finding, Refused, escape_controls, invalid
from modelrelease.flows.papers import WorkTree, prompts_in_use
from modelrelease.flows.version_folder import opened
from modelrelease.machine import describe_machine
from modelrelease.records.addresses import parse_source
from modelrelease.records.checkpoints import (
    CHECKPOINT_FOLDER,
    Checkpoint,
    read_checkpoint,
    refuse_changed,
    tokenizer_class,
)
from modelrelease.records.evaluation import EVAL_FILE, Evaluation
from modelrelease.records.files import resolved, write_atomic
from modelrelease.records.model import MODEL_FILE, ConvertedFrom, ModelRecord, read_model_record
from modelrelease.records.strict_json import read_json_file
from modelrelease.records.validation import validate
from modelrelease.release.papers import Found, Said, Weights, amended, describe_weights, new_record, same_weights
from modelrelease.release.versions import version_key


@dataclass(frozen=True)
class Elsewhere:
    """Where weights are that do not stand in the version folder.

    ``source``: their address, with ``files`` a local folder of them; ``same_as``: the version that has them.
    """

    source: str | None = None
    files: Path | None = None
    same_as: str | None = None


@dataclass(frozen=True)
class Here:
    """What ``record`` is given of the world: the project, the work tree, the clock; whether this machine trained."""

    project: Project
    tree: WorkTree
    now: Callable[[], str]
    trained_here: bool


@dataclass(frozen=True)
class Recorded:
    """The papers as written. ``replaced`` is the digest of the other weights that the old papers were of."""

    record: ModelRecord
    leftovers: tuple[str, ...]
    replaced: str | None


@dataclass(frozen=True)
class _Read:
    """Weights as they were read, and from where; ``checkpoint`` is None where they are not at hand."""

    weights: Weights
    leftovers: tuple[str, ...]
    checkpoint: Checkpoint | None


def record_version(
    folder: Path, said: Said, elsewhere: Elsewhere, here: Here, converted: ConvertedFrom | None = None
) -> Recorded:
    """Write the papers of the version in ``folder``; where it has some, what is said now is changed in them.

    ``converted``: what the weights that are there now were made from, where they have just been converted.

    Raises InvalidInput (exit 2): MR411 (the folder is not named as a version), MR423 (an address that cannot be relied
    on), MR401-MR405 (a malformed checkpoint), MR2xx (a malformed model.json, eval.json or suite). Raises Refused (exit
    1): MR412 (an eval.json is of other weights), MR418 (the checkpoint changed meanwhile). Nothing is written then.
    """
    shown = escape_controls(str(folder))
    if version_key(resolved(folder).name) is None:
        todo = "call the folder model_vX.Y or model_vX.Y.Z"
        raise invalid(shown, Code.VERSION_NAME, "is not named as a version is", todo)
    _refuse_contradictions(folder, elsewhere)
    if elsewhere == Elsewhere() and not folder.is_dir():
        todo = "name a version folder with checkpoint/ in it, or say where the weights are: --source or --same-as"
        raise invalid(shown, Code.CHECKPOINT, "is no folder", todo)
    with opened(folder):
        before = read_model_record(folder) if (folder / MODEL_FILE).exists() else None
        read = _with_origin(_read(folder, shown, elsewhere, before), converted)
        if before is None and said.parent is None and elsewhere.same_as is not None:
            said = replace(said, parent=Path(elsewhere.same_as).name)
        scored = _refuse_other_weights(folder, read.weights.checkpoint.digest)
        record, replaced = _papers(_found(folder, before, scored, here), before, read.weights, said)
        if read.checkpoint is not None:  # papers are of the files that were read: no other may stand there by now
            refuse_changed(read.checkpoint)
        write_atomic(folder / MODEL_FILE, record.to_bytes())
    return Recorded(record, read.leftovers, replaced)


def _papers(found: Found, before: ModelRecord | None, weights: Weights, said: Said) -> tuple[ModelRecord, str | None]:
    """Papers of other weights say nothing of these; where only what lies beside them changed, they still do."""
    now = weights.checkpoint
    if before is None:
        return new_record("record", found, weights, said), None
    converted = now.converted_from is not None and now.converted_from.digest == before.checkpoint.digest
    if converted or before.checkpoint.digest == now.digest or same_weights(before.checkpoint.files, now.files):
        return amended(before, found, weights, said), None
    return new_record("record", found, weights, said), before.checkpoint.digest


def _with_origin(read: _Read, converted: ConvertedFrom | None) -> _Read:
    if converted is None:
        return read
    checkpoint = read.weights.checkpoint.model_copy(update={"converted_from": converted})
    return replace(read, weights=replace(read.weights, checkpoint=checkpoint))


def _found(folder: Path, before: ModelRecord | None, scored: bool, here: Here) -> Found:
    """The prompts of a version that was scored are those of then."""
    keep = before is not None and scored
    return Found(
        version=resolved(folder).name,
        created=here.now(),
        git=here.tree.state,
        environment=describe_machine() if here.trained_here else None,
        prompts=before.prompts if before is not None and keep else prompts_in_use(here.project),
    )


def _read(folder: Path, shown: str, elsewhere: Elsewhere, before: ModelRecord | None) -> _Read:
    if elsewhere.same_as is not None:
        return _shared(folder, elsewhere.same_as)
    checkpoint = folder / CHECKPOINT_FOLDER
    place = elsewhere.files or (None if checkpoint.is_dir() else _local(elsewhere.source)) or checkpoint
    if place == checkpoint and not checkpoint.is_dir():
        return _known(folder, shown, elsewhere, before)
    found = read_checkpoint(place, shown if place == checkpoint else escape_controls(str(place)), tokenizer=False)
    weights = describe_weights(found, tokenizer_class(found.folder), None, elsewhere.source)
    return _Read(weights, found.leftovers, found)


def _known(folder: Path, shown: str, elsewhere: Elsewhere, before: ModelRecord | None) -> _Read:
    """Weights that are not here: what is known of them stands in the papers, or cannot be known."""
    if before is None:
        todo = "put the weights there, or fetch them and name their folder with --files"
        raise invalid(shown, Code.CHECKPOINT, f"has no {CHECKPOINT_FOLDER}/ to take digests from", todo)
    address = {"source": elsewhere.source} if elsewhere.source else {}
    return _Read(Weights(before.checkpoint.model_copy(update=address), before.tokenizer), (), None)


def _shared(folder: Path, name: str) -> _Read:
    """The weights of the version ``name``; of one that has its own from another, of that."""
    other = folder.parent / Path(name).name
    if version_key(other.name) is None or resolved(other) == resolved(folder) or not other.is_dir():
        todo = "name another version whose folder stands beside this one's"
        raise invalid(escape_controls(name), Code.VERSION_NAME, "is no such version", todo)
    papers = read_model_record(other) if (other / MODEL_FILE).exists() else None
    found = None
    if (other / CHECKPOINT_FOLDER).is_dir():
        found = read_checkpoint(other, escape_controls(str(other)), tokenizer=False)
        weights = describe_weights(found, tokenizer_class(found.folder), None)
        if papers is not None and papers.checkpoint.digest != found.digest:
            message, todo = "its model.json is of other weights", f"run `modelrelease record {other.name}` first"
            raise Refused(Finding(escape_controls(str(other)), Code.OTHER_WEIGHTS, message, todo))
    if papers is not None:
        weights = Weights(papers.checkpoint, papers.tokenizer)
    elif found is None:
        todo = f"record {other.name} first"
        raise invalid(escape_controls(str(other)), Code.CHECKPOINT, "has neither papers nor weights", todo)
    shared = weights.checkpoint.model_copy(update={"same_as": weights.checkpoint.same_as or other.name})
    return _Read(replace(weights, checkpoint=shared), (), found)


def _refuse_contradictions(folder: Path, elsewhere: Elsewhere) -> None:
    own = (folder / CHECKPOINT_FOLDER).exists()
    shown = escape_controls(str(folder))
    if elsewhere.same_as is not None and (own or elsewhere.source is not None or elsewhere.files is not None):
        todo = "leave --same-as out, or the weights"
        raise invalid(shown, Code.USAGE, "has weights, and is to have those of another version", todo)
    if elsewhere.files is not None and (own or elsewhere.source is None):
        what = "has a checkpoint/ of its own" if own else "has files from somewhere that --source does not say"
        raise invalid(shown, Code.USAGE, what, "name --files together with --source, for weights that lie elsewhere")
    if elsewhere.source is not None:
        _check_source(elsewhere.source)


def _check_source(source: str) -> None:
    """An address has to name the same weights tomorrow, and is published: no branch, no password."""
    try:
        parse_source(source)
    except ValueError as error:
        message, _, todo = str(error).partition("; ")
        raise invalid(escape_controls(source), Code.ADDRESS, message, todo) from error


def _local(source: str | None) -> Path | None:
    """A folder of this machine that a file:// address names, None where it is another's."""
    prefix = "file:///"
    folder = Path(f"/{source[len(prefix) :]}") if source is not None and source.startswith(prefix) else None
    return folder if folder is not None and folder.is_dir() else None


def _refuse_other_weights(folder: Path, digest: str) -> bool:
    """Say whether the version was scored; Refused (MR412) where its eval.json is of other weights."""
    path = folder / EVAL_FILE
    if not path.exists():
        return False
    scored = validate(Evaluation, read_json_file(path)).model.digest
    if scored != digest:
        message = f"is of the weights {scored[:12]}, and these are {digest[:12]}"
        todo = "bring those back, or make a new version of these"
        raise Refused(Finding(escape_controls(str(path)), Code.OTHER_WEIGHTS, message, todo))
    return True
